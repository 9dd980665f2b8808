import type { Header } from '../../src/batch/index.ts'
import type { AcceptedSubmission, SealedBatches } from '../../src/store/sealed-batches.ts'
import { PUBLISHER } from '../batch/items.ts'

export { PUBLISHER }

/** A plausible header; each sequence has its own roots. */
export const headerOf = (sequence: number): Header => ({
  publisher: PUBLISHER,
  sequence: BigInt(sequence),
  recordsRoot: new Uint8Array(32).fill(1 + sequence),
  recordCount: 1 + sequence,
  indexRoot: new Uint8Array(32).fill(101 + sequence),
  indexSize: 1,
  firstTime: 1_790_000_000_000n,
  lastTime: 1_790_000_060_000n,
})

/** Records a sealed batch with all its submissions. */
export function addBatch(
  sealed: SealedBatches,
  header: Header,
  submissions: readonly AcceptedSubmission[],
  sealedAt: number,
): void {
  sealed.addSubmissions(header.publisher, header.sequence, 0, submissions)
  const anchorBy = Math.min(Number.MAX_SAFE_INTEGER, ...submissions.map((one) => one.anchorBy))
  sealed.addBatch(header, { sequence: header.sequence, sealedAt, anchorBy })
}
