import { encodeHeader, type Header } from '../batch/index.ts'
import { equalBytes } from '../bytes/bytes.ts'
import { VerificationError } from '../errors.ts'
import type { RunClaim } from '../lookup/index.ts'
import type { HistoryBatch, HistoryRun, RunHistory } from '../proof/index.ts'
import type { FlowRecord } from '../record/index.ts'
import { verifyBatchShown } from './history-batch.ts'
import { readClaim, type TrustedRun, verifyRunShown } from './history-run.ts'

/** A record of a history, and where the ledger holds it. */
export interface FoundInHistory {
  /** with what the bundle discloses put back */
  record: FlowRecord
  /** of its batch in the ledger's log */
  ledgerIndex: bigint
  /** in its batch */
  position: number
}

/** A header of a bundle, and the place in the log that it claims. */
export interface ShownHeader {
  header: Header
  log: { index: bigint }
}

/** A part of a history in its place: one ledger entry, or those of a run. */
type Placed = { first: bigint; batch: HistoryBatch } | { first: bigint; part: HistoryRun; claim: RunClaim }

/**
 * The parts follow each other through the whole range, and each batch shows exactly its records under the key.
 *
 * @returns `shown`: every header, once, in the order of the log
 * @throws {VerificationError}
 */
export function verifyParts(history: RunHistory) {
  const { key } = history
  const headers = new Map<bigint, Header>()
  const found: FoundInHistory[] = []
  const runs: TrustedRun[] = []
  let searched = 0
  const look = (batch: HistoryBatch, index: bigint): number | undefined => {
    show(headers, index, batch.header)
    const records = verifyBatchShown(batch, history, index)
    if (records === undefined) return undefined
    searched++
    for (const [position, record] of records) found.push({ record, ledgerIndex: index, position })
    return records.length
  }
  for (const placed of placesOf(history)) {
    const { first } = placed
    if ('batch' in placed) {
      look(placed.batch, first)
      continue
    }
    const { part, claim } = placed
    const { record, header, entry } = part.run
    const named = verifyRunShown(part, key, claim)
    show(headers, entry, header)
    for (const [i, batch] of part.batches.entries()) {
      const index = named[i] ?? 0n // there are as many
      if (look(batch, index) === 0) throw falseRun(index)
    }
    runs.push({ source: record.source, id: record.id, entry, first, end: first + BigInt(claim.count) })
  }
  const shown = [...headers].sort(([a], [b]) => (a < b ? -1 : 1))
  return { shown: shown.map(([index, header]) => ({ header, log: { index } })), found, searched, runs }
}

/** @throws {VerificationError} `MISSING_BATCH` unless the parts cover the range, each entry once */
function placesOf({ range, parts, anchor }: RunHistory): Placed[] {
  let next = range.from
  const placed = parts.map((part): Placed => {
    const first = next
    if (!('run' in part)) {
      next++
      return { first, batch: part }
    }
    const claim = readClaim(part.run, anchor)
    if (claim.first !== first) {
      throw missing(`a run begins with ledger entry ${claim.first}, where ${first} is next`)
    }
    next += BigInt(claim.count)
    return { first, part, claim }
  })
  if (placed.length === 0 || next !== range.to) {
    throw missing(
      `ledger entries ${range.from} up to ${range.to} are not the ${next - range.from} that are shown`,
    )
  }
  return placed
}

/** A header may be shown for its batch and for the record of a run in it. */
function show(headers: Map<bigint, Header>, index: bigint, header: Header): void {
  const known = headers.get(index)
  if (known !== undefined && !equalBytes(encodeHeader(known), encodeHeader(header))) {
    throw new VerificationError('MALFORMED_BUNDLE', `ledger entry ${index} is shown with two headers`)
  }
  headers.set(index, header)
}

export function lastOf(shown: readonly ShownHeader[]): ShownHeader {
  const last = shown.at(-1)
  if (last === undefined) throw missing('no batch is shown')
  return last
}

const missing = (message: string) => new VerificationError('MISSING_BATCH', message)

const falseRun = (index: bigint) =>
  new VerificationError('BATCH_MISMATCH', `a run says that ledger entry ${index} has the key, and it has not`)
