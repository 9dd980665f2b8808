import { utf8 } from '../bytes/bytes.ts'
import type { Hex } from '../bytes/hex.ts'
import { InputError } from '../errors.ts'
import { buildIndex, indexValues } from '../lookup/index.ts'
import { encodeTiles, hashLeaves, treeRoot } from '../merkle/index.ts'
import { canonicalBytes, timeOf } from '../record/index.ts'
import { type Compress, encodeFrames, framesOf } from './frames.ts'
import type { Header } from './header.ts'
import { toJsonHeader } from './header-json.ts'
import { encodeItem, type Item } from './item.ts'
import { encodeSubmissions, type Submission } from './submission.ts'
import { vaultFrames } from './vault.ts'

/** A submission that waits for its batch. */
export interface WaitingSubmission {
  source: string
  sequence: bigint
  /** milliseconds since 1970 */
  receivedAt: number
  /** the source's EIP-712 signature; null when there is none */
  signature: Hex | null
  items: Item[]
  /** private disclosures of each item */
  vault: string[][]
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
 * @throws {InputError} `EMPTY_SUBMISSION`
 */
export function sealBatch(
  publisher: Hex,
  sequence: bigint,
  submissions: readonly WaitingSubmission[],
  compress: Compress,
): SealedBatch {
  const items = submissions.flatMap((submission) => submission.items)
  const { leafHashes, indexFile, ...summary } = summarizeBatch(items)
  const header: Header = { publisher, sequence, recordCount: items.length, ...summary }
  const vault = submissions.flatMap((submission) => submission.vault)
  return {
    header,
    files: {
      'header.json': utf8(`${JSON.stringify(toJsonHeader(header))}\n`),
      'submissions.json': encodeSubmissions(listSubmissions(submissions)),
      'records.ndjson.zst': encodeFrames(framesOf(items.map(encodeItem)), compress),
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
 * @throws {VerificationError} `BAD_DISCLOSURE` when a disclosure does not open its record
 */
export function summarizeBatch(items: readonly Item[]): BatchSummary {
  if (items.length === 0) throw new InputError('EMPTY_SUBMISSION', 'a batch needs a record')
  const leafHashes = hashLeaves(items.map(({ record }) => canonicalBytes(record)))
  const index = buildIndex(items.map(({ record, disclosures }) => indexValues(record, disclosures)))
  let first = Number.POSITIVE_INFINITY
  let last = 0
  for (const { record } of items) {
    const time = timeOf(record)
    first = Math.min(first, time)
    last = Math.max(last, time)
  }
  return {
    leafHashes,
    recordsRoot: treeRoot(leafHashes),
    indexFile: index.file,
    indexRoot: index.indexRoot,
    indexSize: index.indexSize,
    firstTime: BigInt(first),
    lastTime: BigInt(last),
  }
}

function listSubmissions(submissions: readonly WaitingSubmission[]): Submission[] {
  let first = 0
  return submissions.map(({ source, sequence, receivedAt, signature, items }) => {
    const submission = {
      source,
      sequence,
      first,
      count: items.length,
      signature,
      receivedAt: BigInt(receivedAt),
    }
    first += items.length
    return submission
  })
}
