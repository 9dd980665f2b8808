import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  buildTree,
  consistencyPath,
  hashLeaf,
  inclusionPath,
  rangePath,
  treeRoot,
} from '../../src/merkle/index.ts'
import { someLeafHashes } from './leaves.ts'
import { REFERENCE, toHex } from './vectors.ts'

const reference = REFERENCE.leaves.map(hashLeaf)
const refused = expect.objectContaining({ name: 'InputError', code: 'BAD_ARGUMENT' })

test.each(REFERENCE.inclusion)('leaf $index of $size has its published path', ({ index, size, path }) => {
  expect(inclusionPath(reference.slice(0, size), index).map(toHex)).toEqual(path)
  expect(inclusionPath(buildTree(reference.slice(0, size)), BigInt(index)).map(toHex)).toEqual(path)
})

test.each(REFERENCE.consistency)(
  'sizes $size1 and $size2 have their published path',
  ({ size1, size2, path }) => {
    expect(consistencyPath(reference, size1, size2).map(toHex)).toEqual(path)
    expect(consistencyPath(reference.slice(0, size2), BigInt(size1)).map(toHex)).toEqual(path)
  },
)

describe('a consistency path', () => {
  test('of equal sizes, or from nothing, is empty', () => {
    for (let size = 0; size <= 8; size++) {
      expect(consistencyPath(reference, size, size)).toEqual([])
      expect(consistencyPath(reference, 0, size)).toEqual([])
    }
  })

  test('to an earlier size is that of the tree which ended there', () => {
    const leaves = someLeafHashes(70)
    const tree = buildTree(leaves)
    fc.assert(
      fc.property(fc.nat(70), fc.nat(70), (a, b) => {
        const [size1, size2] = [Math.min(a, b), Math.max(a, b)]
        expect(consistencyPath(tree, size1, size2)).toEqual(consistencyPath(leaves.slice(0, size2), size1))
      }),
    )
  })
})

describe('a range path', () => {
  test('of all leaves is empty, of none is the root', () => {
    expect(rangePath(reference, 0, 8)).toEqual([])
    expect(rangePath(reference, 3, 3)).toEqual([treeRoot(reference)])
    expect(rangePath([], 0, 0)).toEqual([])
  })

  test('of one leaf holds the hashes of its inclusion path, from left to right', () => {
    const tree = buildTree(someLeafHashes(23))
    for (let index = 0; index < 23; index++) {
      const range = rangePath(tree, index, index + 1).map(toHex)
      expect(range.toSorted()).toEqual(inclusionPath(tree, index).map(toHex).toSorted())
    }
    expect(rangePath(reference, 2, 3)).toEqual([
      treeRoot(reference.slice(0, 2)),
      reference[3],
      treeRoot(reference.slice(4)),
    ])
  })
})

test('what is not in the tree has no path', () => {
  expect(() => inclusionPath(reference, 8)).toThrow(refused)
  expect(() => inclusionPath(reference, -1)).toThrow(refused)
  expect(() => inclusionPath(reference, 0.5)).toThrow(refused)
  expect(() => inclusionPath([], 0)).toThrow(refused)
  expect(() => consistencyPath(reference, 2n, 9n)).toThrow(refused)
  expect(() => consistencyPath(reference, 3, 2)).toThrow(refused)
  expect(() => rangePath(reference, 3, 2)).toThrow(refused)
  expect(() => rangePath(reference, 0, 2n ** 64n)).toThrow(refused)
})

test('a path is the caller’s own, not a view of the tree', () => {
  const tree = buildTree(new Uint8Array(Buffer.concat(reference)))
  const root = treeRoot(tree)
  for (const hash of [...inclusionPath(tree, 0), ...rangePath(tree, 2, 4), ...consistencyPath(tree, 6)])
    hash.fill(0)
  expect(treeRoot(tree)).toEqual(root)
  expect(toHex(treeRoot(buildTree(tree.levels[0] ?? [])))).toBe(REFERENCE.roots[7])
})
