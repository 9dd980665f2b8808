import { InputError, VerificationError } from '../errors.ts'
import { EMPTY_ROOT, hashNode } from './hash.ts'
import { type Position, toBigInt } from './position.ts'

/**
 * Heights of the perfect subtrees that a tree of `size` leaves is made of, largest first: the bits of `size`.
 *
 * @throws {InputError} `BAD_ARGUMENT` if the size is negative
 */
export function peakHeights(size: Position): number[] {
  const leaves = toBigInt(size, 'size')
  if (leaves < 0n) throw new InputError('BAD_ARGUMENT', `a tree cannot have ${size} leaves`)
  const bits = leaves.toString(2)
  return Array.from(bits, (bit, i) => (bit === '1' ? bits.length - 1 - i : -1)).filter(
    (height) => height >= 0,
  )
}

/**
 * Joins the roots of the perfect subtrees of a tree, largest first, into its root.
 *
 * RFC 9162, section 2.1.1: the smallest two join first.
 *
 * @throws {InputError} `BAD_ARGUMENT` if a peak is not 32 bytes
 */
export function rootFromPeaks(peaks: readonly Uint8Array[]): Uint8Array {
  return peaks.length === 0 ? EMPTY_ROOT.slice() : peaks.reduceRight((root, peak) => hashNode(peak, root))
}

/**
 * The beginning of an inclusion path: up to the peak that covers the leaf, which is all that someone who holds the
 * peaks has to check.
 *
 * @throws {VerificationError} `INDEX_OUT_OF_RANGE` if `index` is not below `size`, `MALFORMED_PATH` if the path is too short
 */
export function peakPath(path: readonly Uint8Array[], index: Position, size: Position): Uint8Array[] {
  const leaf = toBigInt(index, 'index')
  let covered = 0n
  for (const height of leaf < 0n ? [] : peakHeights(size)) {
    covered += 1n << BigInt(height)
    if (leaf >= covered) continue
    if (path.length < height) {
      throw new VerificationError(
        'MALFORMED_PATH',
        `the path ends below its peak, which has height ${height}`,
      )
    }
    return path.slice(0, height)
  }
  throw new VerificationError('INDEX_OUT_OF_RANGE', `a tree of ${size} leaves has no leaf ${index}`)
}
