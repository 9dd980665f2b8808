import { type JsonHeader, toJsonHeader } from '../batch/index.ts'
import type { Hex } from '../bytes/hex.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import type { LedgerEntry } from '../store/ledger-entries.ts'

/** What can be wrong with a batch or with what sources put into it. */
export type AlertKind =
  | 'fraud'
  | 'withheld'
  | 'bad-record'
  | 'duplicate-id'
  | 'sequence-gap'
  | 'sequence-repeat'
  | 'foreign-signature'
  | 'false-run'

/** A file as it was when it was judged. */
export interface JudgedFile {
  name: string
  /** 32 bytes */
  sha256: Hex
  sizeBytes: number
  /** the address that it was fetched from, or `folder` */
  from: string
}

/** What is wrong, and all that a stranger needs to look for himself. */
export interface Alert {
  kind: AlertKind
  entry: LedgerEntry
  expected: string
  found: string
  files?: readonly JudgedFile[]
  submission?: { source: string; sequence: bigint }
  /** of the records that are meant, in the batch */
  positions?: readonly number[]
}

/** docs/format.md, "Alert". */
export interface JsonAlert {
  format: 'tidemark-alert/1'
  kind: AlertKind
  batch: JsonHeader
  anchor: {
    chainId: string
    ledger: Hex
    ledgerIndex: string
    blockNumber: string
    blockHash: Hex
    transactionHash: Hex
    logIndex: number
  }
  expected: string
  found: string
  files: { name: string; sha256: Hex; size: string; from: string }[]
  submission?: { source: string; sequence: string }
  positions?: number[]
}

export function toJsonAlert(
  { kind, entry, expected, found, files = [], submission, positions = [] }: Alert,
  { chainId, ledger }: LedgerIdentity,
): JsonAlert {
  const { logIndex, blockNumber, blockHash, transactionHash, eventIndex } = entry
  return {
    format: 'tidemark-alert/1',
    kind,
    batch: toJsonHeader(entry.header),
    anchor: {
      chainId: String(chainId),
      ledger,
      ledgerIndex: String(logIndex),
      blockNumber: String(blockNumber),
      blockHash,
      transactionHash,
      logIndex: eventIndex,
    },
    expected,
    found,
    files: files.map(({ name, sha256, sizeBytes, from }) => ({
      name,
      sha256,
      size: String(sizeBytes),
      from,
    })),
    ...(submission !== undefined && {
      submission: { source: submission.source, sequence: String(submission.sequence) },
    }),
    ...(positions.length > 0 && { positions: [...positions] }),
  }
}
