import { type Header, hashHeader, type Item } from '../batch/index.ts'
import { VerificationError } from '../errors.ts'
import { indexKey, indexValue, verifyLookup } from '../lookup/index.ts'
import { verifyRange, verifySubset } from '../merkle/index.ts'
import {
  type Anchor,
  type History,
  type HistoryBatch,
  type HistoryQuestion,
  parseHistory,
} from '../proof/index.ts'
import { type FlowRecord, leafHash, openRecord, timeOf } from '../record/index.ts'
import { rootAfter, step, type Trust, verifyAnchor } from './anchor.ts'
import type { ChainFacts } from './chain-facts.ts'

/** The steps of a verification, in their order; an error names the one that refused. */
export const HISTORY_STEPS = ['read', 'batches', 'anchor', 'log'] as const

/** A record of a history, and where the ledger holds it. */
export interface FoundInHistory {
  /** with what the bundle discloses put back */
  record: FlowRecord
  /** of its batch in the ledger's log */
  ledgerIndex: bigint
  /** in its batch */
  position: number
}

/** What a verified history has shown: these records and no others, as docs/format.md, "What is trusted", limits it. */
export interface VerifiedHistory extends HistoryQuestion {
  /** of the ledger's entries, from `from` on, before `to` */
  range: { from: bigint; to: bigint }
  /** those of the period, in the order of the ledger */
  records: FoundInHistory[]
  /** records under the key in batches of the period that are themselves of another time */
  otherTimes: number
  /** batches that were looked into; the others hold no record of the period */
  searched: number
  anchor: Anchor
  /** seconds since 1970, by the clock of the block that holds the last header of the range */
  blockTime: bigint
  finalBlock: bigint
}

/**
 * Checks a history against a chain (docs/format.md, "Verifying a history").
 *
 * Trusts the answers of `chain`, the ledger's address when `trust` names it, and that the indexes of the batches were
 * recomputed by somebody; nothing else in the bundle. Compare `key`, `period` and `range` with what was asked for.
 *
 * @param bundle parsed JSON
 * @throws {InputError} `BAD_BUNDLE` when it is no history at all
 * @throws {VerificationError} when a claim of it is false; `step` says which
 * @throws {OperationError} when the chain cannot tell, or not yet: nothing is known then
 */
export async function verifyHistory(
  bundle: unknown,
  chain: ChainFacts,
  trust: Trust = {},
): Promise<VerifiedHistory> {
  const history = await step('read', () => parseHistory(bundle))
  const { key, period, range, anchor, batches } = history
  const { last, found, searched } = await step('batches', () => verifyBatches(history))
  const { receipt, blockTime, finalBlock } = await step('anchor', () =>
    verifyAnchor({ header: last, log: { index: range.to - 1n }, anchor }, chain, trust),
  )
  await step('log', async () => {
    const root = await rootAfter(receipt, range.size, anchor.ledger, chain)
    const leafHashes = batches.map(({ header }) => hashHeader(header))
    verifyRange({ leafHashes, from: range.from, size: range.size, path: range.path, root })
  })
  const records = found.filter(({ record }) => isWithin(BigInt(timeOf(record)), period))
  return {
    key,
    period,
    range: { from: range.from, to: range.to },
    records,
    otherTimes: found.length - records.length,
    searched,
    anchor,
    blockTime,
    finalBlock,
  }
}

/** Whether a batch may hold records of the period, as its header says. */
export const mayHold = (header: Header, { from, to }: HistoryQuestion['period']): boolean =>
  header.firstTime < to && header.lastTime >= from

const isWithin = (time: bigint, { from, to }: HistoryQuestion['period']) => time >= from && time < to

/** There is one batch for each entry of the range, and each shows exactly its records under the key. */
function verifyBatches({ key, period, range, batches }: History) {
  const last = batches.at(-1)?.header
  if (last === undefined || range.to - range.from !== BigInt(batches.length)) {
    throw new VerificationError(
      'MISSING_BATCH',
      `ledger entries ${range.from} up to ${range.to} are not ${batches.length} batches`,
    )
  }
  const found: FoundInHistory[] = []
  let searched = 0
  for (const [i, batch] of batches.entries()) {
    const ledgerIndex = range.from + BigInt(i)
    if (!mayHold(batch.header, period)) {
      refuseMore(batch, ledgerIndex)
      continue
    }
    searched++
    for (const [position, record] of recordsOf(batch, key, ledgerIndex)) {
      found.push({ record, ledgerIndex, position })
    }
  }
  return { last, found, searched }
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
