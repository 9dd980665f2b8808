import { Option } from 'commander'
import { GatewayAwayError, ProblemError } from '../client/gateway-api.ts'

export const evidenceOption = () =>
  new Option('--evidence', 'fail if it cannot be had with what checks it without a node')

export const noEvidenceOption = () =>
  new Option('--no-evidence', 'the bundle alone, which is checked with a node')

/**
 * Fetches a bundle with its evidence, or else without, and says so on standard error.
 *
 * @param wanted whether it must be there, or must not; if it can be had, otherwise
 */
export async function preferEvidence<T>(
  wanted: boolean | undefined,
  fetchBundle: (evidence: boolean) => Promise<T>,
): Promise<T> {
  if (wanted !== undefined) return fetchBundle(wanted)
  try {
    return await fetchBundle(true)
  } catch (error) {
    if (!(error instanceof ProblemError || error instanceof GatewayAwayError)) throw error
    // Where the bundle itself is what cannot be had, this says so.
    const found = await fetchBundle(false)
    process.stderr.write(
      `tidemark: without evidence, so that a node is needed to check it: ${error.message}\n`,
    )
    return found
  }
}
