import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { InputError } from '../errors.ts'

/** Bytes as text at the edges: `0x` and lowercase hexadecimal digits, two a byte. */
export type Hex = `0x${string}`

export const toHex = (bytes: Uint8Array): Hex => `0x${bytesToHex(bytes)}`

/**
 * Whether `text` is canonical hex: `0x`, lowercase, whole bytes, and `sizeBytes` of them when given.
 *
 * Uppercase is not accepted, so that one value has one spelling.
 */
export function isHex(text: unknown, sizeBytes?: number): text is Hex {
  if (typeof text !== 'string' || !/^0x(?:[0-9a-f]{2})*$/.test(text)) return false
  return sizeBytes === undefined || text.length === 2 + 2 * sizeBytes
}

/** @throws {InputError} `BAD_ARGUMENT` unless `text` is canonical hex of `sizeBytes` bytes (any, when left out) */
export function fromHex(text: string, sizeBytes?: number): Uint8Array {
  if (!isHex(text, sizeBytes)) {
    const size = sizeBytes === undefined ? 'whole bytes' : `${sizeBytes} bytes`
    throw new InputError(
      'BAD_ARGUMENT',
      `expected 0x and lowercase hex of ${size}, got ${JSON.stringify(text)}`,
    )
  }
  return hexToBytes(text.slice(2))
}
