import { createHash } from 'node:crypto'
import { MerkleTree } from 'merkletreejs'
import { describe, expect, test } from 'vitest'
import { buildTree, EMPTY_ROOT, hashLeaf, inclusionPath, treeRoot } from '../../src/merkle/index.ts'
import { someLeafHashes } from './leaves.ts'
import { REFERENCE, toHex } from './vectors.ts'

/** merkletreejs joins two sides and hashes the result: with a prefix, that is a node of RFC 9162. */
const oracle = (leafHashes: Uint8Array[]) =>
  new MerkleTree(
    leafHashes.map((hash) => Buffer.from(hash)),
    (joined: Buffer) => createHash('sha256').update(Uint8Array.of(1)).update(joined).digest(),
  )

test('the reference tree has its published roots', () => {
  for (const [i, root] of REFERENCE.roots.entries()) {
    const leaves = REFERENCE.leaves.slice(0, i + 1).map(hashLeaf)
    expect(toHex(treeRoot(leaves))).toBe(root)
    expect(toHex(treeRoot(buildTree(leaves)))).toBe(root)
  }
})

test('the empty tree has the root of nothing', () => {
  expect(treeRoot([])).toEqual(EMPTY_ROOT)
  expect(treeRoot(new Uint8Array(0))).toEqual(EMPTY_ROOT)
  expect(treeRoot(buildTree([]))).toEqual(EMPTY_ROOT)
})

test.each([...Array(70).keys(), 127, 128, 129, 1000, 4095, 4097, 10_007].slice(1))(
  'a tree of %i leaves equals that of merkletreejs, level by level and path by path',
  (size) => {
    const leaves = someLeafHashes(size)
    const tree = buildTree(leaves)
    const theirs = oracle(leaves)
    expect(tree.levels.map(toHex)).toEqual(theirs.getLayers().map((layer) => toHex(Buffer.concat(layer))))
    expect(toHex(treeRoot(leaves))).toBe(theirs.getRoot().toString('hex'))
    const step = Math.max(1, Math.floor(size / 50))
    for (let index = 0; index < size; index += step) {
      const path = theirs
        .getProof(Buffer.from(leaves[index] ?? []), index)
        .map(({ data }) => data.toString('hex'))
      expect(inclusionPath(tree, index).map(toHex)).toEqual(path)
    }
  },
)

describe('leaf hashes', () => {
  const leaves = someLeafHashes(9)
  const flat = new Uint8Array(Buffer.concat(leaves))

  test('may come end to end or one by one, and stay as they are', () => {
    expect(treeRoot(flat)).toEqual(treeRoot(leaves))
    expect(treeRoot(Buffer.from(flat))).toEqual(treeRoot(leaves))
    expect(buildTree(flat)).toEqual(buildTree(leaves))
    expect(toHex(flat)).toBe(leaves.map(toHex).join(''))
  })

  test('of another length are refused', () => {
    const refused = expect.objectContaining({ name: 'InputError', code: 'BAD_ARGUMENT' })
    expect(() => treeRoot(flat.subarray(1))).toThrow(refused)
    expect(() => buildTree([...leaves, new Uint8Array(31)])).toThrow(refused)
    expect(() => treeRoot([new Uint8Array(64)])).toThrow(refused)
  })
})
