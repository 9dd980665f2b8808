import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  buildTree,
  consistencyPath,
  EMPTY_ROOT,
  hashLeaf,
  hashNode,
  type Inclusion,
  inclusionPath,
  rangePath,
  rootFromInclusion,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
  verifyRange,
} from '../../src/merkle/index.ts'
import { flip, flipIn, someLeafHashes } from './leaves.ts'
import { absent, consistencyVectors, fromBase64, fromHex, inclusionVectors, REFERENCE } from './vectors.ts'

const LEAVES = someLeafHashes(70)
const ROOTS = LEAVES.map((_, i) => treeRoot(LEAVES.slice(0, i + 1)))
const rootOf = (size: number): Uint8Array => ROOTS[size - 1] ?? EMPTY_ROOT
const leafAt = (index: number): Uint8Array => LEAVES[index] ?? EMPTY_ROOT
const fails = (code?: string) =>
  expect.objectContaining(code ? { name: 'VerificationError', code } : { name: 'VerificationError' })

const size = fc.integer({ min: 1, max: LEAVES.length })
const place = fc.nat(1 << 20)
const bit = fc.nat(255)

describe('published vectors of transparency-dev/merkle', () => {
  if (absent) {
    test.skip(absent, () => {})
    return
  }
  test.each(inclusionVectors())('inclusion $name', (vector) => {
    const verify = () =>
      verifyInclusion({
        leafHash: fromBase64(vector.leafHash),
        index: vector.leafIdx,
        size: vector.treeSize,
        path: (vector.proof ?? []).map(fromBase64),
        root: fromBase64(vector.root),
      })
    if (vector.wantErr) expect(verify).toThrow(fails())
    else verify()
  })

  test.each(consistencyVectors())('consistency $name', (vector) => {
    const verify = () =>
      verifyConsistency({
        size1: vector.size1,
        size2: vector.size2,
        root1: fromBase64(vector.root1),
        root2: fromBase64(vector.root2),
        path: (vector.proof ?? []).map(fromBase64),
      })
    if (vector.wantErr) expect(verify).toThrow(fails())
    else verify()
  })
})

describe('the reference tree', () => {
  const reference = REFERENCE.leaves.map(hashLeaf)
  const root = (n: number): Uint8Array => fromHex(REFERENCE.roots[n - 1] ?? '')

  test.each(REFERENCE.inclusion)('proves leaf $index of $size', ({ index, size, path }) => {
    const leafHash = reference[index] ?? EMPTY_ROOT
    verifyInclusion({ leafHash, index, size, path: path.map(fromHex), root: root(size) })
  })

  test.each(REFERENCE.consistency)('proves that size $size2 extends $size1', ({ size1, size2, path }) => {
    verifyConsistency({ size1, size2, path: path.map(fromHex), root1: root(size1), root2: root(size2) })
  })
})

