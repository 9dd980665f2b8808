import { decode, encode } from 'cborg'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeCbor } from '../../src/bytes/cbor.ts'
import { runs } from './runs.ts'

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test.each([
  ['00', 0],
  ['17', 23],
  ['1818', 24],
  ['1903e8', 1000],
  ['1a000f4240', 1_000_000],
  ['1b000000e8d4a51000', 1_000_000_000_000],
  ['1bffffffffffffffff', 18_446_744_073_709_551_615n],
  ['20', -1],
  ['3863', -100],
  ['3903e7', -1000],
  ['3bffffffffffffffff', -18_446_744_073_709_551_616n],
  ['f6', null],
  ['40', new Uint8Array()],
  ['4401020304', Uint8Array.of(1, 2, 3, 4)],
  ['60', ''],
  ['6449455446', 'IETF'],
  ['62c3bc', '\u00fc'],
  ['64f0908591', '\u{10151}'],
  ['80', []],
  ['8301820203820405', [1, [2, 3], [4, 5]]],
  ['a0', new Map()],
  [
    'a201020304',
    new Map([
      [3, 4],
      [1, 2],
    ]),
  ],
  ['c11a514b67b0', { tag: 1, value: 1_363_896_240 }],
])('writes the example of RFC 8949, appendix A: %s', (expected, value) => {
  expect(hexOf(encodeCbor(value))).toBe(expected)
})

test('writes what cborg writes, and what cborg reads back', () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n }).map(Number),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
      fc.string({ unit: 'binary' }),
      fc.uint8Array(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(fc.integer(), tie('value')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
    ),
  }))
  fc.assert(
    fc.property(value, (value) => {
      const bytes = encodeCbor(value as Parameters<typeof encodeCbor>[0])
      expect(hexOf(bytes)).toBe(hexOf(encode(value)))
      expect(decode(bytes, { useMaps: true })).toEqual(value)
    }),
    runs(100),
  )
})
