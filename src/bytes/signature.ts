import { keccak_256 } from '@noble/hashes/sha3.js'
import { VerificationError } from '../errors.ts'
import { compareBytes } from './bytes.ts'
import { fromHex, type Hex, isHex, toHex } from './hex.ts'

/**
 * The public key that signed a digest, uncompressed, 65 bytes; null, or an error, when there is none.
 *
 * @param compact r and s, 64 bytes
 */
export type RecoverKey = (digest: Uint8Array, compact: Uint8Array, recoveryId: 0 | 1) => Uint8Array | null

/** The last byte of a signature whose recovery id is 0. */
export const V_OF_ZERO = 27
/** Half the order of secp256k1, rounded down. */
const HIGHEST_S = fromHex('0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0')

/**
 * The address whose key signed a digest, in the one spelling of a signature: v is 27 or 28, and s in the lower half
 * (EIP-2).
 *
 * @throws {VerificationError} `BAD_SIGNATURE`
 */
export function recoverSigner(digest: Uint8Array, signature: Hex, recoverKey: RecoverKey): Hex {
  if (!isHex(signature, 65) || !/1[bc]$/.test(signature)) {
    throw new VerificationError('BAD_SIGNATURE', 'a signature has 65 bytes, the last of them 27 or 28')
  }
  const bytes = fromHex(signature)
  if (compareBytes(bytes.subarray(32, 64), HIGHEST_S) > 0) throw badSignature()
  try {
    const key = recoverKey(digest, bytes.subarray(0, 64), bytes[64] === V_OF_ZERO ? 0 : 1)
    // The address of a key: the last 20 bytes of the hash of its coordinates.
    if (key !== null) return toHex(keccak_256(key.subarray(1)).subarray(12))
  } catch (cause) {
    throw badSignature(cause)
  }
  throw badSignature()
}

const badSignature = (cause?: unknown) =>
  new VerificationError('BAD_SIGNATURE', 'the signature is not one of EIP-712', { cause })
