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
    const { row, found } = await this.#search(key, within)
    return found ? await this.#positions(row) : new Uint32Array()
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
    const { row, found } = await this.#search(key)
    // An absent key belongs to the bucket of the last entry below it; below all of them, to the first bucket.
    const index = Math.floor(Math.max(found ? row : row - 1, 0) / BUCKET_ENTRIES)
    const bucket = await this.#bucket(index)
    const treeStart = HEAD_BYTES + ROW_BYTES * this.entryCount + 4 * this.postingCount
    const path = await readInclusionPath(
      (offset, length) => this.#read(treeStart + offset, length),
      this.indexSize,
      index,
    )
    const positions = found ? await this.#positions(row) : undefined
    return { bucket, index, path, ...(positions && positions.length > INLINE_POSTINGS ? { positions } : {}) }
  }

  /** The root over the buckets that the rows and the positions give, whatever the stored tree says; reads them all. */
  async root(): Promise<Uint8Array> {
    const leafHashes = new Uint8Array(HASH_SIZE * this.indexSize)
    for (let i = 0; i < this.indexSize; i++) leafHashes.set(hashLeaf(await this.#bucket(i)), HASH_SIZE * i)
    return treeRoot(leafHashes)
  }

  /** First row whose key is not below `key`. Keys are uniform hashes, so a guess lands within a few rows. */
  async #search(
    key: Uint8Array,
    within = { start: 0, end: this.entryCount },
  ): Promise<{ row: number; found: boolean }> {
    const WINDOW = 128
    const fraction = new DataView(key.buffer, key.byteOffset).getUint32(0) / 2 ** 32
    let low = within.start
    let high = within.end
    let start = Math.floor(fraction * this.entryCount) - WINDOW / 2
    while (low < high) {
      start = Math.max(low, Math.min(start, high - WINDOW))
      const end = Math.min(high, start + WINDOW)
      const rows = await this.#rows(start, end)
      if (compareBytes(keyOf(rows, 0), key) > 0) high = start
      else if (compareBytes(keyOf(rows, end - start - 1), key) < 0) low = end
      else {
        let i = 0
        while (compareBytes(keyOf(rows, i), key) < 0) i++
        return { row: start + i, found: equalBytes(keyOf(rows, i), key) }
      }
      start = Math.floor((low + high - WINDOW) / 2)
    }
    return { row: low, found: false }
  }

  async #bucket(index: number): Promise<Uint8Array> {
    const first = BUCKET_ENTRIES * index
    const end = Math.min(first + BUCKET_ENTRIES, this.entryCount)
    const rows = await this.#rows(first, Math.min(end + 1, this.entryCount))
    const entries: IndexEntry[] = []
    for (let row = first; row < end; row++) {
      entries.push({ key: keyOf(rows, row - first), positions: await this.#positions(row) })
    }
    const low = index === 0 ? LOWEST_KEY : keyOf(rows, 0)
    return encodeBucket(low, end < this.entryCount ? keyOf(rows, end - first) : HIGHEST_KEY, entries)
  }

  async #positions(row: number): Promise<Uint32Array> {
    const bytes = await this.#rows(row, row + 1)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const start = HEAD_BYTES + ROW_BYTES * this.entryCount + 4 * view.getUint32(KEY_BYTES + 4)
    return decodePositions(await this.#read(start, 4 * view.getUint32(KEY_BYTES)))
  }

  #rows(from: number, to: number): Promise<Uint8Array> {
    return this.#read(HEAD_BYTES + ROW_BYTES * from, ROW_BYTES * (to - from))
  }
}

const keyOf = (rows: Uint8Array, i: number) => rows.subarray(ROW_BYTES * i, ROW_BYTES * i + KEY_BYTES)
