import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalBytes, canonicalText, isCanonicalText } from '../../src/record/index.ts'
import { runs } from '../bytes/runs.ts'

const utf8 = (text: string) => new Uint8Array(new TextEncoder().encode(text))

describe('published vectors', () => {
  // RFC 8785, section 3.2.2, without its member "numbers", which holds floats.
  test('the sample of RFC 8785, section 3.2.2, is written as section 3.2.4 shows', () => {
    const input = String.raw`{
      "string": "€$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`
    expect(canonicalText(JSON.parse(input))).toBe(
      String.raw`{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  test('the UTF-8 bytes of that sample are those of section 3.2.4', () => {
    const value = JSON.parse(String.raw`"€$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"`)
    const published =
      '22 e2 82 ac 24 5c 75 30 30 30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c 22 2f 22'.replaceAll(' ', '')
    expect(Buffer.from(canonicalBytes(value)).toString('hex')).toBe(published)
  })

  // RFC 8785, section 3.2.3: the names in their expected order, by their values.
  test('the names of RFC 8785, section 3.2.3, are sorted by UTF-16 code units', () => {
    const input = String.raw`{
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis"
    }`
    expect(Object.values(JSON.parse(canonicalText(JSON.parse(input))) as object)).toEqual([
      // an integer-like name comes first in any parsed object
      'One',
      'Carriage Return',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ])
    expect(canonicalText(JSON.parse(input)).indexOf('"\\r"')).toBe(1)
  })

  // RFC 8785, appendix B: the rows that are integers.
  test.each([
    [0, '0'],
    [-0, '0'],
    [9007199254740991, '9007199254740991'],
    [-9007199254740991, '-9007199254740991'],
  ])('the number %d is written %s', (number, text) => {
    expect(canonicalText(number)).toBe(text)
  })
})

describe('properties', () => {
  const key = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constantFrom('__proto__', 'constructor', 'toJSON', '', '1', '\u0000', '"', '\u2028', '😀', 'דּ'),
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.maxSafeInteger(),
      fc.constantFrom(null, true, false, 0, -0, '\b\f\n\r\t\u000b\u001f\u007f'),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(key, tie('value'), { maxKeys: 6, noNullPrototype: true }),
    ),
  }))

  test('it writes what the package canonicalize writes', () => {
    fc.assert(
      fc.property(value, (json) => {
        expect(canonicalText(json)).toBe(canonicalize(json))
      }),
      runs(1000),
    )
  })

  // Node 24 may misread an escaped name once it has read the name "\\" (nodejs/node#63785), so none has it here.
  // No record has such a name either: a misread one is refused as unknown.
  test('what it writes reads back as the same value, and is written the same again', () => {
    fc.assert(
      fc.property(
        value.filter((json) => !canonicalText(json).includes(String.raw`"\\"`)),
        (json) => {
          const text = canonicalText(json)
          expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(json)))
          expect(canonicalText(JSON.parse(text))).toBe(text)
          expect(canonicalBytes(json)).toEqual(utf8(text))
        },
      ),
      runs(300),
    )
  })

  // Names that look like integers are read in the order of their values: such a text is refused, never taken wrongly.
  const spelt = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(
        '0',
        '-0',
        '1',
        '1e2',
        '100',
        '1.0',
        'null',
        'true',
        '"a"',
        String.raw`"\u0061"`,
        '"é"',
      ),
      fc.constantFrom(String.raw`"\u000a"`, String.raw`"\n"`, String.raw`"\/"`, '"/"', '"\u2028"'),
      fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
      fc
        .array(
          fc.tuple(fc.constantFrom('"a"', '"b"', '"B"', '"ab"', String.raw`"\u0061"`, ' "c"'), tie('value')),
          { maxLength: 3 },
        )
        .map((members) => `{${members.map(([name, member]) => `${name}:${member}`).join(',')}}`),
    ),
  })).value

  test('a text is called canonical exactly when writing what it says gives that text', () => {
    fc.assert(
      fc.property(spelt, (text) => {
        const value: unknown = JSON.parse(text)
        expect(isCanonicalText(text, value)).toBe(canonicalText(value) === text)
      }),
      runs(1000),
    )
    expect(isCanonicalText('{"10":1,"9":1}', JSON.parse('{"10":1,"9":1}'))).toBe(false)
  })
})

describe('what records do not know is refused', () => {
  test.each([
    ['a float', { a: [1, 0.5] }, '/a/1'],
    ['an unsafe integer', { a: 2 ** 53 }, '/a'],
    ['a number below the safe ones', -(2 ** 53), ''],
    ['infinity', [Number.POSITIVE_INFINITY], '/0'],
    ['not a number', [Number.NaN], '/0'],
    ['half of a surrogate pair', { a: 'x\ud800y' }, '/a'],
    ['half of a surrogate pair in a name', { '\udc00': 1 }, '/\udc00'],
    ['undefined', { a: undefined }, '/a'],
    ['a hole in a list', Array(2), '/0'],
    ['a bigint', { 'a/b~c': 1n }, '/a~1b~0c'],
    ['a function', [() => 0], '/0'],
    ['a symbol', [Symbol('s')], '/0'],
  ])('%s', (_, json, pointer) => {
    expect(() => canonicalText(json)).toThrow(
      expect.objectContaining({ name: 'InputError', code: 'BAD_RECORD', place: { pointer } }),
    )
  })

  test('nesting of 64 is written, of 65 refused', () => {
    const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))
    expect(canonicalText(nested(64))).toBe('['.repeat(64) + ']'.repeat(64))
    expect(() => canonicalText(nested(65))).toThrow(
      expect.objectContaining({ name: 'InputError', code: 'BAD_RECORD' }),
    )
    expect(() => canonicalText(nested(100_000))).toThrow('nested deeper than 64')
  })
})
