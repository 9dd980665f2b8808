import { toJsonHeader } from '../batch/index.ts'
import type { LedgerEntry } from '../store/ledger-entries.ts'

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