describe('inclusion', () => {
  test('is proved for every leaf of every size', () => {
    for (let n = 1; n <= LEAVES.length; n++) {
      const tree = buildTree(LEAVES.slice(0, n))
      for (let index = 0; index < n; index++) {
        verifyInclusion({
          leafHash: leafAt(index),
          index,
          size: n,
          path: inclusionPath(tree, index),
          root: rootOf(n),
        })
      }
    }
  })

  const proof = fc
    .tuple(size, place)
    .map(([n, i]): Inclusion & { index: number; size: number; root: Uint8Array } => ({
      leafHash: leafAt(i % n),
      index: i % n,
      size: n,
      path: inclusionPath(LEAVES.slice(0, n), i % n),
      root: rootOf(n),
    }))

  test('fails for any bit of leaf, path or root turned over', () => {
    fc.assert(
      fc.property(proof, place, bit, (good, at, b) => {
        expect(() => verifyInclusion({ ...good, leafHash: flip(good.leafHash, b) })).toThrow(
          fails('ROOT_MISMATCH'),
        )
        expect(() => verifyInclusion({ ...good, root: flip(good.root, b) })).toThrow(fails('ROOT_MISMATCH'))
        if (good.path.length === 0) return
        const path = flipIn(good.path, at % good.path.length, b)
        expect(() => verifyInclusion({ ...good, path })).toThrow(fails('ROOT_MISMATCH'))
      }),
    )
  })

  test('fails for any other index', () => {
    fc.assert(
      fc.property(proof, fc.bigInt(0n, 2n ** 65n), fc.nat(64), (good, other, b) => {
        for (const index of [other, BigInt(good.index) ^ (1n << BigInt(b))]) {
          if (index !== BigInt(good.index)) expect(() => verifyInclusion({ ...good, index })).toThrow(fails())
        }
      }),
    )
  })

  test('fails for a path cut short, prolonged, or with a hash of another length', () => {
    fc.assert(
      fc.property(proof, place, (good, at) => {
        const malformed = fails('MALFORMED_PATH')
        const middle = at % (good.path.length + 1)
        for (const extra of [good.root, good.leafHash, EMPTY_ROOT, new Uint8Array(0)]) {
          const path = [...good.path.slice(0, middle), extra, ...good.path.slice(middle)]
          expect(() => verifyInclusion({ ...good, path })).toThrow(malformed)
        }
        if (good.path.length === 0) return
        expect(() =>
          verifyInclusion({ ...good, path: good.path.toSpliced(middle % good.path.length, 1) }),
        ).toThrow(malformed)
        const cut = good.path.map((hash) => hash.subarray(1))
        expect(() => verifyInclusion({ ...good, path: cut })).toThrow(malformed)
      }),
    )
  })

  test('fails for a promoted node passed off as a leaf, and for a leaf under the size of another tree', () => {
    const path = inclusionPath(LEAVES.slice(0, 6), 4)
    const inner = { leafHash: hashNode(leafAt(4), leafAt(5)), index: 4, size: 6, root: rootOf(6) }
    expect(() => verifyInclusion({ ...inner, path: path.slice(1) })).toThrow(fails('MALFORMED_PATH'))
    verifyInclusion({
      leafHash: leafAt(6),
      index: 6,
      size: 7,
      root: rootOf(7),
      path: inclusionPath(LEAVES.slice(0, 7), 6),
    })
    const aliased = { leafHash: leafAt(6), root: rootOf(7), path: inclusionPath(LEAVES.slice(0, 7), 6) }
    expect(() => verifyInclusion({ ...aliased, index: 7, size: 8 })).toThrow(fails('MALFORMED_PATH'))
  })

  test('works beyond 2^64, where a tree is known by its edge alone', () => {
    const path = Array.from({ length: 70 }, (_, i) => leafAt(i))
    const before = { leafHash: EMPTY_ROOT, index: 2n ** 70n - 2n, size: 2n ** 70n, path }
    const proof = { ...before, root: rootFromInclusion(before) }
    verifyInclusion(proof)
    expect(() => verifyInclusion({ ...proof, index: proof.size - 1n })).toThrow(fails('ROOT_MISMATCH'))
    expect(() => verifyInclusion({ ...proof, size: proof.size + 1n })).toThrow(fails('MALFORMED_PATH'))
    const last = { leafHash: leafAt(0), index: 2n ** 64n, size: 2n ** 64n + 1n, path: [leafAt(1)] }
    expect(rootFromInclusion(last)).toEqual(hashNode(leafAt(1), leafAt(0)))
  })

  test('refuses positions outside the tree, and numbers that are none', () => {
    const good = { leafHash: leafAt(0), path: [], root: leafAt(0) }
    for (const [index, n] of [
      [0, 0],
      [1, 1],
      [-1, 1],
      [0, -1],
      [5n, 5n],
    ] as const) {
      expect(() => verifyInclusion({ ...good, index, size: n })).toThrow(fails('INDEX_OUT_OF_RANGE'))
    }
    for (const index of [0.5, Number.NaN, 2 ** 53]) {
      expect(() => verifyInclusion({ ...good, index, size: 1 })).toThrow(
        expect.objectContaining({ code: 'BAD_ARGUMENT' }),
      )
    }
  })
})

