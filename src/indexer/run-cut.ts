import { OperationError } from '../errors.ts'
import { MOST_RUN_BATCHES } from '../lookup/index.ts'
import type { LedgerEntries } from '../store/ledger-entries.ts'
import type { ChainFacts } from '../verify/index.ts'

/** Consecutive entries of a ledger. */
export interface Cut {
  first: bigint
  count: number
}

interface CutParts {
  entries: LedgerEntries
  chain: Pick<ChainFacts, 'blockByNumber'>
  /** whole hours, counted from 1970 in the clock of the chain's blocks */
  periodHours: number
}

/**
 * The run that begins with an entry: what its period still has, at most as much as a run holds (docs/format.md, "Runs").
 *
 * Asks for as many blocks as it takes to halve the entries down to one.
 *
 * @param finalBlock the highest that is final
 * @returns undefined while a block of the period may still become final
 * @throws {OperationError} when the chain cannot tell
 */
export async function cutRun(
  { entries, chain, periodHours }: CutParts,
  first: bigint,
  finalBlock: bigint,
): Promise<Cut | undefined> {
  const final = BigInt(entries.countUpTo(finalBlock))
  if (first >= final) return undefined
  const periodAt = async (blockNumber: bigint) => {
    const block = await chain.blockByNumber(blockNumber)
    if (block === undefined) throw new OperationError('RPC_LAGS', `the node has no block ${blockNumber}`)
    return block.timestamp / (3_600n * BigInt(periodHours))
  }
  const periodOf = async (logIndex: bigint) => {
    const entry = entries.get(logIndex)
    if (entry === undefined) throw new RangeError(`the catalogue lacks ledger entry ${logIndex}`)
    return periodAt(entry.blockNumber)
  }
  const period = await periodOf(first)
  if ((await periodAt(finalBlock)) <= period) return undefined
  let low = first + 1n
  let high = first + BigInt(MOST_RUN_BATCHES)
  if (high > final) high = final
  while (low < high) {
    const middle = (low + high) / 2n
    if ((await periodOf(middle)) === period) low = middle + 1n
    else high = middle
  }
  return { first, count: Number(low - first) }
}
