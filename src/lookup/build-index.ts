import { compareBytes } from '../bytes/bytes.ts'
import { sha256 } from '../bytes/sha256.ts'
import { InputError } from '../errors.ts'
import { encodeTiles, hashLeaves, tilesSize, treeRoot } from '../merkle/index.ts'
import { BUCKET_ENTRIES, HIGHEST_KEY, INLINE_POSTINGS } from './bucket.ts'
import { HEAD_BYTES, MAGIC } from './index-file.ts'
import { type IndexName, KEY_BYTES, KeyList } from './keys.ts'
import { ROW_BYTES } from './sketch.ts'

/** The index of a batch: its file, and what its header says of it. */
export interface BatchIndex {
  file: Uint8Array
  indexRoot: Uint8Array
  /** buckets */
  indexSize: number
  recordCount: number
}

/**
 * Builds the index of a batch.
 *
 * @param values what each record is found under, by position
 */
export function buildIndex(values: readonly ReadonlyMap<IndexName, string>[]): BatchIndex {
  const list = new KeyList()
  values.forEach((found, position) => {
    for (const [name, value] of found) list.add(position, name, value)
  })
  return { ...indexOfKeys(list.keys, list.positions), recordCount: values.length }
}

/**
 * Builds the index out of the keys of a batch.
 *
 * @param keys 16 bytes each; a key and a position may stand there twice
 * @param positions of their records, one a key
 * @throws {InputError} `BAD_ARGUMENT` without a key
 */
export function indexOfKeys(keys: Uint8Array, positions: Uint32Array): Omit<BatchIndex, 'recordCount'> {
  if (positions.length === 0) throw new InputError('BAD_ARGUMENT', 'an index needs an entry')
  const { order, starts } = sortKeys(keys, positions)
  const entryCount = starts.length - 1
  const indexSize = Math.ceil(entryCount / BUCKET_ENTRIES)
  const tableEnd = HEAD_BYTES + ROW_BYTES * entryCount
  const postingsEnd = tableEnd + 4 * order.length
  const file = new Uint8Array(postingsEnd + tilesSize(indexSize))
  const view = new DataView(file.buffer)
  file.set(MAGIC)
  view.setUint32(8, entryCount)
  view.setUint32(12, order.length)
  for (let entry = 0; entry < entryCount; entry++) {
    const first = starts[entry] as number
    const end = starts[entry + 1] as number
    const row = HEAD_BYTES + ROW_BYTES * entry
    const key = KEY_BYTES * (order[first] as number)
    file.set(keys.subarray(key, key + KEY_BYTES), row)
    view.setUint32(row + KEY_BYTES, end - first)
    view.setUint32(row + KEY_BYTES + 4, first)
    for (let i = first; i < end; i++)
      view.setUint32(tableEnd + 4 * i, positions[order[i] as number] as number)
  }
  const leafHashes = hashBuckets(file, entryCount, starts)
  file.set(encodeTiles(leafHashes), postingsEnd)
  return { file, indexRoot: treeRoot(leafHashes), indexSize }
}

/**
 * The keys in ascending order, those of one key by position, none twice.
 *
 * @returns `order`: indices into the keys; `starts`: where in it each distinct key begins, and where the last one ends
 */
function sortKeys(keys: Uint8Array, positions: Uint32Array): { order: Uint32Array; starts: Uint32Array } {
  const count = positions.length
  const view = new DataView(keys.buffer, keys.byteOffset, keys.byteLength)
  const order = orderByPrefix(view, count)
  const prefixOf = (place: number) => view.getUint32(KEY_BYTES * (order[place] as number))
  const keyAt = (i: number) => keys.subarray(KEY_BYTES * i, KEY_BYTES * (i + 1))
  const byKey = (a: number, b: number) =>
    compareBytes(keyAt(a), keyAt(b)) || (positions[a] as number) - (positions[b] as number)
  const starts = new Uint32Array(count + 1)
  let [kept, distinct] = [0, 0]
  for (let first = 0, end = 0; first < count; first = end) {
    const prefix = prefixOf(first)
    for (end = first + 1; end < count && prefixOf(end) === prefix; ) end++
    const alike = order.subarray(first, end)
    if (end > first + 1 && !isOneKey(view, alike, positions)) alike.sort(byKey)
    for (let place = first; place < end; place++) {
      const index = order[place] as number
      const before = place === first ? undefined : (order[kept - 1] as number)
      const isNew = before === undefined || !isSameKey(view, before, index)
      if (!isNew && positions[before] === positions[index]) continue
      if (isNew) starts[distinct++] = kept
      order[kept++] = index
    }
  }
  starts[distinct] = kept
  return { order: order.subarray(0, kept), starts: starts.subarray(0, distinct + 1) }
}