describe('consistency', () => {
  const sizes = fc.tuple(size, size).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
  const proofOf = (size1: number, size2: number) => ({
    ...{ size1, size2, root1: rootOf(size1), root2: rootOf(size2) },
    path: consistencyPath(LEAVES.slice(0, size2), size1),
  })

  test('is proved for every pair of sizes', () => {
    const tree = buildTree(LEAVES)
    for (let size2 = 1; size2 <= LEAVES.length; size2++) {
      for (let size1 = 1; size1 <= size2; size1++) {
        const path = consistencyPath(tree, size1, size2)
        verifyConsistency({ size1, size2, root1: rootOf(size1), root2: rootOf(size2), path })
      }
    }
  })

  test('fails for any bit turned over, any element more or less, and other sizes', () => {
    fc.assert(
      fc.property(sizes, place, bit, size, ([size1, size2], at, b, other) => {
        const good = proofOf(size1, size2)
        expect(() => verifyConsistency({ ...good, root1: flip(good.root1, b) })).toThrow(
          fails('ROOT_MISMATCH'),
        )
        expect(() => verifyConsistency({ ...good, root2: flip(good.root2, b) })).toThrow(
          fails('ROOT_MISMATCH'),
        )
        const middle = at % (good.path.length + 1)
        for (const extra of [good.root1, good.root2, EMPTY_ROOT, new Uint8Array(0)]) {
          const path = good.path.toSpliced(middle, 0, extra)
          expect(() => verifyConsistency({ ...good, path })).toThrow(fails('MALFORMED_PATH'))
        }
        if (other !== size1) expect(() => verifyConsistency({ ...good, size1: other })).toThrow(fails())
        if (size1 === size2) return
        const short = good.path.toSpliced(middle % good.path.length, 1)
        expect(() => verifyConsistency({ ...good, path: short })).toThrow(fails('MALFORMED_PATH'))
        const path = flipIn(good.path, at % good.path.length, b)
        expect(() => verifyConsistency({ ...good, path })).toThrow(fails('ROOT_MISMATCH'))
        expect(() => verifyConsistency({ ...good, root1: good.root2, root2: good.root1 })).toThrow(
          fails('ROOT_MISMATCH'),
        )
      }),
    )
  })

  test('fails for a log that was rewritten', () => {
    const forged = LEAVES.with(3, leafAt(4))
    for (let size2 = 5; size2 <= LEAVES.length; size2++) {
      const proof = { size1: 5, size2, root1: rootOf(5), root2: treeRoot(forged.slice(0, size2)) }
      expect(() => verifyConsistency({ ...proof, path: consistencyPath(forged.slice(0, size2), 5) })).toThrow(
        fails('ROOT_MISMATCH'),
      )
    }
  })

  /** The cases of transparency-dev/merkle, testdata/consistency/additional (Apache-2.0), which no tree produces. */
  test.each([
    { size1: 0, size2: 0, root1: 'a', root2: 'b', path: [], code: 'ROOT_MISMATCH' },
    { size1: 1, size2: 1, root1: 'a', root2: 'b', path: [], code: 'ROOT_MISMATCH' },
    { size1: 0, size2: 0, root1: 'a', root2: 'a', path: [] },
    { size1: 1, size2: 1, root1: 'b', root2: 'b', path: [] },
    { size1: 0, size2: 1, root1: 'a', root2: 'b', path: [], code: 'INDEX_OUT_OF_RANGE' },
    { size1: 0, size2: 1, root1: 'a', root2: 'a', path: ['a'], code: 'INDEX_OUT_OF_RANGE' },
    { size1: 1, size2: 0, root1: 'a', root2: 'b', path: [], code: 'INDEX_OUT_OF_RANGE' },
    { size1: 2, size2: 1, root1: 'a', root2: 'b', path: [], code: 'INDEX_OUT_OF_RANGE' },
    { size1: 1, size2: 2, root1: 'a', root2: 'b', path: [], code: 'MALFORMED_PATH' },
    { size1: 0, size2: 0, root1: 'a', root2: 'a', path: ['a'], code: 'MALFORMED_PATH' },
    { size1: 1, size2: 1, root1: 'a', root2: 'a', path: ['a'], code: 'MALFORMED_PATH' },
    { size1: -1, size2: -1, root1: 'a', root2: 'a', path: [], code: 'INDEX_OUT_OF_RANGE' },
  ])(
    'from $size1 to $size2 with $path.length hashes, of roots $root1 and $root2: $code',
    ({ code, ...proof }) => {
      const bytes = (text: string) => new TextEncoder().encode(`don't care ${text}`.padEnd(32))
      const { root1, root2, path } = proof
      const verify = () =>
        verifyConsistency({ ...proof, root1: bytes(root1), root2: bytes(root2), path: path.map(bytes) })
      if (code) expect(verify).toThrow(fails(code))
      else verify()
    },
  )
})

