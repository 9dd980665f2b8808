export { type Consistency, olderRoot, verifyConsistency } from './consistency.ts'
export { GrowingLog } from './growing-log.ts'
export { EMPTY_ROOT, HASH_SIZE, hashLeaf, hashLeaves, hashNode } from './hash.ts'
export type { LeafHashes } from './leaf-hashes.ts'
export { consistencyPath, inclusionPath, rangePath } from './path.ts'
export {
  buildTrie,
  EMPTY_TRIE_ROOT,
  listKey,
  listTrie,
  type PatriciaTrie,
  verifyTrie,
  withoutEmbedded,
} from './patricia.ts'
export { peakHeights, peakPath, rootFromPeaks } from './peaks.ts'
export type { Position } from './position.ts'
export { type Positions, type Subset, subsetPath, verifySubset } from './subset.ts'
export {
  encodeTiles,
  type ReadBytes,
  readInclusionPath,
  readRangePath,
  readSubsetPath,
  tilesSize,
} from './tiles.ts'
export { buildTree, type Tree, treeRoot } from './tree.ts'
export {
  type Inclusion,
  type Range,
  rootFromInclusion,
  verifyInclusion,
  verifyRange,
} from './verify.ts'
