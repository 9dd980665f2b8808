import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseBundle } from '../../src/proof/index.ts'
import { runs } from '../bytes/runs.ts'

test('reads any JSON as JSON.parse does, however it is spaced', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), fc.constantFrom(0, 2, '\t'), (value, space) => {
      const text = JSON.stringify(value, null, space)
      expect(parseBundle(text)).toEqual(JSON.parse(text))
    }),
    runs(300),
  )
})

test.each([
  ['at the top', '{"a":1,"a":1}'],
  ['further in', '[{"b":{"a":":","c":2,"a":{}}}]'],
  ['in two spellings', String.raw`{"a":1,"\u0061":2}`],
  ['the prototype', '{"__proto__":1,"__proto__":2}'],
])('refuses a member that is named twice: %s', (_, text) => {
  expect(() => parseBundle(text)).toThrow(
    expect.objectContaining({ code: 'BAD_BUNDLE', message: expect.stringMatching(/twice/) }),
  )
})

test.each(['', '{', '{}{}', '\ufeff{}', 'NaN', '{"a":1,}', "{'a':1}", '{"a":01}', '"\t"'])(
  'refuses what is not JSON: %j',
  (text) => {
    expect(() => parseBundle(text)).toThrow(
      expect.objectContaining({ name: 'InputError', code: 'BAD_BUNDLE' }),
    )
  },
)

test('reads what is nested very deep without falling over', () => {
  const text = '['.repeat(200_000) + ']'.repeat(200_000)
  expect(Array.isArray(parseBundle(text))).toBe(true)
})
