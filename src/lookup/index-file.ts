import { compareBytes, equalBytes } from '../bytes/bytes.ts'
import { VerificationError } from '../errors.ts'
import { HASH_SIZE, hashLeaf, type ReadBytes, readInclusionPath, treeRoot } from '../merkle/index.ts'
import {
  BUCKET_ENTRIES,
  decodePositions,
  encodeBucket,
  HIGHEST_KEY,
  INLINE_POSTINGS,
  type IndexEntry,
  LOWEST_KEY,
  type LookupProof,
} from './bucket.ts'
import { KEY_BYTES } from './keys.ts'
import { IndexSketch, ROW_BYTES } from './sketch.ts'

/**
 * index.bin (docs/format.md, "Index file"): `TIDEIDX1 || entryCount u32 || postingCount u32`, the key table
 * (`key 16 || count u32 || first posting u32` each), the postings (u32 each), the stored tree of the buckets.
 */
export const MAGIC = new TextEncoder().encode('TIDEIDX1')
export const HEAD_BYTES = 16

export function encodeIndexHead(entryCount: number, postingCount: number): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES)
  head.set(MAGIC)
  const view = new DataView(head.buffer)
  view.setUint32(MAGIC.length, entryCount)
  view.setUint32(MAGIC.length + 4, postingCount)
  return head
}

/** @param firstPosting number of positions of all entries before */
export function encodeIndexRow({ key, positions }: IndexEntry, firstPosting: number): Uint8Array {
  const row = new Uint8Array(ROW_BYTES)
  row.set(key)
  const view = new DataView(row.buffer)
  view.setUint32(KEY_BYTES, positions.length)
  view.setUint32(KEY_BYTES + 4, firstPosting)
  return row
}

/** The entries of an index file that have several positions. */
export function* sharedEntries(file: Uint8Array): Generator<IndexEntry> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const entryCount = view.getUint32(MAGIC.length)
  const postings = HEAD_BYTES + ROW_BYTES * entryCount
  for (let row = HEAD_BYTES; row < postings; row += ROW_BYTES) {
    const count = view.getUint32(row + KEY_BYTES)
    if (count < 2) continue
    const first = postings + 4 * view.getUint32(row + KEY_BYTES + 4)
    const positions = new Uint32Array(count)
    for (let i = 0; i < count; i++) positions[i] = view.getUint32(first + 4 * i)
    yield { key: file.subarray(row, row + KEY_BYTES), positions }
  }
}

/** Buckets whose rows are read together when all are. */
const BUCKETS_AT_ONCE = 64

/** An index file opened for questions. It trusts the file: who asks for others verifies the proof. */
export class IndexReader {
  readonly entryCount: number
  readonly postingCount: number
  readonly indexSize: number
  readonly #read: ReadBytes

  private constructor(read: ReadBytes, entryCount: number, postingCount: number) {
    this.#read = read
    this.entryCount = entryCount
    this.postingCount = postingCount
    this.indexSize = Math.ceil(entryCount / BUCKET_ENTRIES)
  }

  /** @throws {VerificationError} `MALFORMED_INDEX` when the file does not start like an index */
  static async open(read: ReadBytes): Promise<IndexReader> {
    const head = await read(0, HEAD_BYTES)
    if (head.length !== HEAD_BYTES || !equalBytes(head.subarray(0, MAGIC.length), MAGIC)) {
      throw new VerificationError('MALFORMED_INDEX', 'the file is not an index')
    }
    const view = new DataView(head.buffer, head.byteOffset)
    return new IndexReader(read, view.getUint32(8), view.getUint32(12))
  }

  /**
   * Positions of the records under a key, ascending; empty when there are none.
   *
   * @param within the rows that it can be in, as a sketch of this index names them
   */
  async find(key: Uint8Array, within?: { start: number; end: number }): Promise<Uint32Array> {
    const { row, found, rows } = await this.#search(key, within)
    if (!found) return new Uint32Array()
    const { start, count } = postingsOf(rows.bytes, row - rows.start)
    return decodePositions(await this.#postings(start, start + count))
  }

  /** Reads the whole key table. */
  async sketch(): Promise<IndexSketch> {
    return new IndexSketch(await this.#rows(0, this.entryCount))
  }

  /**
   * All keys, ascending.
   *
   * @param window rows that are read at once
   */
  async *keys(window = 256): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < this.entryCount; start += window) {
      const end = Math.min(this.entryCount, start + window)
      const rows = await this.#rows(start, end)
      for (let i = 0; i < end - start; i++) yield keyOf(rows, i)
    }
  }