/** Bits of a key by which a pass of the sort goes. */
const PASSES = [0, 11, 22]
const BUCKETS = 1 << 11

/** The numbers of the keys by their first 32 bits, those that begin alike as they came: hashes are spread evenly. */
function orderByPrefix(view: DataView, count: number): Uint32Array {
  let [order, next] = [Uint32Array.from({ length: count }, (_, i) => i), new Uint32Array(count)]
  const ends = new Uint32Array(BUCKETS)
  for (const shift of PASSES) {
    ends.fill(0)
    for (let i = 0; i < count; i++) ends[(view.getUint32(KEY_BYTES * i) >>> shift) & (BUCKETS - 1)]!++
    for (let bucket = 1; bucket < BUCKETS; bucket++) ends[bucket]! += ends[bucket - 1] as number
    for (let place = count - 1; place >= 0; place--) {
      const index = order[place] as number
      next[--ends[(view.getUint32(KEY_BYTES * index) >>> shift) & (BUCKETS - 1)]!] = index
    }
    ;[order, next] = [next, order]
  }
  return order
}

/** Whether keys that start alike are one key at ascending positions: nearly always. */
function isOneKey(view: DataView, indices: Uint32Array, positions: Uint32Array): boolean {
  for (let i = 1; i < indices.length; i++) {
    const [a, b] = [indices[i - 1] as number, indices[i] as number]
    if ((positions[a] as number) >= (positions[b] as number) || !isSameKey(view, a, b)) return false
  }
  return true
}

function isSameKey(view: DataView, a: number, b: number): boolean {
  for (let word = 0; word < KEY_BYTES; word += 4) {
    if (view.getUint32(KEY_BYTES * a + word) !== view.getUint32(KEY_BYTES * b + word)) return false
  }
  return true
}

/** The leaf hashes of the buckets (`encodeBucket`), out of the table and the postings of a file. */
function hashBuckets(file: Uint8Array, entryCount: number, starts: Uint32Array): Uint8Array {
  const tableEnd = HEAD_BYTES + ROW_BYTES * entryCount
  const bucketCount = Math.ceil(entryCount / BUCKET_ENTRIES)
  const most = 2 * KEY_BYTES * bucketCount + (KEY_BYTES + 4 + 4 * INLINE_POSTINGS) * entryCount
  const buckets = new Uint8Array(most)
  const ends = new Uint32Array(bucketCount + 1)
  const keyOf = (entry: number) => {
    const row = HEAD_BYTES + ROW_BYTES * entry
    return file.subarray(row, row + KEY_BYTES)
  }
  let size = 0
  for (let entry = 0; entry < entryCount; entry++) {
    if (entry % BUCKET_ENTRIES === 0) {
      ends[entry / BUCKET_ENTRIES] = size
      if (entry > 0) buckets.set(keyOf(entry), size)
      const next = entry + BUCKET_ENTRIES
      buckets.set(next < entryCount ? keyOf(next) : HIGHEST_KEY, size + KEY_BYTES)
      size += 2 * KEY_BYTES
    }
    const row = HEAD_BYTES + ROW_BYTES * entry
    buckets.set(file.subarray(row, row + KEY_BYTES + 4), size)
    size += KEY_BYTES + 4
    const [first, end] = [starts[entry] as number, starts[entry + 1] as number]
    const postings = file.subarray(tableEnd + 4 * first, tableEnd + 4 * end)
    const shown = end - first > INLINE_POSTINGS ? sha256(postings) : postings
    buckets.set(shown, size)
    size += shown.length
  }
  ends[bucketCount] = size
  return hashLeaves(buckets.subarray(0, size), ends)
}
