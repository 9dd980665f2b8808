import type { Hex } from '../bytes/hex.ts'
import type { AcceptedSubmission, SealedBatches } from '../store/sealed-batches.ts'
import {
  listSegments,
  readSegment,
  removeSegment,
  renumberSegment,
  type Segment,
} from '../store/write-ahead-log.ts'
import { decodeLogEntry } from './log-entry.ts'

/** What a log left by an earlier run still holds. */
export interface Recovered {
  /** to be sealed, in this order */
  segments: Segment[]
  waiting: { submission: AcceptedSubmission; body: Uint8Array; bytes: number }[]
  /** the log goes on with this segment */
  next: bigint
}

/**
 * Takes up the log where an earlier run left it.
 *
 * Segments whose batch is in the catalogue are deleted, empty ones too; the others keep their order and are
 * numbered on from the last sealed batch.
 *
 * @throws {OperationError} `STORE_DAMAGED` with the file and the offset
 */
export async function recoverLog(
  directory: string,
  publisher: Hex,
  sealed: SealedBatches,
): Promise<Recovered> {
  const recovered: Recovered = { segments: [], waiting: [], next: sealed.nextSequence(publisher) }
  const segments = await listSegments(directory)
  for (const segment of segments) {
    const ending = segment === segments.at(-1) ? 'torn' : 'whole'
    const entries = (await readSegment(segment, ending)).map((entry) => ({
      ...decodeLogEntry(entry),
      bytes: entry.length,
    }))
    if (segment.number < recovered.next || entries.length === 0) {
      await removeSegment(segment)
      continue
    }
    const kept = segment.number === recovered.next ? segment : await renumberSegment(segment, recovered.next)
    recovered.segments.push(kept)
    recovered.waiting.push(...entries)
    recovered.next++
  }
  return recovered
}