  /** The bucket and path that show which records are under a key, or that none is. */
  async prove(key: Uint8Array): Promise<LookupProof> {
    const { row, found, rows } = await this.#search(key)
    // An absent key belongs to the bucket of the last entry below it; below all of them, to the first bucket.
    const index = Math.floor(Math.max(found ? row : row - 1, 0) / BUCKET_ENTRIES)
    const treeStart = HEAD_BYTES + ROW_BYTES * this.entryCount + 4 * this.postingCount
    const [{ bucket, entries }, path] = await Promise.all([
      this.#bucket(index, rows),
      readInclusionPath((offset, length) => this.#read(treeStart + offset, length), this.indexSize, index),
    ])
    const positions = found ? entries[row % BUCKET_ENTRIES]?.positions : undefined
    return { bucket, index, path, ...(positions && positions.length > INLINE_POSTINGS ? { positions } : {}) }
  }

  /** The root over the buckets that the rows and the positions give, whatever the stored tree says; reads them all. */
  async root(): Promise<Uint8Array> {
    const leafHashes = new Uint8Array(HASH_SIZE * this.indexSize)
    let rows: Rows = { start: 0, bytes: new Uint8Array() }
    for (let i = 0; i < this.indexSize; i++) {
      if (i % BUCKETS_AT_ONCE === 0) {
        const start = BUCKET_ENTRIES * i
        // The first key of the next bucket stands in the one before it, too.
        const end = Math.min(this.entryCount, start + BUCKET_ENTRIES * BUCKETS_AT_ONCE + 1)
        rows = { start, bytes: await this.#rows(start, end) }
      }
      leafHashes.set(hashLeaf((await this.#bucket(i, rows)).bucket), HASH_SIZE * i)
    }
    return treeRoot(leafHashes)
  }

  /**
   * First row whose key is not below `key`, and the rows that were read last.
   *
   * Keys are uniform hashes: where one stands is known to half a root of their number, and three times as much to
   * both sides is nearly always enough.
   */
  async #search(
    key: Uint8Array,
    within = { start: 0, end: this.entryCount },
  ): Promise<{ row: number; found: boolean; rows: Rows }> {
    const window = Math.max(LEAST_WINDOW, 3 * Math.ceil(Math.sqrt(this.entryCount)))
    const fraction = new DataView(key.buffer, key.byteOffset).getUint32(0) / 2 ** 32
    let low = within.start
    let high = within.end
    let start = Math.floor(fraction * this.entryCount - window / 2)
    let rows: Rows = { start: 0, bytes: new Uint8Array() }
    while (low < high) {
      start = Math.max(low, Math.min(start, high - window))
      const end = Math.min(high, start + window)
      rows = { start, bytes: await this.#rows(start, end) }
      const { bytes } = rows
      if (compareBytes(keyOf(bytes, 0), key) > 0) high = start
      else if (compareBytes(keyOf(bytes, end - start - 1), key) < 0) low = end
      else {
        let [first, last] = [0, end - start - 1]
        while (first < last) {
          const middle = (first + last) >> 1
          if (compareBytes(keyOf(bytes, middle), key) < 0) first = middle + 1
          else last = middle
        }
        return { row: start + first, found: equalBytes(keyOf(bytes, first), key), rows }
      }
      start = Math.floor((low + high - window) / 2)
    }
    return { row: low, found: false, rows }
  }

  /** @param known rows that have been read */
  async #bucket(index: number, known: Rows): Promise<{ bucket: Uint8Array; entries: IndexEntry[] }> {
    const first = BUCKET_ENTRIES * index
    const end = Math.min(first + BUCKET_ENTRIES, this.entryCount)
    const rows = await this.#rowsOf(first, Math.min(end + 1, this.entryCount), known)
    const places = Array.from({ length: end - first }, (_, i) => postingsOf(rows, i))
    // Entries' postings follow each other as the entries do.
    const start = places[0]?.start ?? 0
    const postings = await this.#postings(
      start,
      places.reduce((sum, { count }) => sum + count, start),
    )
    const entries = places.map(({ start: own, count }, i) => ({
      key: keyOf(rows, i),
      positions: decodePositions(postings.subarray(4 * (own - start), 4 * (own - start + count))),
    }))
    const low = index === 0 ? LOWEST_KEY : keyOf(rows, 0)
    const next = end < this.entryCount ? keyOf(rows, end - first) : HIGHEST_KEY
    return { bucket: encodeBucket(low, next, entries), entries }
  }

  #postings(start: number, end: number): Promise<Uint8Array> {
    return this.#read(HEAD_BYTES + ROW_BYTES * this.entryCount + 4 * start, 4 * (end - start))
  }

  async #rowsOf(from: number, to: number, { start, bytes }: Rows): Promise<Uint8Array> {
    const [first, end] = [ROW_BYTES * (from - start), ROW_BYTES * (to - start)]
    return first >= 0 && end <= bytes.length ? bytes.subarray(first, end) : this.#rows(from, to)
  }

  #rows(from: number, to: number): Promise<Uint8Array> {
    return this.#read(HEAD_BYTES + ROW_BYTES * from, ROW_BYTES * (to - from))
  }
}

/** Rows of the key table from row `start` on. */
interface Rows {
  start: number
  bytes: Uint8Array
}

const LEAST_WINDOW = 64

function postingsOf(rows: Uint8Array, i: number): { start: number; count: number } {
  const view = new DataView(rows.buffer, rows.byteOffset + ROW_BYTES * i + KEY_BYTES)
  return { count: view.getUint32(0), start: view.getUint32(4) }
}

const keyOf = (rows: Uint8Array, i: number) => rows.subarray(ROW_BYTES * i, ROW_BYTES * i + KEY_BYTES)
