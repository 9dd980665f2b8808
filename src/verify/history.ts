import { hashHeader } from '../batch/index.ts'
import { verifySubset } from '../merkle/index.ts'
import {
  type Anchor,
  type HistoryQuestion,
  parseHistory,
  parseRunHistory,
  RUN_HISTORY_FORMAT,
  type RunHistory,
} from '../proof/index.ts'
import { timeOf } from '../record/index.ts'
import { rootAfter, step, type Trust, verifyAnchor } from './anchor.ts'
import type { ChainFacts } from './chain-facts.ts'
import { type FoundInHistory, lastOf, verifyParts } from './history-parts.ts'
import type { TrustedRun } from './history-run.ts'

/** The steps of a verification, in their order; an error names the one that refused. */
export const HISTORY_STEPS = ['read', 'batches', 'anchor', 'log'] as const

/** What a verified history has shown: these records and no others, as docs/format.md, "What is trusted", limits it. */
export interface VerifiedHistory extends HistoryQuestion {
  /** of the ledger's entries, from `from` on, before `to` */
  range: { from: bigint; to: bigint }
  /** those of the period, in the order of the ledger */
  records: FoundInHistory[]
  /** records under the key in batches of the period that are themselves of another time */
  otherTimes: number
  /** batches that were looked into; the others hold no record of the period, or none under the key by a run's word */
  searched: number
  /** whose word was taken for the batches that are not shown */
  runs: TrustedRun[]
  anchor: Anchor
  /** seconds since 1970, by the clock of the block that holds the last header shown */
  blockTime: bigint
  finalBlock: bigint
}

/**
 * Checks a history against a chain (docs/format.md, "Verifying a history").
 *
 * Trusts the answers of `chain`, the ledger's address when `trust` names it, and that the indexes of the batches, and of
 * the runs that are shown, were recomputed by somebody; nothing else in the bundle. Compare `key`, `period` and `range` with what was asked for.
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
  const history = await step('read', () => readHistory(bundle))
  const { key, period, range, anchor, path } = history
  const { shown, found, searched, runs } = await step('batches', () => verifyParts(history))
  const { receipt, blockTime, finalBlock } = await step('anchor', () =>
    verifyAnchor({ ...lastOf(shown), anchor }, chain, trust),
  )
  await step('log', async () => {
    const root = await rootAfter(receipt, range.size, anchor.ledger, chain)
    const leafHashes = shown.map(({ header }) => hashHeader(header))
    const positions = shown.map(({ log }) => Number(log.index))
    verifySubset({ leafHashes, positions, size: Number(range.size), path, root })
  })
  const records = found.filter(({ record }) => isWithin(BigInt(timeOf(record)), period))
  return {
    key,
    period,
    range: { from: range.from, to: range.to },
    records,
    otherTimes: found.length - records.length,
    searched,
    runs,
    anchor,
    blockTime,
    finalBlock,
  }
}

/** A history batch by batch is one over runs that has none; its range path is the subset path of neighbours. */
function readHistory(bundle: unknown): RunHistory {
  if (Object(bundle).format === RUN_HISTORY_FORMAT) return parseRunHistory(bundle)
  const { range, batches, ...rest } = parseHistory(bundle)
  return { ...rest, range, parts: batches, path: range.path }
}

const isWithin = (time: bigint, { from, to }: HistoryQuestion['period']) => time >= from && time < to
