import { utf8 } from '../bytes/bytes.ts'
import type { Hex } from '../bytes/hex.ts'
import { InputError } from '../errors.ts'
import { indexOfKeys } from '../lookup/index.ts'
import { encodeTiles, treeRoot } from '../merkle/index.ts'
import { type Compress, encodeFrames, framesOf } from './frames.ts'
import type { Header } from './header.ts'
import { toJsonHeader } from './header-json.ts'
import type { Item } from './item.ts'
import { joinPrepared, type PreparedRecords, prepareRecords, type RecordHashes } from './prepared.ts'
import { encodeSubmissions, type Submission } from './submission.ts'
import { vaultFrames } from './vault.ts'

/** What a batch says of a submission besides its records. */
interface SubmissionHead {
  source: string
  sequence: bigint
  /** milliseconds since 1970 */
  receivedAt: number
  /** the source's EIP-712 signature; null when there is none */
  signature: Hex | null
  /** private disclosures of each record */
  vault: string[][]
}

/** A submission that waits for its batch. */
export interface WaitingSubmission extends SubmissionHead {
  items: Item[]
}

/** The same, read and hashed before. */
export interface PreparedSubmission extends SubmissionHead {
  records: PreparedRecords
}

/** The files of a batch by name (docs/format.md, "Batch files"). */
export type BatchFileName =
  | 'header.json'
  | 'submissions.json'
  | 'records.ndjson.zst'
  | 'tree.bin'
  | 'index.bin'
  | 'vault.ndjson.zst'

export interface SealedBatch {
  header: Header
  files: Record<BatchFileName, Uint8Array>
}

/** What the records of a batch say of its header. */
export interface BatchSummary {
  /** 32 bytes a record */
  leafHashes: Uint8Array
  recordsRoot: Uint8Array
  indexFile: Uint8Array
  indexRoot: Uint8Array
  indexSize: number
  firstTime: bigint
  lastTime: bigint
}

/**
 * Makes the two trees, the header and the files of one batch.
 *
 * @param submissions one or more, in their order; their records keep it
 * @throws {InputError} `EMPTY_SUBMISSION`; `TOO_LARGE` for a line that no reader would take
 */
export const sealBatch = (
  publisher: Hex,
  sequence: bigint,
  submissions: readonly WaitingSubmission[],
  compress: Compress,
): SealedBatch =>
  sealPrepared(
    publisher,
    sequence,
    submissions.map(({ items, ...head }) => ({ ...head, records: prepareRecords(items) })),
    compress,
  )

/** The same of submissions that have been prepared. */
export function sealPrepared(
  publisher: Hex,
  sequence: bigint,
  submissions: readonly PreparedSubmission[],
  compress: Compress,
): SealedBatch {
  const records = joinPrepared(submissions.map((submission) => submission.records))
  const { leafHashes, indexFile, ...summary } = summarizeRecords(records)
  const header: Header = { publisher, sequence, recordCount: records.count, ...summary }
  const vault = submissions.flatMap((submission) => submission.vault)
  return {
    header,
    files: {
      'header.json': utf8(`${JSON.stringify(toJsonHeader(header))}\n`),
      'submissions.json': encodeSubmissions(listSubmissions(submissions)),
      'records.ndjson.zst': encodeFrames(framesOf(records.lines), compress),
      'tree.bin': encodeTiles(leafHashes),
      'index.bin': indexFile,
      'vault.ndjson.zst': encodeFrames(vaultFrames(vault), compress),
    },
  }
}

/**
 * Computes both trees from the records alone, as a publisher does and every indexer after it.
 *
 * @throws {InputError} `EMPTY_SUBMISSION` without a record
 */
export function summarizeRecords({
  count,
  leafHashes,
  keys,
  positions,
  firstTime,
  lastTime,
}: RecordHashes): BatchSummary {
  if (count === 0) throw new InputError('EMPTY_SUBMISSION', 'a batch needs a record')
  const index = indexOfKeys(keys, positions)
  return {
    leafHashes,
    recordsRoot: treeRoot(leafHashes),
    indexFile: index.file,
    indexRoot: index.indexRoot,
    indexSize: index.indexSize,
    firstTime: BigInt(firstTime),
    lastTime: BigInt(lastTime),
  }
}

function listSubmissions(submissions: readonly PreparedSubmission[]): Submission[] {
  let first = 0
  return submissions.map(({ source, sequence, receivedAt, signature, records }) => {
    const submission = {
      source,
      sequence,
      first,
      count: records.count,
      signature,
      receivedAt: BigInt(receivedAt),
    }
    first += records.count
    return submission
  })
}
