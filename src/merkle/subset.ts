import { InputError, VerificationError } from '../errors.ts'
import { HASH_SIZE, hashNode } from './hash.ts'
import { flatten, type LeafHashes } from './leaf-hashes.ts'
import { type Subtrees, splitOf, treeSubtrees } from './subtrees.ts'
import { buildTree, isTree, type Tree } from './tree.ts'
import { checkHashes, malformedPath, matchRoot } from './verify.ts'

/** Where leaves stand in a tree, ascending. */
export type Positions = Uint32Array | readonly number[]

/** Some leaves of a tree and the path that completes them to a root. */
export interface Subset {
  /** in the order of their positions */
  leafHashes: LeafHashes
  positions: Positions
  /** number of leaves of the tree */
  size: number
  /** roots of the largest subtrees without a leaf of the subset, from left to right */
  path: readonly Uint8Array[]
  root: Uint8Array
}

/**
 * The path that proves the leaves at some positions of the whole tree at once: the roots of the largest subtrees that
 * hold none of them, from left to right. Of neighbours it is the range path, of one leaf its inclusion path reordered.
 *
 * @throws {InputError} `BAD_ARGUMENT` unless the positions ascend and lie in the tree
 */
export function subsetPath(leafHashes: LeafHashes | Tree, positions: Positions): Uint8Array[] {
  const tree = isTree(leafHashes) ? leafHashes : buildTree(flatten(leafHashes))
  const path: Uint8Array[] = []
  const subtrees = treeSubtrees(tree)
  for (const [start, stop] of outsideSubset(positions, tree.size)) path.push(subtrees(start, stop))
  return path
}

/**
 * The subtrees that a subset path holds, from left to right.
 *
 * @throws {InputError} `BAD_ARGUMENT`
 */
export function outsideSubset(positions: Positions, size: number): Parameters<Subtrees>[] {
  if (!areOrdered(positions, size)) {
    throw new InputError('BAD_ARGUMENT', `the positions do not ascend, or leave a tree of ${size} leaves`)
  }
  const outside: Parameters<Subtrees>[] = []
  walkSubset(positions, size, {
    inside: () => undefined,
    outside: (start, stop) => void outside.push([start, stop]),
    join: () => undefined,
  })
  return outside
}

/**
 * Checks that each leaf has its position in the tree of a root that the caller trusts.
 *
 * The tree divides as in RFC 9162, section 2.1.1; `subsetPath` says what the path holds.
 *
 * @throws {VerificationError} `INDEX_OUT_OF_RANGE` unless the positions ascend, lie in the tree and are as many as the
 *   leaves; `MALFORMED_PATH`, `ROOT_MISMATCH`
 */
export function verifySubset({ leafHashes, positions, size, path, root }: Subset): void {
  const leaves = flatten(leafHashes)
  if (leaves.length !== HASH_SIZE * positions.length || !areOrdered(positions, size)) {
    throw new VerificationError('INDEX_OUT_OF_RANGE', `a tree of ${size} leaves has no leaves so placed`)
  }
  checkHashes(path)
  let used = 0
  const computed = walkSubset<Uint8Array>(positions, size, {
    inside: (i) => leaves.subarray(HASH_SIZE * i, HASH_SIZE * (i + 1)),
    outside: () => path[used++] ?? malformedPath('shorter'),
    join: hashNode,
  })
  if (used < path.length) malformedPath('longer')
  matchRoot(computed, root, 'the leaves and their path lead to another root')
}

/** What becomes of a leaf of the subset, of a largest subtree without one, and of two sides. */
interface Walk<T> {
  inside(i: number): T
  outside(start: number, stop: number): T
  join(left: T, right: T): T
}

function walkSubset<T>(positions: Positions, size: number, { inside, outside, join }: Walk<T>): T {
  /** The tree over `start` up to `stop`, which holds positions number `first` up to `end`. */
  const visit = (start: number, stop: number, first: number, end: number): T => {
    if (first === end) return outside(start, stop)
    if (stop - start === 1) return inside(first)
    const middle = start + splitOf(stop - start)
    const divide = lowerBound(positions, middle, first, end)
    const left = visit(start, middle, first, divide)
    return join(left, visit(middle, stop, divide, end))
  }
  return visit(0, size, 0, positions.length)
}

/** Number of the first position from `first` on that is not below `value`. */
function lowerBound(positions: Positions, value: number, first: number, end: number): number {
  let [low, high] = [first, end]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((positions[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}

function areOrdered(positions: Positions, size: number): boolean {
  let next = 0
  for (const position of positions) {
    if (!Number.isSafeInteger(position) || position < next || position >= size) return false
    next = position + 1
  }
  return size > 0 && Number.isSafeInteger(size)
}
