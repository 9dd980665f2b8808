import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  EMPTY_ROOT,
  inclusionPath,
  peakHeights,
  peakPath,
  rootFromPeaks,
  treeRoot,
  verifyInclusion,
} from '../../src/merkle/index.ts'
import { someLeafHashes } from './leaves.ts'

const LEAVES = someLeafHashes(70)

/** Where each peak begins and ends. */
function spans(size: number): [from: number, to: number][] {
  let from = 0
  return peakHeights(BigInt(size)).map((height) => {
    from += 2 ** height
    return [from - 2 ** height, from]
  })
}

test('the heights of the peaks are the bits of the size, largest first', () => {
  expect(peakHeights(0n)).toEqual([])
  expect(peakHeights(1n)).toEqual([0])
  expect(peakHeights(13n)).toEqual([3, 2, 0])
  expect(peakHeights(2n ** 64n + 2n)).toEqual([64, 1])
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 70n), (size) => {
      expect(peakHeights(size).reduce((sum, height) => sum + 2n ** BigInt(height), 0n)).toBe(size)
    }),
  )
})

test('a size below zero has no peaks to name', () => {
  expect(() => peakHeights(-5)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
})

test('the peaks join into the root of every size', () => {
  expect(rootFromPeaks([])).toEqual(EMPTY_ROOT)
  for (let size = 1; size <= LEAVES.length; size++) {
    const peaks = spans(size).map(([from, to]) => treeRoot(LEAVES.slice(from, to)))
    expect(rootFromPeaks(peaks)).toEqual(treeRoot(LEAVES.slice(0, size)))
  }
})

test('the beginning of a path leads from any leaf to its peak', () => {
  for (const size of [1, 2, 3, 7, 8, 21, 64, 70]) {
    for (const [from, to] of spans(size)) {
      const root = treeRoot(LEAVES.slice(from, to))
      for (let index = from; index < to; index++) {
        const path = peakPath(inclusionPath(LEAVES.slice(0, size), index), index, size)
        const leafHash = LEAVES[index] ?? EMPTY_ROOT
        verifyInclusion({ leafHash, index: index - from, size: to - from, path, root })
      }
    }
  }
})

test('a leaf outside has no peak, and a path that ends below it is malformed', () => {
  const outside = expect.objectContaining({ code: 'INDEX_OUT_OF_RANGE' })
  expect(() => peakPath([], 5, 5)).toThrow(outside)
  expect(() => peakPath([], 0, 0)).toThrow(outside)
  expect(() => peakPath([], -1n, 5n)).toThrow(outside)
  expect(() => peakPath([EMPTY_ROOT], 0, 4)).toThrow(expect.objectContaining({ code: 'MALFORMED_PATH' }))
})
