import { VerificationError } from '../errors.ts'
import { HASH_SIZE, treeRoot, verifyRange } from '../merkle/index.ts'
import { parseSubmissionProof } from '../proof/index.ts'
import { step, type Trust, type VerifiedAnchor, verifyAnchored } from './anchor.ts'
import type { ChainFacts } from './chain-facts.ts'

/** What a verified proof of a submission has shown. */
export interface VerifiedSubmission extends VerifiedAnchor {
  /** of the submission, 32 bytes: compare it with the one that was signed or promised */
  root: Uint8Array
  /** records */
  size: number
}

/**
 * Checks the proof of a submission against a chain (docs/format.md, "Verifying a submission"): steps `read`, `batch`,
 * `anchor` and `log`.
 *
 * Trusts what `verifyProof` trusts. Whose submission it is, and which one, its root says to whoever knows that root.
 *
 * @param bundle parsed JSON
 * @throws {InputError} `BAD_BUNDLE` when it is no such proof at all
 * @throws {VerificationError} when a claim of it is false; `step` says which
 * @throws {OperationError} when the chain cannot tell, or not yet: nothing is known then
 */
export async function verifySubmission(
  bundle: unknown,
  chain: ChainFacts,
  trust: Trust = {},
): Promise<VerifiedSubmission> {
  const proof = await step('read', () => parseSubmissionProof(bundle))
  const { leaves, range, header } = proof
  await step('batch', () => {
    if (leaves.length === 0) throw new VerificationError('BATCH_MISMATCH', 'a submission has a record')
    verifyRange({
      leafHashes: leaves,
      from: range.first,
      size: header.recordCount,
      path: range.path,
      root: header.recordsRoot,
    })
  })
  return {
    root: treeRoot(leaves),
    size: leaves.length / HASH_SIZE,
    ...(await verifyAnchored(proof, chain, trust)),
  }
}
