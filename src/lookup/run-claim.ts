import { fromHex, type Hex, toHex } from '../bytes/hex.ts'
import { VerificationError } from '../errors.ts'
import type { FlowRecord } from '../record/index.ts'
import type { RunSummary } from './run.ts'

/** What a record `tidemark.index-run.v1` says. */
export interface RunClaim extends RunSummary {
  chainId: bigint
  ledger: Hex
  /** index of its first header in the log */
  first: bigint
}

/** A longer run is none: whoever checks one has all of its indexes at hand. */
export const MOST_RUN_BATCHES = 16_384

/** What the record says of a run; undefined when it is of another type. */
export function runClaimOf({ type, data }: FlowRecord): RunClaim | undefined {
  if (type !== 'tidemark.index-run.v1') return undefined
  // The members and their kinds are those of the type's schema.
  const { chainId, ledger, firstIndex, count, indexRoot, indexSize, entries } = data as {
    [name in 'chainId' | 'firstIndex']: string
  } & { [name in 'ledger' | 'indexRoot']: Hex } & { [name in 'count' | 'indexSize' | 'entries']: number }
  return {
    chainId: BigInt(chainId),
    ledger,
    first: BigInt(firstIndex),
    count,
    indexRoot: fromHex(indexRoot),
    indexSize,
    entries,
  }
}

/** The members of the record that says so. */
export const toRunData = ({ chainId, ledger, first, count, indexRoot, indexSize, entries }: RunClaim) => ({
  chainId: String(chainId),
  ledger,
  firstIndex: String(first),
  count,
  indexRoot: toHex(indexRoot),
  indexSize,
  entries,
})

/**
 * A run has batches, not too many, and all of them before the one that holds its record.
 *
 * @param entry of the ledger, the one that holds the record
 * @throws {VerificationError} `BATCH_MISMATCH`
 */
export function expectRunPlace({ first, count }: Pick<RunClaim, 'first' | 'count'>, entry: bigint): void {
  if (count === 0 || count > MOST_RUN_BATCHES) {
    throw new VerificationError(
      'BATCH_MISMATCH',
      `a run has 1 to ${MOST_RUN_BATCHES} batches, this one says ${count}`,
    )
  }
  if (first + BigInt(count) > entry) {
    throw new VerificationError(
      'BATCH_MISMATCH',
      `the run says that it has ledger entries ${first} up to ${first + BigInt(count)}, and its record stands in entry ${entry}`,
    )
  }
}
