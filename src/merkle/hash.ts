import { engine, sha256 } from '../bytes/sha256.ts'
import { InputError } from '../errors.ts'

/** Bytes in one hash. */
export const HASH_SIZE = 32

/** Root of the tree without leaves: SHA-256 of nothing (RFC 9162, section 2.1.1). */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array(0))

/** Hash of a leaf, `SHA-256(0x00 || data)` (RFC 9162, section 2.1.1). */
export function hashLeaf(data: Uint8Array): Uint8Array {
  const message = new Uint8Array(1 + data.length)
  message.set(data, 1)
  return sha256(message)
}

/**
 * Hash of an inner node, `SHA-256(0x01 || left || right)` (RFC 9162, section 2.1.1).
 *
 * @throws {InputError} `BAD_ARGUMENT` if a side is not 32 bytes
 */
export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== HASH_SIZE || right.length !== HASH_SIZE) {
    throw new InputError(
      'BAD_ARGUMENT',
      `a node joins two hashes of 32 bytes, not ${left.length} and ${right.length}`,
    )
  }
  return engine.hashNode(left, right)
}

/** Leaves gathered before they are hashed together when they come as an array: bounds the extra memory. */
const GATHER_BYTES = 1 << 20

/**
 * Hashes many leaves at once (RFC 9162, section 2.1.1).
 *
 * @param data the leaves, either one by one or end to end
 * @param offsets with leaves end to end: one more than there are leaves, leaf i being `data` from `offsets[i]` up to `offsets[i + 1]`
 * @returns the leaf hashes, 32 bytes each, end to end
 * @throws {InputError} `BAD_ARGUMENT` if the offsets descend or leave the data
 */
export function hashLeaves(data: Uint8Array, offsets: Uint32Array): Uint8Array
export function hashLeaves(leaves: readonly Uint8Array[]): Uint8Array
export function hashLeaves(data: Uint8Array | readonly Uint8Array[], offsets?: Uint32Array): Uint8Array {
  if (!ArrayBuffer.isView(data)) return hashSeparateLeaves(data)
  if (offsets === undefined || offsets.length === 0) {
    throw new InputError('BAD_ARGUMENT', 'leaves end to end need offsets, one more than there are leaves')
  }
  for (let i = 0, previous = 0; i < offsets.length; i++) {
    const offset = offsets[i] ?? 0
    if (offset < previous || offset > data.length) {
      throw new InputError('BAD_ARGUMENT', `leaf offset ${i} is ${offset}: it descends or leaves the data`)
    }
    previous = offset
  }
  const out = new Uint8Array(HASH_SIZE * (offsets.length - 1))
  engine.hashMany(data, offsets.subarray(0, -1), offsets.subarray(1), 'leaf', out)
  return out
}

function hashSeparateLeaves(leaves: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(HASH_SIZE * leaves.length)
  let gathered = new Uint8Array(GATHER_BYTES)
  let size = 0
  let offsets = [0]
  const flush = (upTo: number): void => {
    out.set(hashLeaves(gathered, Uint32Array.from(offsets)), HASH_SIZE * (upTo - offsets.length + 1))
    size = 0
    offsets = [0]
  }
  for (const [i, leaf] of leaves.entries()) {
    if (size + leaf.length > gathered.length) flush(i)
    if (leaf.length > gathered.length) gathered = new Uint8Array(leaf.length)
    gathered.set(leaf, size)
    size += leaf.length
    offsets.push(size)
  }
  flush(leaves.length)
  return out
}
