import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  buildTree,
  consistencyPath,
  GrowingLog,
  inclusionPath,
  peakHeights,
  rangePath,
  rootFromPeaks,
  subsetPath,
  treeRoot,
  verifyConsistency,
} from '../../src/merkle/index.ts'
import { someLeafHashes } from './leaves.ts'

const LEAVES = someLeafHashes(70)

function logOf(leaves: readonly Uint8Array[]): GrowingLog {
  const log = new GrowingLog()
  for (const leaf of leaves) log.append(leaf)
  return log
}

/** Everything the log says of each size is what a tree of that size says. */
function expectAgreement(log: GrowingLog, leaves: readonly Uint8Array[]): void {
  expect(log.size).toBe(leaves.length)
  for (let size = 0; size <= leaves.length; size++) {
    const tree = buildTree(leaves.slice(0, size))
    expect(log.root(size)).toEqual(treeRoot(tree))
    expect(log.peaks(BigInt(size))).toHaveLength(peakHeights(size).length)
    expect(rootFromPeaks(log.peaks(size))).toEqual(treeRoot(tree))
    for (let index = 0; index < size; index++) {
      expect(log.inclusionPath(index, size)).toEqual(inclusionPath(tree, index))
      expect(log.consistencyPath(index, BigInt(size))).toEqual(consistencyPath(tree, index))
      expect(log.rangePath(index >> 1, index, size)).toEqual(rangePath(tree, index >> 1, index))
      const some = [...new Set([index >> 2, index >> 1, index])]
      expect(log.subsetPath(some, size)).toEqual(subsetPath(tree, some))
    }
  }
  expect(log.root()).toEqual(log.root(leaves.length))
}

test('a log agrees with the tree of every size it had', () => {
  expectAgreement(new GrowingLog(), [])
  expectAgreement(logOf(LEAVES), LEAVES)
})

test('after a reorg, the log is that of the leaves that took the place of others', () => {
  const place = fc.nat(40)
  fc.assert(
    fc.property(place, place, place, (before, kept, after) => {
      const log = logOf(LEAVES.slice(0, before))
      const size = Math.min(kept, before)
      log.truncate(BigInt(size))
      expect(log.size).toBe(size)
      const others = LEAVES.slice(LEAVES.length - after)
      for (const leaf of others) log.append(leaf)
      const leaves = [...LEAVES.slice(0, size), ...others]
      expect(log.root()).toEqual(treeRoot(leaves))
      for (let old = 1; old <= leaves.length; old++) {
        expect(log.root(old)).toEqual(treeRoot(leaves.slice(0, old)))
        const roots = { root1: log.root(old), root2: log.root() }
        verifyConsistency({ size1: old, size2: log.size, ...roots, path: log.consistencyPath(old) })
      }
    }),
  )
})

test('a log truncated to nothing begins anew', () => {
  const log = logOf(LEAVES)
  log.truncate(0)
  expectAgreement(log, [])
  for (const leaf of LEAVES.slice(3, 20)) log.append(leaf)
  expectAgreement(log, LEAVES.slice(3, 20))
})

test('a log keeps its own copy of a leaf hash and gives out copies', () => {
  const leaf = LEAVES[0]?.slice() ?? new Uint8Array(32)
  const log = logOf([leaf, ...LEAVES.slice(1, 4)])
  leaf.fill(0)
  for (const hash of [...log.peaks(), ...log.inclusionPath(0), log.root()]) hash.fill(0)
  expectAgreement(log, LEAVES.slice(0, 4))
})

test('what the log does not reach is refused', () => {
  const refused = expect.objectContaining({ name: 'InputError', code: 'BAD_ARGUMENT' })
  const log = logOf(LEAVES.slice(0, 5))
  expect(() => log.append(new Uint8Array(31))).toThrow(refused)
  expect(() => log.truncate(6)).toThrow(refused)
  expect(() => log.root(6n)).toThrow(refused)
  expect(() => log.peaks(-1)).toThrow(refused)
  expect(() => log.inclusionPath(5)).toThrow(refused)
  expect(() => log.inclusionPath(3, 3)).toThrow(refused)
  expect(() => log.consistencyPath(4, 3)).toThrow(refused)
  expect(() => log.rangePath(0, 4, 3)).toThrow(refused)
  expect(log.size).toBe(5)
})
