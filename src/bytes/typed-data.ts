import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8 } from './bytes.ts'
import { fromHex, type Hex } from './hex.ts'

/** An EIP-712 domain of name "Tidemark" and version "1". */
export interface TypedDomain {
  chainId: bigint
  /** its `verifyingContract`, 20 bytes */
  contract: Hex
}

/**
 * What is signed under EIP-712, 32 bytes: `keccak256(0x19 || 0x01 || domainSeparator || hashStruct)`.
 *
 * @param type such as `Mail(address to,string text)`
 * @param words of 32 bytes each, as `encodeData` has them after the type's hash
 */
export function typedDigest(domain: TypedDomain, type: string, words: readonly Uint8Array[]): Uint8Array {
  const struct = keccak_256(concatBytes(hashText(type), ...words))
  return keccak_256(concatBytes(Uint8Array.of(0x19, 0x01), domainSeparator(domain), struct))
}

function domainSeparator({ chainId, contract }: TypedDomain): Uint8Array {
  const type = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'
  const words = [hashText('Tidemark'), hashText('1'), uintWord(chainId), addressWord(contract)]
  return keccak_256(concatBytes(hashText(type), ...words))
}

const hashes = new Map<string, Uint8Array>()

/** The hash of one of the few texts that every digest needs. */
function hashText(text: string): Uint8Array {
  const known = hashes.get(text)
  if (known !== undefined) return known
  const hash = keccak_256(utf8(text))
  hashes.set(text, hash)
  return hash
}

/** The word of a string: its hash. */
export const stringWord = (text: string): Uint8Array => keccak_256(utf8(text))

export const uintWord = (value: bigint): Uint8Array => fromHex(`0x${value.toString(16).padStart(64, '0')}`)

export const addressWord = (address: Hex): Uint8Array => fromHex(`0x${address.slice(2).padStart(64, '0')}`)
