import { InputError } from '../errors.ts'
import { HASH_SIZE } from './hash.ts'

/** Hashes in order: 32 bytes each end to end, or one by one. */
export type LeafHashes = Uint8Array | readonly Uint8Array[]

/**
 * Lays hashes end to end; bytes that lie so already are not copied.
 *
 * @throws {InputError} `BAD_ARGUMENT` if a hash is not 32 bytes
 */
export function flatten(hashes: LeafHashes): Uint8Array {
  if (ArrayBuffer.isView(hashes)) {
    if (hashes.length % HASH_SIZE !== 0) {
      throw new InputError('BAD_ARGUMENT', `${hashes.length} bytes are not a whole number of 32-byte hashes`)
    }
    return new Uint8Array(hashes.buffer, hashes.byteOffset, hashes.length)
  }
  const flat = new Uint8Array(HASH_SIZE * hashes.length)
  for (const [i, hash] of hashes.entries()) {
    if (hash.length !== HASH_SIZE) {
      throw new InputError('BAD_ARGUMENT', `hash ${i} has ${hash.length} bytes, not 32`)
    }
    flat.set(hash, HASH_SIZE * i)
  }
  return flat
}
