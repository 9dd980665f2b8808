import { HASH_SIZE } from './hash.ts'
import { flatten, type LeafHashes } from './leaf-hashes.ts'
import { type Position, toIndex } from './position.ts'
import { type Subtrees, splitOf, treeSubtrees } from './subtrees.ts'
import { buildTree, isTree, type Tree } from './tree.ts'

/**
 * The path that proves leaf `index` in the whole tree, from the leaf's neighbour up to the root's child.
 *
 * RFC 9162, section 2.1.3.1. Leaf hashes are built into a tree first: for many paths build it once.
 *
 * @throws {InputError} `BAD_ARGUMENT` if there is no such leaf
 */
export function inclusionPath(leafHashes: LeafHashes | Tree, index: Position): Uint8Array[] {
  const tree = isTree(leafHashes) ? leafHashes : buildTree(flatten(leafHashes))
  const path: Uint8Array[] = []
  let place = toIndex(index, tree.size - 1, 'index')
  for (const level of tree.levels.slice(0, -1)) {
    const sibling = HASH_SIZE * (place % 2 === 0 ? place + 1 : place - 1)
    if (sibling < level.length) path.push(level.slice(sibling, sibling + HASH_SIZE))
    place = Math.floor(place / 2)
  }
  return path
}

/**
 * The path that proves the tree of the first `size1` leaves to be a beginning of the tree of the first `size2`.
 *
 * RFC 9162, section 2.1.4.1. Empty if the sizes are equal, or if `size1` is 0, where there is nothing to prove.
 *
 * @param size2 all leaves if left out
 * @throws {InputError} `BAD_ARGUMENT` unless `size1 <= size2 <=` the number of leaves
 */
export function consistencyPath(
  leafHashes: LeafHashes | Tree,
  size1: Position,
  size2?: Position,
): Uint8Array[] {
  const tree = isTree(leafHashes) ? leafHashes : buildTree(flatten(leafHashes))
  const second = toIndex(size2 ?? tree.size, tree.size, 'size2')
  return findConsistencyPath(treeSubtrees(tree), toIndex(size1, second, 'size1'), second)
}

/**
 * The path that proves leaves `from` up to `to` in the whole tree: the roots of the largest subtrees that hold none of
 * them, from left to right. An empty range leaves the root itself.
 *
 * @throws {InputError} `BAD_ARGUMENT` unless `from <= to <=` the number of leaves
 */
export function rangePath(leafHashes: LeafHashes | Tree, from: Position, to: Position): Uint8Array[] {
  const tree = isTree(leafHashes) ? leafHashes : buildTree(flatten(leafHashes))
  const end = toIndex(to, tree.size, 'to')
  return findRangePath(treeSubtrees(tree), toIndex(from, end, 'from'), end, tree.size)
}

/** PATH(m, D_n) of RFC 9162, section 2.1.3.1. */
export function findInclusionPath(subtrees: Subtrees, index: number, size: number): Uint8Array[] {
  const path: Uint8Array[] = []
  for (let from = 0, to = size; to - from > 1; ) {
    const middle = from + splitOf(to - from)
    if (index < middle) {
      path.push(subtrees(middle, to))
      to = middle
    } else {
      path.push(subtrees(from, middle))
      from = middle
    }
  }
  return path.reverse()
}

/** PROOF(m, D_n) and SUBPROOF(m, D_n, b) of RFC 9162, section 2.1.4.1; `whole` is b. */
export function findConsistencyPath(subtrees: Subtrees, size1: number, size2: number): Uint8Array[] {
  const path: Uint8Array[] = []
  if (size1 === 0) return path
  let from = 0
  let to = size2
  let whole = true
  while (to !== size1) {
    const middle = from + splitOf(to - from)
    if (size1 <= middle) {
      path.push(subtrees(middle, to))
      to = middle
    } else {
      path.push(subtrees(from, middle))
      from = middle
      whole = false
    }
  }
  if (!whole) path.push(subtrees(from, to))
  return path.reverse()
}

export function findRangePath(subtrees: Subtrees, from: number, to: number, size: number): Uint8Array[] {
  const path: Uint8Array[] = []
  const visit = (start: number, end: number): void => {
    if (from <= start && end <= to) return
    if (from === to || end <= from || to <= start) {
      path.push(subtrees(start, end))
      return
    }
    const middle = start + splitOf(end - start)
    visit(start, middle)
    visit(middle, end)
  }
  if (size > 0) visit(0, size)
  return path
}
