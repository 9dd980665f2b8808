import { hashLeaves } from '../../src/merkle/index.ts'

/** Hashes of so many leaves, all different. */
export function someLeafHashes(count: number): Uint8Array[] {
  const flat = hashLeaves(Array.from({ length: count }, (_, i) => new TextEncoder().encode(`leaf ${i}`)))
  return Array.from({ length: count }, (_, i) => flat.slice(32 * i, 32 * i + 32))
}

/** The bytes with one bit turned over. */
export function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice()
  flipped[(bit >> 3) % bytes.length] = (bytes[(bit >> 3) % bytes.length] ?? 0) ^ (1 << (bit & 7))
  return flipped
}

export function flipIn(path: readonly Uint8Array[], at: number, bit: number): Uint8Array[] {
  return path.map((hash, i) => (i === at ? flip(hash, bit) : hash))
}
