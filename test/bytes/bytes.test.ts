import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBase64url, toBase64url } from '../../src/bytes/base64url.ts'
import { compareBytes, concatBytes, equalBytes, utf8 } from '../../src/bytes/bytes.ts'
import { fromHex, isHex, toHex } from '../../src/bytes/hex.ts'
import { isUint32, readUint64 } from '../../src/bytes/integer.ts'
import { runs } from './runs.ts'

const badArgument = expect.objectContaining({ name: 'InputError', code: 'BAD_ARGUMENT' })
const bytes = fc.uint8Array({ maxLength: 70 })

describe('base64url', () => {
  // RFC 4648, section 10, without the padding.
  test.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('%j is %j', (text, encoded) => {
    expect(toBase64url(utf8(text))).toBe(encoded)
    expect(fromBase64url(encoded)).toEqual(utf8(text))
  })

  test('it is what node writes, and reads back', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(toBase64url(value)).toBe(Buffer.from(value).toString('base64url'))
        expect(fromBase64url(toBase64url(value))).toEqual(value)
      }),
      runs(300),
    )
  })

  test('what reads at all is the one spelling of its bytes', () => {
    const character = fc.constantFrom(...'ABCQRgw9048-_')
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 9 }), (text) => {
        let value: Uint8Array
        try {
          value = fromBase64url(text)
        } catch (error) {
          expect(error).toEqual(badArgument)
          return
        }
        expect(toBase64url(value)).toBe(text)
      }),
      runs(1000),
    )
  })

  test.each(['A', 'AAAAA', 'Zh', 'Zm9', 'Zg==', 'Zm 8', 'Zm+_', 'Zm/_', 'Zmé', 'Z\0', '😀'])(
    '%j is refused',
    (text) => {
      expect(() => fromBase64url(text)).toThrow(badArgument)
    },
  )
})

describe('hex', () => {
  test('it is what node writes, with 0x, and reads back', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(toHex(value)).toBe(`0x${Buffer.from(value).toString('hex')}`)
        expect(fromHex(toHex(value))).toEqual(value)
        expect(isHex(toHex(value), value.length)).toBe(true)
        expect(isHex(toHex(value), value.length + 1)).toBe(false)
      }),
      runs(100),
    )
  })

  test.each(['', '0x0', '0xAB', 'ab', '0Xab', '0xa g', '0xab\n', ' 0xab', '0xgg'])(
    '%j is refused',
    (text) => {
      expect(isHex(text)).toBe(false)
      expect(() => fromHex(text)).toThrow(badArgument)
    },
  )

  test('another size than the one asked for is refused', () => {
    expect(() => fromHex('0xab', 2)).toThrow(badArgument)
    expect(isHex(['0xab'], 1)).toBe(false)
  })
})

describe('integers', () => {
  test('a uint64 has one spelling', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        expect(readUint64(String(value))).toBe(value)
        expect(readUint64(`0${value}`)).toBeUndefined()
        expect(readUint64(`+${value}`)).toBeUndefined()
        expect(readUint64(`${value} `)).toBeUndefined()
        expect(readUint64(`${value}\n`)).toBeUndefined()
        expect(readUint64(`0x${value.toString(16)}`)).toBeUndefined()
      }),
      runs(100),
    )
  })

  test.each([
    '',
    '-1',
    '18446744073709551616',
    '99999999999999999999',
    '1e3',
    '1.0',
    '１',
    1,
    1n,
    null,
    ['1'],
  ])('%s is no uint64', (value) => {
    expect(readUint64(value)).toBeUndefined()
  })

  test('a uint32 is a whole number below 2^32', () => {
    expect([0, 1, 4_294_967_295].every(isUint32)).toBe(true)
    expect([-1, 0.5, 4_294_967_296, Number.NaN, '1', 1n, null, undefined, [1]].some(isUint32)).toBe(false)
  })
})

describe('bytes', () => {
  test('they join and compare as node joins and compares them', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(concatBytes(a, b)).toEqual(new Uint8Array(Buffer.concat([a, b])))
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b))
        expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0)
        expect(equalBytes(a, a.slice())).toBe(true)
        expect(equalBytes(a, concatBytes(a, Uint8Array.of(0)))).toBe(false)
      }),
      runs(200),
    )
  })
})
