import { HASH_SIZE, hashNode } from './hash.ts'
import type { Tree } from './tree.ts'

/**
 * Where proofs find their hashes: the root over leaves `from` up to `to`, for `from < to` and `from` a multiple of
 * the smallest power of two that holds `to - from`, as every subtree of RFC 9162, section 2.1.1, is.
 */
export type Subtrees = (from: number, to: number) => Uint8Array

/** The largest power of two below `size`, where a tree of more than one leaf divides (RFC 9162, section 2.1.1). */
export function splitOf(size: number): number {
  return 2 ** (Math.ceil(Math.log2(size)) - 1)
}

/** Finds subtrees in a tree's levels; what lies on the edge of a smaller tree is hashed from its perfect parts. */
export function treeSubtrees(tree: Tree): Subtrees {
  return (from, to) => {
    if (to === tree.size || isPowerOfTwo(to - from)) {
      const level = Math.ceil(Math.log2(to - from))
      return hashAt(tree.levels[level], from / 2 ** level)
    }
    return joinSubtrees(treeSubtrees(tree), from, to)
  }
}

/** Hashes a subtree that is stored nowhere from its two sides (RFC 9162, section 2.1.1). */
export function joinSubtrees(subtrees: Subtrees, from: number, to: number): Uint8Array {
  const middle = from + splitOf(to - from)
  return hashNode(subtrees(from, middle), subtrees(middle, to))
}

export function isPowerOfTwo(size: number): boolean {
  return Number.isInteger(Math.log2(size))
}

/** A copy of hash `index` of a level. */
export function hashAt(level: Uint8Array | undefined, index: number): Uint8Array {
  if (level === undefined || HASH_SIZE * index + HASH_SIZE > level.length) {
    throw new RangeError(`a level of ${(level?.length ?? 0) / HASH_SIZE} hashes has no hash ${index}`)
  }
  return level.slice(HASH_SIZE * index, HASH_SIZE * index + HASH_SIZE)
}
