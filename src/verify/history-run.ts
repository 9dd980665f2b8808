import type { Hex } from '../bytes/hex.ts'
import { VerificationError } from '../errors.ts'
import { expectRunPlace, indexKey, type RunClaim, runClaimOf, verifyLookup } from '../lookup/index.ts'
import { verifyInclusion } from '../merkle/index.ts'
import type { HistoryQuestion, HistoryRun, ShownRun } from '../proof/index.ts'
import { leafHash, timeOf } from '../record/index.ts'

/** A record that was believed for what it says of the batches of a run. */
export interface TrustedRun {
  source: string
  id: string
  /** of the ledger, the one that holds the record */
  entry: bigint
  /** its batches: ledger entries `first` up to `end` */
  first: bigint
  end: bigint
}

/**
 * What the record of a run says, once it may be heard: it is one of this ledger, and speaks of what came before it.
 *
 * @throws {VerificationError} `FOREIGN_RECORD`, `WRONG_CHAIN`, `WRONG_LEDGER` or `BATCH_MISMATCH`
 */
export function readClaim(
  { record, entry }: ShownRun,
  { chainId, ledger }: { chainId: bigint; ledger: Hex },
): RunClaim {
  const claim = runClaimOf(record)
  if (claim === undefined) {
    throw new VerificationError('FOREIGN_RECORD', `a ${record.type} is shown in place of a run's record`)
  }
  if (claim.chainId !== chainId) {
    throw new VerificationError('WRONG_CHAIN', `the run is of chain ${claim.chainId}, not ${chainId}`)
  }
  if (claim.ledger !== ledger) {
    throw new VerificationError('WRONG_LEDGER', `the run is of ledger ${claim.ledger}, not ${ledger}`)
  }
  expectRunPlace(claim, entry)
  return claim
}

/**
 * The ledger indexes of the batches of a run that have the key, by the word of its record, which is under its header.
 *
 * @throws {VerificationError} `MISSING_BATCH` unless exactly these are shown; what `verifyInclusion` and `verifyLookup`
 *   throw, and `BATCH_MISMATCH` when the record is not of the time of its batch
 */
export function verifyRunShown(
  { run, lookup, batches }: HistoryRun,
  key: HistoryQuestion['key'],
  claim: RunClaim,
) {
  const { record, inclusion, header } = run
  verifyInclusion({
    leafHash: leafHash(record),
    index: inclusion.index,
    size: header.recordCount,
    path: inclusion.path,
    root: header.recordsRoot,
  })
  const time = BigInt(timeOf(record))
  if (time < header.firstTime || time > header.lastTime) {
    throw new VerificationError(
      'BATCH_MISMATCH',
      'the record of a run is not of the time that its batch covers',
    )
  }
  const positions = verifyLookup(indexKey(key.name, key.value), lookup, {
    ...claim,
    recordCount: claim.count,
  })
  if (positions.length !== batches.length) {
    throw new VerificationError(
      'MISSING_BATCH',
      `the run from ledger entry ${claim.first} on has ${positions.length} batches with the key, and ${batches.length} are shown`,
    )
  }
  return [...positions].map((position) => claim.first + BigInt(position))
}
