import { VerificationError } from '../errors.ts'
import { HASH_SIZE, hashNode } from './hash.ts'
import { type Position, toBigInt } from './position.ts'
import { checkHashes, checkPath, malformedPath, matchRoot, readSize, sidesOf } from './verify.ts'

/** Two sizes of one log, their roots, and the path that joins them. */
export interface Consistency {
  size1: Position
  size2: Position
  root1: Uint8Array
  root2: Uint8Array
  path: readonly Uint8Array[]
}

/**
 * Checks that the tree of `root1` is the beginning of the tree of `root2`: nothing was changed or removed.
 *
 * RFC 9162, section 2.1.4.2. Equal sizes need equal roots and no path. A path from the empty tree proves nothing and is
 * refused, as RFC 9162 defines none: whoever starts from size 0 has nothing to compare.
 *
 * @throws {VerificationError} `INDEX_OUT_OF_RANGE` unless `0 < size1 <= size2`, `MALFORMED_PATH` if the path cannot fit,
 * `ROOT_MISMATCH` if it leads to another root
 */
export function verifyConsistency({ size1, size2, root1, root2, path }: Consistency): void {
  const first = toBigInt(size1, 'size1')
  const second = readSize(size2)
  if (first === second && first >= 0n) {
    if (path.length > 0) malformedPath('longer')
    matchRoot(root1, root2, 'two trees of one size have different roots')
    return
  }
  if (first <= 0n || first > second) {
    throw new VerificationError(
      'INDEX_OUT_OF_RANGE',
      `a tree of ${size2} leaves cannot be shown to extend one of ${size1}`,
    )
  }
  // Both trees share the smallest peak of the first, where the path begins; it is that tree itself, or comes first.
  const height = heightOfLastPeak(first)
  const sides = sidesOf(first - 1n, second).slice(height)
  const isWhole = first === 1n << BigInt(height)
  checkPath(path, sides.length + (isWhole ? 0 : 1))
  const start = isWhole ? root1 : path[0]
  if (start?.length !== HASH_SIZE)
    throw new VerificationError('ROOT_MISMATCH', 'the first root is not 32 bytes')
  let joined1 = start
  let joined2 = start
  for (const [i, sibling] of (isWhole ? path : path.slice(1)).entries()) {
    const isLeft = sides[i] === 'left'
    joined2 = isLeft ? hashNode(sibling, joined2) : hashNode(joined2, sibling)
    if (isLeft) joined1 = hashNode(sibling, joined1)
  }
  matchRoot(joined1, root1, 'the path leads to another first root')
  matchRoot(joined2, root2, 'the path leads to another second root')
}

/**
 * The root that a log had when it was smaller, out of its root of now and a consistency path.
 *
 * The path of RFC 9162 tells that root but where `size1` is a power of two: then it is `lastPeak`, which is checked.
 *
 * @param lastPeak root of the smallest perfect subtree of the first tree
 * @throws {VerificationError} as `verifyConsistency`
 */
export function olderRoot({
  lastPeak,
  ...consistency
}: Omit<Consistency, 'root1'> & { lastPeak: Uint8Array }): Uint8Array {
  const { size2, path } = consistency
  checkHashes([lastPeak, ...path])
  const size1 = toBigInt(consistency.size1, 'size1')
  const height = heightOfLastPeak(size1)
  const [peak = lastPeak, ...siblings] = size1 === 1n << BigInt(height) ? [lastPeak] : path
  const sides = sidesOf(size1 - 1n, readSize(size2)).slice(height)
  const root1 = siblings.reduce(
    (root, sibling, i) => (sides[i] === 'left' ? hashNode(sibling, root) : root),
    peak,
  )
  verifyConsistency({ ...consistency, root1 })
  return root1
}

/** Height of the smallest perfect subtree of a tree: the zeros at the end of its size. */
function heightOfLastPeak(size: bigint): number {
  const bits = size.toString(2)
  return bits.length - 1 - bits.lastIndexOf('1')
}
