import { createMerkleProof, createMPT, verifyMerkleProof } from '@ethereumjs/mpt'
import { keccak256 } from 'ethers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes, utf8 } from '../../src/bytes/bytes.ts'
import { fromHex, type Hex, toHex } from '../../src/bytes/hex.ts'
import {
  buildTrie,
  EMPTY_TRIE_ROOT,
  listKey,
  listTrie,
  verifyTrie,
  withoutEmbedded,
} from '../../src/merkle/index.ts'
import { runs } from '../bytes/runs.ts'

const badEvidence = expect.objectContaining({ name: 'VerificationError', code: 'BAD_EVIDENCE' })

type Entry = readonly [key: Uint8Array, value: Uint8Array]

/** The same trie by @ethereumjs/mpt. */
async function theirsOf(entries: readonly Entry[]) {
  const trie = await createMPT()
  for (const [key, value] of entries) await trie.put(key, value)
  return trie
}

/** Keys of few different digits, so that they part early, late and within each other; values short and long. */
const keys = fc
  .array(fc.constantFrom(0x00, 0x01, 0x10, 0x11, 0xff), { minLength: 1, maxLength: 5 })
  .map((bytes) => Uint8Array.from(bytes))
const hashedKeys = fc
  .uint8Array({ minLength: 1, maxLength: 3 })
  .map((bytes) => fromHex(keccak256(bytes) as Hex))
const values = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 4 }),
  fc.uint8Array({ minLength: 30, maxLength: 70 }),
)
const entriesOf = (key: fc.Arbitrary<Uint8Array>) =>
  fc.uniqueArray(fc.tuple(key, values), { maxLength: 40, selector: ([one]) => toHex(one) })
const tries = fc.oneof(
  fc.record({ entries: entriesOf(keys), absent: keys }),
  fc.record({ entries: entriesOf(hashedKeys), absent: hashedKeys }),
)

describe('published vectors', () => {
  test.each<[Hex, Record<string, string>]>([
    ['0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421', {}],
    [
      '0x8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3',
      { doe: 'reindeer', dog: 'puppy', dogglesworth: 'cat' },
    ],
    [
      '0x5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84',
      { do: 'verb', dog: 'puppy', doge: 'coin', horse: 'stallion' },
    ],
  ])('%s is the root of what the tests of Ethereum have under it', (root, texts) => {
    const entries = Object.entries(texts).map(([key, value]) => [utf8(key), utf8(value)] as const)
    expect(toHex(buildTrie(entries).root)).toBe(root)
    expect(toHex(buildTrie(entries.toReversed()).root)).toBe(root)
  })
})

describe('a trie of any entries', () => {
  test('has the root that @ethereumjs/mpt gives it, and shows what it holds and what it does not', async () => {
    await fc.assert(
      fc.asyncProperty(tries, async ({ entries, absent }) => {
        const ours = buildTrie(entries)
        const theirs = await theirsOf(entries)
        expect(toHex(ours.root)).toBe(toHex(theirs.root()))
        for (const key of [...entries.map(([held]) => held), absent]) {
          const value = entries.find(([held]) => compareBytes(held, key) === 0)?.[1]
          const proof = withoutEmbedded(await createMerkleProof(theirs, key))
          expect(ours.prove(key).map(toHex)).toEqual(proof.map(toHex))
          expect(verifyTrie(ours.root, key, proof)).toEqual(value)
          if (entries.length === 0) continue
          expect((await verifyMerkleProof(key, ours.prove(key))) ?? undefined).toEqual(value)
        }
      }),
      runs(200),
    )
  })

  test('refuses a proof with any bit of it flipped, a node dropped, repeated, added or moved', () => {
    const changes = fc.constantFrom('flip', 'drop', 'repeat', 'add', 'swap', 'cut', 'grow')
    fc.assert(
      fc.property(tries, fc.nat(), fc.nat(), changes, ({ entries, absent }, one, other, change) => {
        const { root, prove } = buildTrie(entries)
        const key = entries[one % (entries.length + 1)]?.[0] ?? absent
        const proof = prove(key)
        const at = other % Math.max(1, proof.length)
        const node = proof[at]?.slice() ?? Uint8Array.of(0x80)
        const bit = other % (8 * node.length)
        if (change === 'flip')
          proof[at] = node.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
        else if (change === 'drop') proof.splice(at, 1)
        else if (change === 'repeat') proof.splice(at, 0, node)
        else if (change === 'add') proof.push(node)
        else if (change === 'cut') proof[at] = node.slice(0, -1)
        else if (change === 'grow') proof[at] = Uint8Array.of(...node, 0)
        else proof.reverse()
        fc.pre(proof.map(toHex).join() !== prove(key).map(toHex).join())
        expect(() => verifyTrie(root, key, proof)).toThrow(badEvidence)
      }),
      runs(2_000),
    )
  })

  test('shows nothing of another key by the same proof, unless the ways are the same', () => {
    fc.assert(
      fc.property(tries, keys, ({ entries, absent }, key) => {
        const { root, prove } = buildTrie(entries)
        let shown: Uint8Array | undefined
        try {
          shown = verifyTrie(root, key, prove(absent))
        } catch (error) {
          expect(error).toEqual(badEvidence)
          return
        }
        expect(shown).toEqual(entries.find(([held]) => compareBytes(held, key) === 0)?.[1])
      }),
      runs(500),
    )
  })

  test('refuses a proof under another root', () => {
    const { prove } = listTrie([utf8('one'), utf8('two')])
    expect(() => verifyTrie(EMPTY_TRIE_ROOT, listKey(0), prove(listKey(0)))).toThrow(badEvidence)
    expect(() => verifyTrie(fromHex(`0x${'77'.repeat(32)}`), listKey(0), prove(listKey(0)))).toThrow(
      badEvidence,
    )
  })
})

test.each([0, 1, 2, 17, 128, 129, 300])(
  'a list of %i has the trie that @ethereumjs/mpt makes',
  async (count) => {
    const items = Array.from({ length: count }, (_, i) => utf8(`element ${i}`.repeat(1 + (i % 5))))
    const { root, prove } = listTrie(items)
    const theirs = await theirsOf(items.map((item, i) => [listKey(i), item]))
    expect(toHex(root)).toBe(toHex(theirs.root()))
    for (const index of new Set([0, 1, 2, 127, 128, 255, 256, count - 1, count])) {
      if (index < 0) continue
      expect(verifyTrie(root, listKey(index), prove(listKey(index)))).toEqual(items[index])
    }
  },
)

test.each<[string, Hex]>([
  ['is no RLP', '0x81'],
  ['is no list', `0xa0${'11'.repeat(32)}`],
  ['has three members', '0xc3010203'],
  ['has a path of an unknown kind', '0xc24001'],
  ['has a list for a value', '0xc320c101'],
])('a root whose node %s is refused', (_, node) => {
  const root = fromHex(keccak256(node) as Hex)
  expect(() => verifyTrie(root, new Uint8Array(), [fromHex(node)])).toThrow(badEvidence)
})
