import { existsSync, readFileSync } from 'node:fs'
import type { BaseContract } from 'ethers'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { call, deploy, revertOf, send } from './chain.ts'
import { digest, hashNode } from './header.ts'
import {
  consistencyPath,
  EMPTY_ROOT,
  flipBit,
  imagineConsistency,
  imagineInclusion,
  inclusionPath,
  peakHeight,
  rootFromNodes,
  rootOf,
} from './oracle.ts'

const MAX = 2n ** 64n - 1n
const leaves = Array.from({ length: 70 }, (_, i) => digest(`leaf ${i}`))
let harness: BaseContract

const newHarness = () => deploy('test/MerkleLogHarness.sol')
const verdict = (method: string, ...args: unknown[]) => revertOf(harness, call(harness, method, ...args))
const sibling = (i: number) => digest(`sibling ${i}`)

beforeAll(async () => {
  harness = await newHarness()
})

describe('hashing', () => {
  it('prefixes a leaf with 0x00 and a node with 0x01', async () => {
    expect(await call(harness, 'hashLeaf', '0x')).toBe(
      '0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    )
    const [left, right] = [digest('left'), digest('right')]
    expect(await call(harness, 'hashNode', left, right)).toBe(hashNode(left, right))
  })
})

describe('push', () => {
  it('has the root of SHA-256 of nothing and no peaks while the log is empty', async () => {
    const log = await newHarness()
    expect(await call(log, 'size')).toBe(0n)
    expect(await call(log, 'root')).toBe(EMPTY_ROOT)
    expect(await call(log, 'peaks')).toEqual([])
  })

  it('grows the tree that merkletreejs builds, whatever the groups', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 6 }),
        async (groups) => {
          const log = await newHarness()
          const pushed: string[] = []
          const nodes: string[] = []
          for (const count of groups) {
            const group = Array.from({ length: count }, (_, i) => digest(`fuzz ${pushed.length + i}`))
            const receipt = await send(log, 'push', group)
            pushed.push(...group)
            for (const event of receipt.logs) nodes.push(log.interface.parseLog(event)?.args.node)
            expect(await call(log, 'size')).toBe(BigInt(pushed.length))
            expect(await call(log, 'root')).toBe(rootOf(pushed))
          }
          for (let size = 0; size <= pushed.length; size++)
            expect(rootFromNodes(nodes, size)).toBe(rootOf(pushed.slice(0, size)))
        },
      ),
      { numRuns: 12 },
    )
  })

  it('keeps the roots of the perfect subtrees as peaks, the largest first', async () => {
    const log = await newHarness()
    await send(log, 'push', leaves.slice(0, 13))
    expect(await call(log, 'peaks')).toEqual([
      rootOf(leaves.slice(0, 8)),
      rootOf(leaves.slice(8, 12)),
      rootOf(leaves.slice(12, 13)),
    ])
  })
})

describe('verifyLeaf', () => {
  const size = 45
  beforeAll(async () => {
    await send(harness, 'push', leaves.slice(0, size))
  })

  it('accepts every leaf with the lower part of its inclusion path', async () => {
    for (let index = 0; index < size; index++) {
      const path = inclusionPath(leaves.slice(0, size), index).slice(0, peakHeight(index, size))
      expect(await verdict('verifyLeaf', index, leaves[index], path)).toBe('no revert')
    }
  })

  it('refuses the whole inclusion path, and any other length', async () => {
    const path = inclusionPath(leaves.slice(0, size), 9)
    expect(path).toHaveLength(6)
    for (const length of [0, 4, 6])
      expect(await verdict('verifyLeaf', 9, leaves[9], path.slice(0, length))).toBe(
        `MerkleLog_PathLength(5,${length})`,
      )
    expect(await verdict('verifyLeaf', 44, leaves[44], [leaves[0]])).toBe('MerkleLog_PathLength(0,1)')
  })

  it('refuses an index at or beyond the size', async () => {
    expect(await verdict('verifyLeaf', size, leaves[0], [])).toBe('MerkleLog_IndexOutOfRange(45,45)')
    expect(await verdict('verifyLeaf', MAX, leaves[0], [])).toBe(`MerkleLog_IndexOutOfRange(${MAX},45)`)
  })

  it('refuses another leaf', async () => {
    expect(await verdict('verifyLeaf', 44, leaves[43], [])).toBe(
      `MerkleLog_RootMismatch(${leaves[44]},${leaves[43]})`,
    )
  })
})

