import { decodeRlp as decodeByEthers, encodeRlp as encodeByEthers, hexlify } from 'ethers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../src/bytes/bytes.ts'
import { fromHex, type Hex, toHex } from '../../src/bytes/hex.ts'
import { decodeRlp, encodeRlp, isBytes, type Rlp, rlpNumber } from '../../src/bytes/rlp.ts'
import { runs } from './runs.ts'

type Spelt = Hex | Spelt[]
const spell = (item: Rlp): Spelt => (isBytes(item) ? toHex(item) : item.map(spell))
const badEvidence = expect.objectContaining({ name: 'VerificationError', code: 'BAD_EVIDENCE' })

const items = fc.letrec<{ item: Rlp }>((tie) => ({
  item: fc.oneof(
    { maxDepth: 4 },
    fc.uint8Array({ maxLength: 80 }),
    fc.uint8Array({ minLength: 250, maxLength: 300 }),
    fc.array(tie('item'), { maxLength: 6 }),
  ),
})).item

describe('published vectors', () => {
  const lorem = 'Lorem ipsum dolor sit amet, consectetur adipisicing elit'
  const three: Rlp = [[], [[]], [[], [[]]]]
  test.each<[string, Rlp, Hex]>([
    ['a text', utf8('dog'), '0x83646f67'],
    ['a list', [utf8('cat'), utf8('dog')], '0xc88363617483646f67'],
    ['the empty text', utf8(''), '0x80'],
    ['the empty list', [], '0xc0'],
    ['zero as a number', rlpNumber(0), '0x80'],
    ['one byte of zero', Uint8Array.of(0), '0x00'],
    ['15', rlpNumber(15), '0x0f'],
    ['1024', rlpNumber(1024), '0x820400'],
    ['the set of three', three, '0xc7c0c1c0c3c0c1c0'],
    ['a text of 56 bytes', utf8(lorem), `0xb838${toHex(utf8(lorem)).slice(2)}`],
  ])('%s is spelt as the Ethereum wiki has it', (_, item, bytes) => {
    expect(toHex(encodeRlp(item))).toBe(bytes)
    expect(spell(decodeRlp(fromHex(bytes)))).toEqual(spell(item))
  })
})

test('what is encoded is what ethers encodes, and is decoded again', () => {
  fc.assert(
    fc.property(items, (item) => {
      const bytes = encodeRlp(item)
      expect(toHex(bytes)).toBe(encodeByEthers(spell(item)))
      expect(spell(decodeRlp(bytes))).toEqual(spell(item))
    }),
    runs(300),
  )
})

test('bytes are refused or are the one spelling of what they decode to', () => {
  const start = fc.constantFrom(
    0,
    0x7f,
    0x80,
    0x81,
    0x82,
    0xb7,
    0xb8,
    0xb9,
    0xbf,
    0xc0,
    0xc1,
    0xf7,
    0xf8,
    0xff,
  )
  const bytes = fc
    .tuple(start, fc.uint8Array({ maxLength: 70 }))
    .map(([first, rest]) => Uint8Array.of(first, ...rest))
  fc.assert(
    fc.property(fc.oneof(bytes, fc.uint8Array({ maxLength: 70 })), (some) => {
      let item: Rlp
      try {
        item = decodeRlp(some)
      } catch (error) {
        expect(error).toEqual(badEvidence)
        return
      }
      expect(toHex(encodeRlp(item))).toBe(toHex(some))
      expect(decodeByEthers(hexlify(some))).toEqual(spell(item))
    }),
    runs(2_000),
  )
})

test.each<[string, Hex]>([
  ['nothing', '0x'],
  ['a byte more', '0x8000'],
  ['a text that ends too early', '0x83646f'],
  ['a list that ends too early', '0xc883636174'],
  ['an element that leaves its list', '0xc283646f67'],
  ['a small byte with a length', '0x8101'],
  ['a long length where a short one fits', `0xb801ff`],
  ['a length with a leading zero', `0xb90038${'00'.repeat(56)}`],
  ['a length beyond all memory', `0xbf${'ff'.repeat(8)}`],
  ['lists in lists without end', `0x${'c1'.repeat(30)}c0`],
])('%s is refused', (_, bytes) => {
  expect(() => decodeRlp(fromHex(bytes))).toThrow(badEvidence)
})

test('lists nested two hundred thousand deep are refused and do not exhaust the stack', () => {
  const backwards = [0xc0]
  for (let level = 0; level < 200_000; level++) {
    const { length } = backwards
    const lengthBytes = rlpNumber(length)
    backwards.push(
      ...(length <= 55 ? [0xc0 + length] : [...lengthBytes.toReversed(), 0xf7 + lengthBytes.length]),
    )
  }
  expect(() => decodeRlp(Uint8Array.from(backwards.toReversed()))).toThrow(badEvidence)
})
