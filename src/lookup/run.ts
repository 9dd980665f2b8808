import { compareBytes } from '../bytes/bytes.ts'
import { InputError, VerificationError } from '../errors.ts'
import { encodeTiles, HASH_SIZE, hashLeaf, treeRoot } from '../merkle/index.ts'
import {
  BUCKET_ENTRIES,
  encodeBucket,
  encodePositions,
  HIGHEST_KEY,
  type IndexEntry,
  LOWEST_KEY,
} from './bucket.ts'
import { encodeIndexHead, encodeIndexRow, HEAD_BYTES, type IndexReader } from './index-file.ts'
import { ROW_BYTES } from './sketch.ts'

/** What a run index says of itself: the members of `tidemark.index-run.v1` that its batches decide. */
export interface RunSummary {
  /** batches */
  count: number
  indexRoot: Uint8Array
  /** buckets */
  indexSize: number
  /** keys */
  entries: number
}

/** Writes bytes of a file that is being made. */
export type WriteBytes = (offset: number, bytes: Uint8Array) => Promise<void>

/** One of the files that are merged, at its next key. */
interface Head {
  batch: number
  key: Uint8Array
  rest: AsyncIterator<Uint8Array>
}

/** Rows of all files together that are held in memory at a time, 24 bytes each, unless there are too many files. */
const ROWS_HELD = 2 ** 20

/** What a run is counted in: an index file and a record hold no more. */
const MOST = 2 ** 32 - 1

/**
 * Merges the indexes of consecutive batches: every key of any of them in order, with the places of its batches.
 *
 * Holds some rows of each file, whatever their size.
 *
 * @param readers in the order of the ledger
 */
export async function* mergeIndexes(readers: readonly IndexReader[]): AsyncGenerator<IndexEntry> {
  const heap: Head[] = []
  const add = async (batch: number, rest: AsyncIterator<Uint8Array>) => {
    const next = await rest.next()
    if (next.done !== true) push(heap, { batch, key: next.value, rest })
  }
  const rows = Math.min(256, Math.max(16, Math.floor(ROWS_HELD / readers.length)))
  for (const [batch, reader] of readers.entries()) await add(batch, reader.keys(rows))
  for (;;) {
    const first = heap[0]
    if (first === undefined) return
    const { key } = first
    const batches: number[] = []
    // Equal keys leave the heap by ascending batch.
    for (let head = heap[0]; head !== undefined && compareBytes(head.key, key) === 0; head = heap[0]) {
      batches.push(head.batch)
      pop(heap)
      await add(head.batch, head.rest)
    }
    yield { key, positions: Uint32Array.from(batches) }
  }
}

/**
 * Makes the index of a run, an index file like a batch's whose positions are those of the batches in the run.
 *
 * Reads every index twice, and keeps two bytes a key: their number stands at the file's beginning.
 *
 * @param readers the indexes of the run's batches, in the order of the ledger; believed, so verify the batches first
 * @throws {InputError} `BAD_ARGUMENT` when there is none; `TOO_LARGE` when no index file holds so much
 */
export async function buildRun(readers: readonly IndexReader[], write: WriteBytes): Promise<RunSummary> {
  let entries = 0
  let postings = 0
  for await (const { positions } of mergeIndexes(readers)) {
    entries++
    postings += positions.length
  }
  if (entries === 0) throw new InputError('BAD_ARGUMENT', 'a run needs a batch')
  if (entries > MOST || postings > MOST) {
    throw new InputError(
      'TOO_LARGE',
      `an index file has no room for ${entries} keys and ${postings} positions`,
    )
  }
  const indexSize = Math.ceil(entries / BUCKET_ENTRIES)
  const leafHashes = new Uint8Array(HASH_SIZE * indexSize)
  const postingsStart = HEAD_BYTES + ROW_BYTES * entries
  await write(0, encodeIndexHead(entries, postings))
  let row = 0
  let posting = 0
  let bucket: IndexEntry[] = []
  const close = (next: Uint8Array) => {
    const number = Math.ceil(row / BUCKET_ENTRIES) - 1
    const low = number === 0 ? LOWEST_KEY : (bucket[0]?.key ?? LOWEST_KEY)
    leafHashes.set(hashLeaf(encodeBucket(low, next, bucket)), HASH_SIZE * number)
    bucket = []
  }
  for await (const entry of mergeIndexes(readers)) {
    if (bucket.length === BUCKET_ENTRIES) close(entry.key)
    bucket.push(entry)
    await write(HEAD_BYTES + ROW_BYTES * row, encodeIndexRow(entry, posting))
    await write(postingsStart + 4 * posting, encodePositions(entry.positions))
    row++
    posting += entry.positions.length
  }
  close(HIGHEST_KEY)
  await write(postingsStart + 4 * postings, encodeTiles(leafHashes))
  return { count: readers.length, indexRoot: treeRoot(leafHashes), indexSize, entries }
}

/**
 * Holds what a record says of a run against what its batches give.
 *
 * @throws {VerificationError} `BATCH_MISMATCH` naming the member that is false
 */
export function verifyRun(claimed: RunSummary, found: RunSummary): void {
  for (const name of ['count', 'entries', 'indexSize'] as const) {
    if (claimed[name] !== found[name]) {
      throw new VerificationError(
        'BATCH_MISMATCH',
        `the run says ${name} ${claimed[name]}, its batches say ${found[name]}`,
      )
    }
  }
  if (compareBytes(claimed.indexRoot, found.indexRoot) !== 0) {
    throw new VerificationError('BATCH_MISMATCH', 'the batches do not give the indexRoot of the run')
  }
}

const isBefore = (a: Head, b: Head) => (compareBytes(a.key, b.key) || a.batch - b.batch) < 0

function push(heap: Head[], head: Head): void {
  let at = heap.push(head) - 1
  while (at > 0) {
    const above = (at - 1) >> 1
    if (!swapIfBefore(heap, at, above)) return
    at = above
  }
}

function pop(heap: Head[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  heap[0] = last
  for (let at = 0; ; ) {
    const [left, right] = [2 * at + 1, 2 * at + 2]
    const [a, b] = [heap[left], heap[right]]
    const least = b !== undefined && a !== undefined && isBefore(b, a) ? right : left
    if (!swapIfBefore(heap, least, at)) return
    at = least
  }
}

/** Puts the head at `low` above, when it comes before the one there. */
function swapIfBefore(heap: Head[], low: number, above: number): boolean {
  const [a, b] = [heap[low], heap[above]]
  if (a === undefined || b === undefined || !isBefore(a, b)) return false
  heap[low] = b
  heap[above] = a
  return true
}
