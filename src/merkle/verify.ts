import { equalBytes } from '../bytes/bytes.ts'
import { VerificationError } from '../errors.ts'
import { EMPTY_ROOT, HASH_SIZE, hashNode } from './hash.ts'
import { flatten, type LeafHashes } from './leaf-hashes.ts'
import { type Position, toBigInt } from './position.ts'
import { treeRoot } from './tree.ts'

/** A leaf and the path that leads from it to a root. */
export interface Inclusion {
  /** 32 bytes, `SHA-256(0x00 || leaf)` */
  leafHash: Uint8Array
  /** zero-based, below `size` */
  index: Position
  /** number of leaves of the tree */
  size: Position
  path: readonly Uint8Array[]
}

/**
 * Recomputes the root of a tree of `size` leaves from one leaf and its path.
 *
 * RFC 9162, section 2.1.3.2. Trusts none of its inputs: compare the result with a root you trust.
 *
 * @throws {VerificationError} `INDEX_OUT_OF_RANGE` if `index` is not below `size`, `MALFORMED_PATH` if the path cannot fit
 */
export function rootFromInclusion({ leafHash, index, size, path }: Inclusion): Uint8Array {
  const leaf = toBigInt(index, 'index')
  const leaves = readSize(size)
  if (leaf < 0n || leaf >= leaves) {
    throw new VerificationError('INDEX_OUT_OF_RANGE', `a tree of ${size} leaves has no leaf ${index}`)
  }
  checkHashes([leafHash])
  const sides = sidesOf(leaf, leaves)
  checkPath(path, sides.length)
  return path.reduce(
    (node, sibling, i) => (sides[i] === 'left' ? hashNode(sibling, node) : hashNode(node, sibling)),
    leafHash,
  )
}

/**
 * Checks that a leaf has its place in the tree of a root that the caller trusts.
 *
 * RFC 9162, section 2.1.3.2.
 *
 * @throws {VerificationError} `INDEX_OUT_OF_RANGE`, `MALFORMED_PATH`, or `ROOT_MISMATCH` if the path leads elsewhere
 */
export function verifyInclusion(proof: Inclusion & { root: Uint8Array }): void {
  matchRoot(rootFromInclusion(proof), proof.root, 'the path from the leaf leads to another root')
}

/** Consecutive leaves and the path that completes them to a root. */
export interface Range {
  leafHashes: LeafHashes
  /** position of the first leaf hash */
  from: Position
  /** number of leaves of the tree */
  size: Position
  /** roots of the largest subtrees outside the range, from left to right */
  path: readonly Uint8Array[]
  root: Uint8Array
}

/**
 * Checks that the leaves are exactly those that the tree has from `from` on: none changed, none left out between.
 *
 * The tree divides as in RFC 9162, section 2.1.1; `rangePath` says what the path holds.
 *
 * @throws {VerificationError} `INDEX_OUT_OF_RANGE` if the range leaves the tree, `MALFORMED_PATH`, `ROOT_MISMATCH`
 * @throws {InputError} `BAD_ARGUMENT` if a leaf hash is not 32 bytes
 */
export function verifyRange({ leafHashes, from, size, path, root }: Range): void {
  const leaves = flatten(leafHashes)
  const first = toBigInt(from, 'from')
  const end = first + BigInt(leaves.length / HASH_SIZE)
  const total = readSize(size)
  if (first < 0n || end > total) {
    throw new VerificationError(
      'INDEX_OUT_OF_RANGE',
      `a tree of ${size} leaves does not hold ${first} up to ${end}`,
    )
  }
  checkHashes(path)
  let used = 0
  const visit = (start: bigint, stop: bigint): Uint8Array => {
    if (first <= start && stop <= end) {
      return treeRoot(leaves.subarray(HASH_SIZE * Number(start - first), HASH_SIZE * Number(stop - first)))
    }
    if (first === end || stop <= first || end <= start) {
      return path[used++] ?? malformedPath('shorter')
    }
    const middle = start + (1n << BigInt((stop - start - 1n).toString(2).length - 1))
    const left = visit(start, middle)
    return hashNode(left, visit(middle, stop))
  }
  const computed = total === 0n ? EMPTY_ROOT : visit(0n, total)
  if (used < path.length) malformedPath('longer')
  matchRoot(computed, root, 'the leaves and their path lead to another root')
}

/** Far beyond any tree; what a forger names beyond that must not keep us busy. */
const MOST_LEAVES = 2n ** 256n

export function readSize(value: Position): bigint {
  const size = toBigInt(value, 'size')
  if (size <= MOST_LEAVES) return size
  throw new VerificationError('INDEX_OUT_OF_RANGE', 'no tree has more than 2^256 leaves')
}

export function checkHashes(hashes: readonly Uint8Array[]): void {
  for (const hash of hashes) {
    if (hash.length !== HASH_SIZE) {
      throw new VerificationError(
        'MALFORMED_PATH',
        `a proof holds a hash of ${hash.length} bytes instead of 32`,
      )
    }
  }
}

export function checkPath(path: readonly Uint8Array[], length: number): void {
  if (path.length !== length) malformedPath(path.length > length ? 'longer' : 'shorter')
  checkHashes(path)
}

/**
 * On which side the neighbours of a leaf and of the nodes above it stand, from the leaf up. Up to where the way to the
 * last leaf joins, every node has one, on the right of even nodes; from there on only on the left of odd nodes.
 */
export function sidesOf(index: bigint, size: bigint): ('left' | 'right')[] {
  const bits = index.toString(2)
  const together = index === size - 1n ? 0 : (index ^ (size - 1n)).toString(2).length
  const sides: ('left' | 'right')[] = []
  for (let level = 0; level < Math.max(together, bits.length); level++) {
    if (bits[bits.length - 1 - level] === '1') sides.push('left')
    else if (level < together) sides.push('right')
  }
  return sides
}

export function malformedPath(fault: 'longer' | 'shorter'): never {
  throw new VerificationError('MALFORMED_PATH', `the path is ${fault} than the size of the tree demands`)
}

export function matchRoot(computed: Uint8Array, expected: Uint8Array, message: string): void {
  if (!equalBytes(computed, expected)) throw new VerificationError('ROOT_MISMATCH', message)
}