describe('a range', () => {
  const range = fc.tuple(size, place, place).map(([n, a, b]) => {
    const [from, to] = [Math.min(a % (n + 1), b % (n + 1)), Math.max(a % (n + 1), b % (n + 1))]
    const path = rangePath(LEAVES.slice(0, n), from, to)
    return { leafHashes: LEAVES.slice(from, to), from, size: n, path, root: rootOf(n) }
  })

  test('is proved', () => {
    fc.assert(
      fc.property(range, (good) => {
        verifyRange(good)
        verifyRange({
          ...good,
          from: BigInt(good.from),
          leafHashes: new Uint8Array(Buffer.concat(good.leafHashes)),
        })
      }),
    )
  })

  test('fails for any leaf changed, left out, added or moved', () => {
    fc.assert(
      fc.property(range, place, bit, (good, at, b) => {
        const count = good.leafHashes.length
        const leafHashes = good.leafHashes
        expect(() => verifyRange({ ...good, root: flip(good.root, b) })).toThrow(fails('ROOT_MISMATCH'))
        expect(() =>
          verifyRange({ ...good, leafHashes: leafHashes.toSpliced(at % (count + 1), 0, leafAt(0)) }),
        ).toThrow(fails())
        if (count === 0) return
        expect(() => verifyRange({ ...good, leafHashes: flipIn(leafHashes, at % count, b) })).toThrow(
          fails('ROOT_MISMATCH'),
        )
        expect(() => verifyRange({ ...good, leafHashes: leafHashes.toSpliced(at % count, 1) })).toThrow(
          fails(),
        )
        expect(() => verifyRange({ ...good, from: good.from + 1 })).toThrow(fails())
        expect(() => verifyRange({ ...good, from: good.from - 1 })).toThrow(fails())
      }),
    )
  })

  test('fails for any hash of the path changed, left out or added', () => {
    fc.assert(
      fc.property(range, place, bit, (good, at, b) => {
        const { path } = good
        const longer = path.toSpliced(at % (path.length + 1), 0, EMPTY_ROOT)
        expect(() => verifyRange({ ...good, path: longer })).toThrow(fails('MALFORMED_PATH'))
        if (path.length === 0) return
        expect(() => verifyRange({ ...good, path: path.toSpliced(at % path.length, 1) })).toThrow(
          fails('MALFORMED_PATH'),
        )
        expect(() => verifyRange({ ...good, path: flipIn(path, at % path.length, b) })).toThrow(
          fails('ROOT_MISMATCH'),
        )
      }),
    )
  })

  test('of no leaves at all says no more than the root', () => {
    verifyRange({ leafHashes: [], from: 0, size: 0, path: [], root: EMPTY_ROOT })
    verifyRange({ leafHashes: [], from: 2n, size: 5n, path: [rootOf(5)], root: rootOf(5) })
    expect(() =>
      verifyRange({ leafHashes: [], from: 6, size: 5, path: [rootOf(5)], root: rootOf(5) }),
    ).toThrow(fails('INDEX_OUT_OF_RANGE'))
    expect(() => verifyRange({ leafHashes: [], from: 0, size: 0, path: [], root: rootOf(5) })).toThrow(
      fails('ROOT_MISMATCH'),
    )
  })

  test('may lie in a tree beyond 2^64', () => {
    const total = 2n ** 66n
    const path = Array.from({ length: 65 }, (_, i) => leafAt(i))
    const pair = hashNode(leafAt(68), leafAt(69))
    const root = path.reduceRight((node, left) => hashNode(left, node), pair)
    verifyRange({ leafHashes: [leafAt(68), leafAt(69)], from: total - 2n, size: total, path, root })
  })
})

test('sizes that no tree can have are refused at once', () => {
  const size = 1n << 1_000_000n
  const [leafHash, path, root] = [leafAt(0), [leafAt(1)], leafAt(2)]
  const refused = fails('INDEX_OUT_OF_RANGE')
  expect(() => verifyInclusion({ leafHash, index: 0, size, path, root })).toThrow(refused)
  expect(() => verifyConsistency({ size1: 1, size2: size, root1: root, root2: root, path })).toThrow(refused)
  expect(() => verifyRange({ leafHashes: [leafHash], from: 0, size, path, root })).toThrow(refused)
})
