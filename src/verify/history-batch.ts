import type { Header, Item } from '../batch/index.ts'
import { VerificationError } from '../errors.ts'
import { indexKey, indexValue, verifyLookup } from '../lookup/index.ts'
import { verifySubset } from '../merkle/index.ts'
import type { HistoryBatch, HistoryQuestion } from '../proof/index.ts'
import { type FlowRecord, leafHash, openRecord, timeOf } from '../record/index.ts'

/** Whether a batch may hold records of the period, as its header says. */
export const mayHold = (header: Header, { from, to }: HistoryQuestion['period']): boolean =>
  header.firstTime < to && header.lastTime >= from

/**
 * The records that a batch of a history shows: exactly its records under the key, opened, by their positions.
 *
 * @returns undefined when its header says that it holds none of the period, and nothing of it is shown
 * @throws {VerificationError}
 */
export function verifyBatchShown(
  batch: HistoryBatch,
  { key, period }: HistoryQuestion,
  ledgerIndex: bigint,
): [position: number, record: FlowRecord][] | undefined {
  if (mayHold(batch.header, period)) return recordsOf(batch, key, ledgerIndex)
  refuseMore(batch, ledgerIndex)
  return undefined
}

function refuseMore({ lookup, found }: HistoryBatch, ledgerIndex: bigint): void {
  if (lookup === undefined && found === undefined) return
  throw new VerificationError(
    'MALFORMED_BUNDLE',
    `ledger entry ${ledgerIndex} is of another time, and yet something of it is shown`,
  )
}

/** The records of a batch under the key, opened, by their positions. */
function recordsOf(
  { header, lookup, found }: HistoryBatch,
  key: HistoryQuestion['key'],
  ledgerIndex: bigint,
): [position: number, record: FlowRecord][] {
  if (lookup === undefined) {
    throw new VerificationError('MISSING_BUCKET', `ledger entry ${ledgerIndex} lacks its index bucket`)
  }
  const positions = verifyLookup(indexKey(key.name, key.value), lookup, header)
  const items = found?.items ?? []
  if (items.length < positions.length) {
    throw new VerificationError(
      'MISSING_RECORD',
      `ledger entry ${ledgerIndex} has ${positions.length} records under the key, and ${items.length} are shown`,
    )
  }
  if (items.length > positions.length) {
    throw new VerificationError(
      'FOREIGN_RECORD',
      `ledger entry ${ledgerIndex} has ${positions.length} records under the key, not ${items.length}`,
    )
  }
  if (found === undefined) return []
  if (positions.length === 0) {
    throw new VerificationError('MALFORMED_BUNDLE', `ledger entry ${ledgerIndex} shows an empty list`)
  }
  const leafHashes = items.map(({ record }) => leafHash(record))
  const { recordCount, recordsRoot } = header
  verifySubset({ leafHashes, positions, size: recordCount, path: found.path, root: recordsRoot })
  return items.map((item, i) => [positions[i] ?? 0, openUnder(key, item, header)])
}

/** A record that carries the key itself, so that it is not the index alone that says so. */
function openUnder(key: HistoryQuestion['key'], { record, disclosures }: Item, header: Header): FlowRecord {
  const opened = openRecord(record, disclosures)
  if (indexValue(opened, key.name) !== key.value) {
    throw new VerificationError('FOREIGN_RECORD', `a record does not show that its ${key.name} is the key`)
  }
  const time = BigInt(timeOf(record))
  if (time < header.firstTime || time > header.lastTime) {
    throw new VerificationError('BATCH_MISMATCH', 'a record is not of the time that its batch covers')
  }
  return opened
}
