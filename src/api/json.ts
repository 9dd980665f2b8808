import { toJsonHeader } from '../batch/index.ts'
import type { Follower } from '../indexer/follower.ts'
import type { LedgerEntries, LedgerEntry } from '../store/ledger-entries.ts'

/** Where the chain holds an entry of the ledger. */
export const toJsonAnchor = ({
  logIndex,
  blockNumber,
  blockHash,
  transactionHash,
  eventIndex,
}: LedgerEntry) => ({
  ledgerIndex: String(logIndex),
  blockNumber: String(blockNumber),
  blockHash,
  transactionHash,
  logIndex: eventIndex,
})

export const toJsonEntry = (entry: LedgerEntry, isFinal: boolean) => ({
  batch: toJsonHeader(entry.header),
  anchor: toJsonAnchor(entry),
  state: entry.state,
  ...(entry.reason !== undefined && { reason: entry.reason }),
  final: isFinal,
})

/** The ledger that an answer speaks for, without the batches that are not verified. */
export const toJsonLedgerState = (follower: Follower, entries: LedgerEntries) => ({
  size: String(entries.size()),
  headBlock: String(follower.state.head),
  notVerified: (['announced', 'fraud', 'withheld'] as const).reduce(
    (sum, state) => sum + entries.countInState(state),
    0,
  ),
})