describe('verifyInclusion', () => {
  const check = (root: string, size: bigint | number, index: bigint | number, leaf: string, path: string[]) =>
    verdict('verifyInclusion', root, size, index, leaf, path)

  it.each([1, 2, 3, 5, 8, 11, 16, 21, 33])('accepts every leaf of a tree of %i', async (size) => {
    const tree = leaves.slice(0, size)
    for (let index = 0; index < size; index++)
      expect(await check(rootOf(tree), size, index, tree[index]!, inclusionPath(tree, index))).toBe(
        'no revert',
      )
  })

  it.each([
    [0n, MAX],
    [MAX - 1n, MAX],
    [2n ** 63n, MAX],
    [2n ** 63n - 1n, MAX],
    [0x5a5a_5a5a_5a5a_5a5an, MAX],
    [2n ** 63n, 2n ** 63n + 1n],
    [12_345n, 2n ** 53n + 1n],
  ])('accepts leaf %d of a tree of %d, which nobody can build', async (index, size) => {
    const { path, root } = imagineInclusion(leaves[0]!, index, size, sibling)
    expect(await check(root, size, index, leaves[0]!, path)).toBe('no revert')
    expect(await check(root, size, index, leaves[1]!, path)).toMatch(/^MerkleLog_RootMismatch/)
  })

  it('refuses an index at or beyond the size', async () => {
    expect(await check(leaves[0]!, 0, 0, leaves[0]!, [])).toBe('MerkleLog_IndexOutOfRange(0,0)')
    expect(await check(leaves[0]!, 1, 1, leaves[0]!, [])).toBe('MerkleLog_IndexOutOfRange(1,1)')
    expect(await check(leaves[0]!, 1, MAX, leaves[0]!, [])).toBe(`MerkleLog_IndexOutOfRange(${MAX},1)`)
  })

  // In a tree that promotes odd nodes a fold that ignores the size would take a promoted leaf's path at several
  // indices, and an inner node for a leaf.
  it('refuses a path of another length, for a promoted leaf and for an inner node', async () => {
    const tree = leaves.slice(0, 5)
    const root = rootOf(tree)
    const promoted = inclusionPath(tree, 4)
    expect(promoted).toEqual([rootOf(tree.slice(0, 4))])
    expect(await check(root, 5, 4, tree[4]!, promoted)).toBe('no revert')
    expect(await check(root, 5, 1, tree[4]!, promoted)).toBe('MerkleLog_PathLength(3,1)')
    expect(await check(root, 6, 4, tree[4]!, promoted)).toBe('MerkleLog_PathLength(2,1)')
    expect(await check(root, 5, 4, root, [])).toBe('MerkleLog_PathLength(1,0)')
    expect(await check(root, 5, 4, tree[4]!, [leaves[9]!, ...promoted])).toBe('MerkleLog_PathLength(1,2)')
    const inner = rootOf(tree.slice(0, 2))
    expect(await check(root, 5, 0, inner, inclusionPath(tree, 0).slice(1))).toBe('MerkleLog_PathLength(3,2)')
  })

  it('refuses any flipped bit in leaf, path, root or index', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: leaves.length }),
        fc.nat(),
        fc.nat(),
        fc.nat({ max: 255 }),
        async (size, at, part, bit) => {
          const tree = leaves.slice(0, size)
          const index = at % size
          const path = inclusionPath(tree, index)
          const claim = [rootOf(tree), tree[index]!, ...path]
          const flipped = claim.with(part % claim.length, flipBit(claim[part % claim.length]!, bit))
          const [root, leaf, ...siblings] = flipped as [string, string]
          expect(await check(root, size, index, leaf, siblings)).toMatch(/^MerkleLog_RootMismatch/)
          const moved = BigInt(index) ^ (1n << BigInt(bit % 64))
          expect(await check(rootOf(tree), size, moved, tree[index]!, path)).toMatch(/^MerkleLog_/)
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('verifyConsistency', () => {
  const check = (
    root1: string,
    size1: bigint | number,
    root2: string,
    size2: bigint | number,
    path: string[],
  ) => verdict('verifyConsistency', root1, size1, root2, size2, path)

  it('accepts every pair of sizes up to 18', async () => {
    for (let size2 = 1; size2 <= 18; size2++)
      for (let size1 = 1; size1 <= size2; size1++) {
        const tree = leaves.slice(0, size2)
        const path = consistencyPath(tree, size1)
        expect(await check(rootOf(tree.slice(0, size1)), size1, rootOf(tree), size2, path)).toBe('no revert')
      }
  })

  it.each([
    [1n, MAX],
    [MAX - 1n, MAX],
    [2n ** 63n, MAX],
    [2n ** 63n + 2n ** 20n, MAX],
    [2n ** 53n + 1n, 2n ** 63n],
    [0x5a5a_5a5a_5a5a_5a5an, MAX],
  ])('accepts trees of %d and %d, which nobody can build', async (size1, size2) => {
    const { path, root1, root2 } = imagineConsistency(size1, size2, sibling)
    expect(await check(root1, size1, root2, size2, path)).toBe('no revert')
    expect(await check(flipBit(root1, 7), size1, root2, size2, path)).toMatch(/^MerkleLog_RootMismatch/)
  })

  it('refuses a first size of 0 and one beyond the second', async () => {
    expect(await check(EMPTY_ROOT, 0, leaves[0]!, 1, [])).toBe('MerkleLog_SizeOutOfRange(0,1)')
    expect(await check(leaves[0]!, 2, leaves[0]!, 1, [])).toBe('MerkleLog_SizeOutOfRange(2,1)')
  })

  it('wants no path and one root between equal sizes', async () => {
    const [root, other] = [leaves[0]!, leaves[1]!]
    expect(await check(root, MAX, root, MAX, [])).toBe('no revert')
    expect(await check(root, 4, root, 4, [other])).toBe('MerkleLog_PathLength(0,1)')
    expect(await check(root, 4, other, 4, [])).toBe(`MerkleLog_RootMismatch(${other},${root})`)
  })

  it('refuses a path of another length', async () => {
    const tree = leaves.slice(0, 7)
    const path = consistencyPath(tree, 6)
    const [root1, root2] = [rootOf(leaves.slice(0, 6)), rootOf(tree)]
    expect(await check(root1, 6, root2, 7, path)).toBe('no revert')
    expect(await check(root1, 6, root2, 7, path.slice(1))).toBe('MerkleLog_PathLength(3,2)')
    expect(await check(root1, 6, root2, 7, [])).toBe('MerkleLog_PathLength(3,0)')
    expect(await check(root1, 6, root2, 7, [...path, root1])).toBe('MerkleLog_PathLength(3,4)')
  })

  it('refuses any flipped bit in either root or the path', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: leaves.length }),
        fc.nat(),
        fc.nat(),
        fc.nat({ max: 255 }),
        async (size2, at, part, bit) => {
          const size1 = 1 + (at % size2)
          const tree = leaves.slice(0, size2)
          const claim = [rootOf(tree.slice(0, size1)), rootOf(tree), ...consistencyPath(tree, size1)]
          const flipped = claim.with(part % claim.length, flipBit(claim[part % claim.length]!, bit))
          const [root1, root2, ...path] = flipped as [string, string]
          expect(await check(root1, size1, root2, size2, path)).toMatch(/^MerkleLog_RootMismatch/)
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('published vectors of RFC 9162', () => {
  type Vector = Record<string, string | null> & { name: string; wantErr: boolean; proof: string[] | null }
  const folder = new URL('../../../shared/vectors/', import.meta.url)

  /** Indices reach 2^64 - 1, beyond what JSON.parse keeps: they are read as strings. */
  const load = (file: string): Vector[] =>
    JSON.parse(readFileSync(new URL(file, folder), 'utf8').replace(/: *(\d+)(?=[,\s}])/g, ': "$1"'))
  const hex = (base64: string | null | undefined) =>
    `0x${Buffer.from(base64 ?? '', 'base64').toString('hex')}`

  async function runVectors(file: string, method: string, argsOf: (vector: Vector) => unknown[]) {
    const vectors = load(file)
    expect(vectors.length).toBeGreaterThan(20)
    for (const vector of vectors) {
      const args = argsOf(vector)
      const hashes = args.flat().filter((arg) => String(arg).startsWith('0x'))
      if (hashes.some((hash) => String(hash).length !== 66)) {
        // Not 32 bytes: such a claim cannot even be put into a call.
        expect(vector.wantErr, vector.name).toBe(true)
        await expect(call(harness, method, ...args)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
        continue
      }
      const expected = vector.wantErr ? /^MerkleLog_/ : /^no revert$/
      expect(await verdict(method, ...args), vector.name).toMatch(expected)
    }
  }

  const absent = !existsSync(folder)
  if (absent) console.warn('The vectors of RFC 9162 are skipped: ../shared/vectors is absent')

  it.skipIf(absent)('decide inclusion as published', () =>
    runVectors('rfc9162-inclusion.json', 'verifyInclusion', (v) => [
      hex(v.root),
      v.treeSize,
      v.leafIdx,
      hex(v.leafHash),
      (v.proof ?? []).map(hex),
    ]),
  )

  it.skipIf(absent)('decide consistency as published', () =>
    runVectors('rfc9162-consistency.json', 'verifyConsistency', (v) => [
      hex(v.root1),
      v.size1,
      hex(v.root2),
      v.size2,
      (v.proof ?? []).map(hex),
    ]),
  )
})
