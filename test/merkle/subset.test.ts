import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  buildTree,
  encodeTiles,
  inclusionPath,
  rangePath,
  readSubsetPath,
  subsetPath,
  treeRoot,
  verifySubset,
} from '../../src/merkle/index.ts'
import { runs } from '../bytes/runs.ts'
import { flip, flipIn, someLeafHashes } from './leaves.ts'

const leaves = someLeafHashes(600)

/** Positions in a tree of so many leaves, ascending; sometimes none. */
const subset = fc
  .integer({ min: 1, max: 600 })
  .chain((size) =>
    fc
      .uniqueArray(fc.nat(size - 1), { maxLength: 20 })
      .map((positions) => ({ size, positions: positions.sort((a, b) => a - b) })),
  )

function proven({ size, positions }: { size: number; positions: number[] }) {
  const tree = buildTree(leaves.slice(0, size))
  return {
    leafHashes: positions.map((position) => leaves[position] ?? new Uint8Array()),
    positions,
    size,
    path: subsetPath(tree, positions),
    root: treeRoot(tree),
  }
}

const refused = (code: string) => expect.objectContaining({ name: 'VerificationError', code })

describe('the path of some leaves', () => {
  test('leads to the root, whatever the leaves and the tree', () => {
    fc.assert(
      fc.property(subset, (given) => verifySubset(proven(given))),
      runs(200),
    )
  })

  test('of neighbours is their range path, of one leaf its inclusion path', () => {
    const tree = buildTree(leaves.slice(0, 37))
    expect(subsetPath(tree, [11, 12, 13, 14, 15, 16, 17])).toEqual(rangePath(tree, 11, 18))
    const hex = (path: Uint8Array[]) => path.map((hash) => Buffer.from(hash).toString('hex')).sort()
    for (let i = 0; i < 37; i++) expect(hex(subsetPath(tree, [i]))).toEqual(hex(inclusionPath(tree, i)))
  })

  test('is the same out of a stored tree', async () => {
    await fc.assert(
      fc.asyncProperty(subset, async ({ size, positions }) => {
        const file = encodeTiles(Buffer.concat(leaves.slice(0, size)))
        const read = async (offset: number, length: number) => file.slice(offset, offset + length)
        expect(await readSubsetPath(read, size, Uint32Array.from(positions))).toEqual(
          proven({ size, positions }).path,
        )
      }),
      runs(50),
    )
  })

  test.each([
    ['descend', [3, 2]],
    ['stand twice', [3, 3]],
    ['leave the tree', [3, 10]],
    ['are no integers', [0.5]],
  ])('is not made of positions that %s', (_, positions) => {
    expect(() => subsetPath(leaves.slice(0, 10), positions)).toThrow(
      expect.objectContaining({ name: 'InputError', code: 'BAD_ARGUMENT' }),
    )
  })
})

describe('some leaves are refused', () => {
  test('with a bit flipped, another position, or a hash more or less', () => {
    fc.assert(
      fc.property(subset, fc.nat(), fc.nat(), (given, at, bit) => {
        const good = proven(given)
        const { leafHashes, positions, path, size } = good
        fc.pre(positions.length > 0)
        const leaf = at % leafHashes.length
        const changed = leafHashes.map((hash, i) => (i === leaf ? flip(hash, bit) : hash))
        expect(() => verifySubset({ ...good, leafHashes: changed })).toThrow(refused('ROOT_MISMATCH'))
        expect(() => verifySubset({ ...good, path: [...path, leaves[0] ?? new Uint8Array()] })).toThrow(
          refused('MALFORMED_PATH'),
        )
        expect(() => verifySubset({ ...good, leafHashes: leafHashes.slice(1) })).toThrow(
          refused('INDEX_OUT_OF_RANGE'),
        )
        const moved = positions.with(leaf, (positions[leaf] ?? 0) + 1)
        expect(() => verifySubset({ ...good, positions: moved })).toThrow(
          expect.objectContaining({ name: 'VerificationError' }),
        )
        if (path.length === 0) return
        expect(() => verifySubset({ ...good, path: path.slice(1) })).toThrow(refused('MALFORMED_PATH'))
        expect(() => verifySubset({ ...good, path: flipIn(path, at % path.length, bit) })).toThrow(
          refused('ROOT_MISMATCH'),
        )
        expect(() => verifySubset({ ...good, size: size + 600 })).toThrow(
          expect.objectContaining({ name: 'VerificationError' }),
        )
      }),
      runs(200),
    )
  })

  test.each([[[5, 4]], [[4, 4]], [[4, 10]]])('at %j of 10', (positions) => {
    const good = proven({ size: 10, positions: [4, 5] })
    expect(() => verifySubset({ ...good, positions })).toThrow(refused('INDEX_OUT_OF_RANGE'))
  })
})
