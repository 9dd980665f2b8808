import { compareBytes, concatBytes, equalBytes } from '../bytes/bytes.ts'
import { sha256 } from '../bytes/sha256.ts'
import { VerificationError } from '../errors.ts'
import { hashLeaf, verifyInclusion } from '../merkle/index.ts'
import { KEY_BYTES } from './keys.ts'

export const BUCKET_ENTRIES = 16
/** Up to this many postings stand in the bucket itself; of more, their SHA-256. */
export const INLINE_POSTINGS = 8

/** The positions of the records under one key. `positions` ascend. */
export interface IndexEntry {
  /** 16 bytes */
  key: Uint8Array
  positions: Uint32Array
}

/** An entry as a bucket shows it: the positions, or what they must hash to. */
export interface BucketEntry {
  key: Uint8Array
  count: number
  positions?: Uint32Array
  positionsDigest?: Uint8Array
}

/** One bucket with its path: it proves that a key is in a batch, or that it is not. */
export interface LookupProof {
  /** leaf data of the index tree */
  bucket: Uint8Array
  index: number
  path: Uint8Array[]
  /** all positions, when the bucket shows their digest only */
  positions?: Uint32Array
}

export const LOWEST_KEY = new Uint8Array(KEY_BYTES)
export const HIGHEST_KEY = new Uint8Array(KEY_BYTES).fill(0xff)

/** Positions as they are hashed and stored: big-endian, four bytes each. */
export function encodePositions(positions: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(4 * positions.length)
  const view = new DataView(bytes.buffer)
  positions.forEach((position, i) => {
    view.setUint32(4 * i, position)
  })
  return bytes
}

export function decodePositions(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const positions = new Uint32Array(bytes.length / 4)
  for (let i = 0; i < positions.length; i++) positions[i] = view.getUint32(4 * i)
  return positions
}

/** Leaf data of the index tree: `low || next || entries`, an entry being `key || count || postings`. */
export function encodeBucket(low: Uint8Array, next: Uint8Array, entries: readonly IndexEntry[]): Uint8Array {
  const parts = [low, next]
  for (const { key, positions } of entries) {
    const count = new Uint8Array(4)
    new DataView(count.buffer).setUint32(0, positions.length)
    const postings = encodePositions(positions)
    parts.push(key, count, positions.length <= INLINE_POSTINGS ? postings : sha256(postings))
  }
  return concatBytes(...parts)
}

/**
 * Looks a key up in a bucket that is proven to be in the index.
 *
 * @param header what the ledger says of the batch
 * @returns the positions of all records of the batch under this key, ascending; empty when there are none
 * @throws {VerificationError} `MALFORMED_INDEX` when the bucket cannot speak for the key; `MALFORMED_PATH`,
 *   `INDEX_OUT_OF_RANGE` or `ROOT_MISMATCH` when it is not in the index
 * @throws {InputError} `BAD_ARGUMENT` when the bucket's place is no integer
 */
export function verifyLookup(
  key: Uint8Array,
  proof: LookupProof,
  header: { indexRoot: Uint8Array; indexSize: number; recordCount: number },
): Uint32Array {
  const { indexRoot, indexSize, recordCount } = header
  const leafHash = hashLeaf(proof.bucket)
  verifyInclusion({ leafHash, index: proof.index, size: indexSize, path: proof.path, root: indexRoot })
  const { low, next, entries } = decodeBucket(proof.bucket)
  const first = proof.index === 0
  const last = proof.index === indexSize - 1
  const firstKey = entries[0]?.key
  if (firstKey === undefined || (first ? !equalBytes(low, LOWEST_KEY) : !equalBytes(low, firstKey))) {
    throw malformed('its low bound is not that of its place')
  }
  if (last !== equalBytes(next, HIGHEST_KEY)) throw malformed('its next bound is not that of its place')
  if (!last && entries.length !== BUCKET_ENTRIES)
    throw malformed(`it is not the last and has ${entries.length} entries`)
  if (!last && entries.some((entry) => compareBytes(entry.key, next) >= 0))
    throw malformed('an entry lies beyond its next bound')
  // Keys run up to but not including `next`, except in the last bucket, which reaches the highest key.
  if (compareBytes(key, low) < 0 || (!last && compareBytes(key, next) >= 0))
    throw malformed('the key lies outside')
  const entry = entries.find((candidate) => equalBytes(candidate.key, key))
  if (entry === undefined) {
    if (proof.positions !== undefined) throw malformed('positions are given for a key that is absent')
    return new Uint32Array()
  }
  const positions = ascending(positionsOf(entry, proof.positions))
  if ((positions.at(-1) ?? 0) >= recordCount) throw malformed('a position lies beyond the batch')
  return positions
}

function positionsOf(entry: BucketEntry, given: Uint32Array | undefined): Uint32Array {
  if (entry.positions !== undefined) {
    if (given !== undefined) throw malformed('positions are given twice')
    return entry.positions
  }
  if (given === undefined || given.length !== entry.count)
    throw malformed(`the key has ${entry.count} positions`)
  if (!equalBytes(sha256(encodePositions(given)), entry.positionsDigest ?? new Uint8Array())) {
    throw malformed('the positions are not those of the digest')
  }
  return given
}

/** @throws {VerificationError} `MALFORMED_INDEX` unless the bytes are exactly one well-ordered bucket */
export function decodeBucket(bytes: Uint8Array): {
  low: Uint8Array
  next: Uint8Array
  entries: BucketEntry[]
} {
  const low = bytes.slice(0, KEY_BYTES)
  const next = bytes.slice(KEY_BYTES, 2 * KEY_BYTES)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: BucketEntry[] = []
  let offset = 2 * KEY_BYTES
  while (offset < bytes.length) {
    if (offset + KEY_BYTES + 4 > bytes.length) throw malformed('it ends within an entry')
    const key = bytes.slice(offset, offset + KEY_BYTES)
    const count = view.getUint32(offset + KEY_BYTES)
    offset += KEY_BYTES + 4
    const end = offset + (count <= INLINE_POSTINGS ? 4 * count : 32)
    if (count === 0 || end > bytes.length)
      throw malformed('an entry has no positions, or the bucket ends within it')
    const postings = bytes.slice(offset, end)
    const previous = entries.at(-1)
    if (previous !== undefined && compareBytes(previous.key, key) >= 0)
      throw malformed('its keys do not ascend')
    entries.push(
      count <= INLINE_POSTINGS
        ? { key, count, positions: ascending(decodePositions(postings)) }
        : { key, count, positionsDigest: postings },
    )
    offset = end
  }
  if (entries.length === 0 || entries.length > BUCKET_ENTRIES)
    throw malformed(`it has ${entries.length} entries`)
  return { low, next, entries }
}

function ascending(positions: Uint32Array): Uint32Array {
  positions.forEach((position, i) => {
    const previous = positions[i - 1]
    if (previous !== undefined && previous >= position)
      throw malformed('the positions of an entry do not ascend')
  })
  return positions
}

const malformed = (reason: string) => new VerificationError('MALFORMED_INDEX', `the index bucket: ${reason}`)
