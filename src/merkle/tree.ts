import { engine } from '../bytes/sha256.ts'
import { EMPTY_ROOT, HASH_SIZE } from './hash.ts'
import { flatten, type LeafHashes } from './leaf-hashes.ts'

/**
 * A whole tree in memory: `levels[0]` holds the leaf hashes, the last level the root, each 32 bytes end to end.
 * A level of n hashes has ceil(n / 2) above it, an odd last hash being promoted as it is.
 */
export interface Tree {
  readonly size: number
  readonly levels: readonly Uint8Array[]
}

/**
 * Builds every level over the leaf hashes; level 0 is the caller's own bytes if they came end to end.
 *
 * RFC 9162, section 2.1.1.
 *
 * @throws {InputError} `BAD_ARGUMENT` if a leaf hash is not 32 bytes
 */
export function buildTree(leafHashes: LeafHashes): Tree {
  const leaves = flatten(leafHashes)
  const levels = [leaves]
  for (let level = leaves; level.length > HASH_SIZE; ) {
    const above = new Uint8Array(sizeAbove(level.length))
    fillAbove(level, above)
    levels.push(above)
    level = above
  }
  return { size: leaves.length / HASH_SIZE, levels }
}

/**
 * The root over the leaf hashes, without keeping the levels between.
 *
 * RFC 9162, section 2.1.1.
 *
 * @throws {InputError} `BAD_ARGUMENT` if a leaf hash is not 32 bytes
 */
export function treeRoot(leafHashes: LeafHashes | Tree): Uint8Array {
  if (isTree(leafHashes))
    return leafHashes.size === 0 ? EMPTY_ROOT.slice() : (leafHashes.levels.at(-1) ?? EMPTY_ROOT).slice()
  let level = flatten(leafHashes)
  if (level.length === 0) return EMPTY_ROOT.slice()
  const scratch = new Uint8Array(sizeAbove(level.length))
  while (level.length > HASH_SIZE) {
    const above = scratch.subarray(0, sizeAbove(level.length))
    fillAbove(level, above)
    level = above
  }
  return level.slice()
}

export function isTree(value: LeafHashes | Tree): value is Tree {
  return 'levels' in value
}

function sizeAbove(levelBytes: number): number {
  return HASH_SIZE * Math.ceil(levelBytes / (2 * HASH_SIZE))
}

/** Hashes a level into the one above, which may share its start. */
function fillAbove(level: Uint8Array, above: Uint8Array): void {
  const paired = level.length - (level.length % (2 * HASH_SIZE))
  engine.hashNodes(level.subarray(0, paired), above.subarray(0, paired / 2))
  above.set(level.subarray(paired), paired / 2)
}
