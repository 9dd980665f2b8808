import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EMPTY_ROOT, hashLeaf, hashLeaves, hashNode } from '../../src/merkle/index.ts'
import { toHex } from './vectors.ts'

const native = (...parts: Uint8Array[]): string =>
  createHash('sha256').update(Buffer.concat(parts)).digest('hex')

/** RFC 6962 hasher of transparency-dev/merkle, rfc6962/rfc6962_test.go (Apache-2.0). */
test('empty tree, leaves and nodes hash as published', () => {
  const ascii = (text: string) => new TextEncoder().encode(text)
  expect(toHex(EMPTY_ROOT)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(toHex(hashLeaf(ascii('')))).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
  expect(toHex(hashLeaf(ascii('L123456')))).toBe(
    '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
  )
})

test('a node agrees with OpenSSL', () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(hash, hash, (left, right) => {
      expect(toHex(hashNode(left, right))).toBe(native(Uint8Array.of(1), left, right))
    }),
  )
})

test.each([0, 31, 33, 64])('a node refuses a side of %i bytes', (size) => {
  const bad = new Uint8Array(size)
  expect(() => hashNode(bad, EMPTY_ROOT)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  expect(() => hashNode(EMPTY_ROOT, bad)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
})

describe('many leaves at once', () => {
  const leaves = fc.array(fc.uint8Array({ maxLength: 300, size: 'max' }), { maxLength: 40 })

  test('hash as one by one, whether they come apart or end to end', () => {
    fc.assert(
      fc.property(leaves, fc.uint8Array({ maxLength: 5 }), (apart, before) => {
        const expected = apart.map((leaf) => toHex(hashLeaf(leaf))).join('')
        expect(toHex(hashLeaves(apart))).toBe(expected)
        const offsets = [before.length]
        for (const leaf of apart) offsets.push((offsets.at(-1) ?? 0) + leaf.length)
        const data = new Uint8Array(Buffer.concat([before, ...apart, before]))
        expect(toHex(hashLeaves(data, Uint32Array.from(offsets)))).toBe(expected)
        expect(expected.slice(0, 64)).toBe(apart[0] ? native(Uint8Array.of(0), apart[0]) : '')
      }),
    )
  })

  test('may be larger than what is gathered at a time', () => {
    const big = [10, 1 << 20, 5, (1 << 20) + 1, 700_000, 700_000, 3].map((size) =>
      new Uint8Array(size).fill(size),
    )
    expect(toHex(hashLeaves(big))).toBe(big.map((leaf) => native(Uint8Array.of(0), leaf)).join(''))
  })

  test.each([
    ['no offset', []],
    ['offsets that descend', [0, 5, 4]],
    ['offsets beyond the data', [0, 11]],
  ])('refuse %s', (_, offsets) => {
    expect(() => hashLeaves(new Uint8Array(10), Uint32Array.from(offsets))).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    )
  })
})
