import { describe, expect, test } from 'vitest'
import { consistencyPath, hashLeaf, olderRoot, rootFromPeaks, treeRoot } from '../../src/merkle/index.ts'

const LEAVES = Array.from({ length: 33 }, (_, i) => hashLeaf(Uint8Array.of(i)))
const rootOf = (size: number) => treeRoot(LEAVES.slice(0, size))
const lastPeakOf = (size: number) => rangeRoot(size - (size & -size), size)
const rangeRoot = (from: number, to: number) => treeRoot(LEAVES.slice(from, to))
const flip = (hash: Uint8Array) => hash.map((byte, i) => (i === 7 ? byte ^ 16 : byte))

const pairs = LEAVES.flatMap((_, last) =>
  Array.from({ length: last }, (_, i) => ({ size1: i + 1, size2: last + 1 })),
)

describe('the root of a smaller log', () => {
  const goodOf = ({ size1, size2 }: { size1: number; size2: number }) => ({
    size1,
    size2,
    root2: rootOf(size2),
    path: consistencyPath(LEAVES.slice(0, size2), size1),
    lastPeak: lastPeakOf(size1),
  })

  test('follows from the root of a larger one, the path between them and the last peak', () => {
    for (const pair of pairs) expect(olderRoot(goodOf(pair))).toEqual(rootOf(pair.size1))
  })

  test('does not follow with anything changed that it needs', () => {
    for (const pair of pairs) {
      const good = goodOf(pair)
      const isWhole = (pair.size1 & (pair.size1 - 1)) === 0
      const changes = [
        { root2: flip(good.root2) },
        { root2: good.root2.slice(1) },
        ...good.path.map((hash, i) => ({ path: good.path.with(i, flip(hash)) })),
        { path: good.path.slice(0, -1) },
        { path: [...good.path, good.root2] },
        { path: good.path.with(0, good.root2.slice(1)) },
        ...(isWhole ? [{ lastPeak: flip(good.lastPeak) }] : []),
        { size1: 0 },
        { size1: pair.size2 + 1 },
      ]
      for (const change of changes) {
        expect(() => olderRoot({ ...good, ...change })).toThrow(
          expect.objectContaining({ name: 'VerificationError' }),
        )
      }
    }
  })

  test('is what the peaks of the smaller one join to', () => {
    expect(rootFromPeaks([rootOf(8), rangeRoot(8, 12), lastPeakOf(13)])).toEqual(
      olderRoot(goodOf({ size1: 13, size2: 30 })),
    )
  })
})
