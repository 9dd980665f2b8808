import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  buildTree,
  encodeTiles,
  inclusionPath,
  rangePath,
  readInclusionPath,
  readRangePath,
  rootFromInclusion,
  tilesSize,
  treeRoot,
} from '../../src/merkle/index.ts'
import { runs } from '../bytes/runs.ts'
import { readerOf } from './items.ts'

/** Leaf hashes that look random and are the same at every run. */
function leafHashesOf(count: number): Uint8Array {
  const leaves = new Uint8Array(32 * count)
  const view = new DataView(leaves.buffer)
  for (let i = 0; i < count; i++) {
    leaves.set(
      createHash('sha256')
        .update(String(i % 999))
        .digest(),
      32 * i,
    )
    view.setUint32(32 * i, i)
  }
  return leaves
}

const placesIn = (size: number) => {
  const all = size <= 600 ? Array.from({ length: size }, (_, i) => i) : []
  const some = [
    0,
    1,
    254,
    255,
    256,
    257,
    511,
    512,
    32_767,
    32_768,
    65_280,
    65_535,
    65_536,
    size - 2,
    size - 1,
  ]
  return new Set([...all, ...some.filter((place) => place >= 0 && place < size)])
}

describe.each([1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537])(
  'a tree of %d leaves',
  (size) => {
    const leaves = leafHashesOf(size)
    const file = encodeTiles(leaves)
    const tree = buildTree(leaves)

    test('gives out of its file the paths that the whole tree gives', async () => {
      for (const place of placesIn(size)) {
        const path = await readInclusionPath(readerOf(file), size, place)
        expect(path).toEqual(inclusionPath(tree, place))
        const leafHash = leaves.slice(32 * place, 32 * place + 32)
        expect(rootFromInclusion({ leafHash, index: place, size, path })).toEqual(treeRoot(tree))
      }
    })

    test('is stored with its leaves first and every eighth level behind', () => {
      expect(file).toHaveLength(tilesSize(size))
      expect(Buffer.compare(file.slice(0, 32 * size), leaves)).toBe(0)
      const widths = [Math.ceil(size / 256), Math.ceil(size / 65_536)].filter(
        (width, i) => size > 256 ** (i + 1) && width > 0,
      )
      let offset = 32 * size
      widths.forEach((width, i) => {
        expect(file.slice(offset, offset + 32 * width)).toEqual(tree.levels[8 * (i + 1)])
        offset += 32 * width
      })
      expect(offset).toBe(file.length)
    })

    test('is asked for no place that it does not have', async () => {
      for (const place of [-1, size, 0.5, Number.NaN]) {
        await expect(readInclusionPath(readerOf(file), size, place)).rejects.toThrow(
          expect.objectContaining({ name: 'InputError', code: 'BAD_ARGUMENT' }),
        )
      }
    })
  },
)

test('any size and place: the path out of the file leads to the root', async () => {
  const leaves = leafHashesOf(2000)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2000 }), fc.nat(), async (size, place) => {
      const index = place % size
      const some = leaves.slice(0, 32 * size)
      const path = await readInclusionPath(readerOf(encodeTiles(some)), size, index)
      const leafHash = leaves.slice(32 * index, 32 * index + 32)
      expect(rootFromInclusion({ leafHash, index, size, path })).toEqual(treeRoot(some))
    }),
    runs(60),
  )
})

test('a path costs two short reads for up to 65,536 leaves', async () => {
  const file = encodeTiles(leafHashesOf(65_536))
  const reads: number[] = []
  await readInclusionPath(
    async (offset, length) => {
      reads.push(length)
      return file.slice(offset, offset + length)
    },
    65_536,
    40_000,
  )
  expect(reads).toEqual([8192, 8192])
  expect(file.length / 65_536).toBeLessThan(32.2)
})

describe('a range out of a stored tree', () => {
  test.each([1, 2, 255, 256, 257, 513, 1_000, 65_536, 65_793, 70_001])(
    'of %d leaves has the path that the whole tree gives',
    async (size) => {
      const leaves = leafHashesOf(size)
      const read = readerOf(encodeTiles(leaves))
      const tree = buildTree(leaves)
      const places = [...placesIn(size), size].sort((a, b) => a - b)
      const some = places.filter((_, i) => i % Math.ceil(places.length / 20) === 0 || i === places.length - 1)
      for (const from of some) {
        for (const to of some.filter((place) => place >= from)) {
          expect(await readRangePath(read, size, from, to)).toEqual(rangePath(tree, from, to))
        }
      }
    },
  )

  test('reads little: 256 hashes at most for each element', async () => {
    const size = 65_536
    const file = encodeTiles(leafHashesOf(size))
    const reads: number[] = []
    const path = await readRangePath(
      (offset, length) => {
        reads.push(length / 32)
        return readerOf(file)(offset, length)
      },
      size,
      1_001,
      40_000,
    )
    expect(reads).toHaveLength(path.length)
    expect(Math.max(...reads)).toBeLessThanOrEqual(256)
  })

  test.each([
    [5, 4],
    [0, 11],
    [-1, 4],
    [0.5, 4],
  ])('refuses %d to %d of 10', async (from, to) => {
    await expect(readRangePath(readerOf(encodeTiles(leafHashesOf(10))), 10, from, to)).rejects.toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    )
  })
})
