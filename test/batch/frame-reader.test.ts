import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeLine,
  encodeItem,
  FrameReader,
  RecordPreparer,
  summarizeRecords,
} from '../../src/batch/index.ts'
import { concatBytes, utf8 } from '../../src/bytes/bytes.ts'
import { sampleRecords } from '../../src/client/sample.ts'
import { VerificationError } from '../../src/errors.ts'
import {
  canonicalText,
  factsOf,
  openPseudonyms,
  parseRecord,
  type RecordFacts,
  sealRecord,
  textOf,
} from '../../src/record/index.ts'
import { runs } from '../bytes/runs.ts'
import { exampleOf, type Json } from '../record/examples.ts'

const lineOf = (record: Json) => {
  const sealed = sealRecord(parseRecord(record))
  return encodeItem({ record: sealed.record, disclosures: sealed.disclosures })
}
const sample = [...sampleRecords({ seed: 'reader', count: 600, from: new Date('2026-03-01T00:00:00Z') })]
const lines = sample.map((record) => lineOf(record as unknown as Json))

/** What a listener hears of a record. */
type Told = RecordFacts & { requestId: string | undefined; reason: string | undefined }
const told = (facts: RecordFacts, textOf: (name: string) => string | undefined): Told => ({
  ...facts,
  requestId: textOf('requestId'),
  reason: textOf('reason'),
})

/** What a reader finds in one frame, or the code with which it refuses it. */
function read(frame: Uint8Array) {
  const facts: Told[] = []
  return outcomeOf(() => {
    const reader = new FrameReader((one, _record, textOf) => facts.push(told(one, textOf)))
    reader.read(frame, true)
    return { ...summarizeRecords(reader.finish()), facts }
  })
}

/** The same by the functions that read a line at a time. */
function readSlowly(frame: Uint8Array) {
  return outcomeOf(() => {
    const preparer = new RecordPreparer()
    const facts: Told[] = []
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(frame)
    for (const line of text.split('\n').slice(0, -1)) {
      const { item, text } = decodeLine(line)
      preparer.add(item, openPseudonyms(item.record, item.disclosures), text)
      facts.push(told(factsOf(item.record), (name) => textOf(item.record, name)))
    }
    return { ...summarizeRecords(preparer.finish()), facts }
  })
}

function outcomeOf<T>(work: () => T): T | string {
  try {
    return work()
  } catch (error) {
    if (error instanceof VerificationError) return error.code
    if (error instanceof TypeError && 'code' in error) return 'MALFORMED_RECORD'
    throw error
  }
}

const frameOf = (some: readonly string[]) => utf8(some.map((line) => `${line}\n`).join(''))

describe('records read out of bytes', () => {
  test('of every type are what they are when each is parsed', () => {
    for (let at = 0; at < lines.length; at += 256) {
      const frame = frameOf(lines.slice(at, at + 256))
      expect(read(frame)).toEqual(readSlowly(frame))
    }
  })

  const call = exampleOf('tidemark.call.v1')
  const texts = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
    fc.constantFrom(
      'a'.repeat(256),
      'a'.repeat(257),
      '省'.repeat(256),
      '😀'.repeat(200),
      '"',
      '\\',
      '\u007f',
      '\u2028',
    ),
  )
  const numbers = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, 1, 2 ** 53 - 1, 10 ** 15, 10 ** 15 - 1))
  const days = fc.constantFrom(
    '2026-02-28',
    '2026-02-29',
    '2024-02-29',
    '2026-04-31',
    '1970-01-01',
    '2100-12-31',
  )

  test('with any values of their members are what they are when each is parsed', () => {
    fc.assert(
      fc.property(
        fc.record(
          { id: texts, subject: texts, day: days, clock: fc.nat(86_399_999) },
          { requiredKeys: ['day', 'clock'] },
        ),
        fc.record(
          {
            consumer: texts,
            operation: texts,
            purpose: texts,
            requestId: texts,
            rows: numbers,
            status: texts,
          },
          { requiredKeys: [] },
        ),
        ({ day, clock, ...envelope }, data) => {
          const time = `${day}T${new Date(clock).toISOString().slice(11)}`
          const { record, disclosures } = sealRecord(parseRecord(call))
          const text = canonicalText({ ...record, time, ...envelope, data: { ...record.data, ...data } })
          for (const line of [text, `{"disclosures":${JSON.stringify(disclosures)},"record":${text}}`]) {
            const frame = frameOf([line])
            expect(read(frame)).toEqual(readSlowly(frame))
          }
        },
      ),
      runs(300),
    )
  })

  const spots = [
    '"',
    '\\',
    ',',
    ':',
    '{',
    '}',
    '[',
    ']',
    '0',
    '1',
    '-',
    '.',
    'e',
    'a',
    'A',
    '_',
    'Z',
    ' ',
    '\u0000',
    'é',
    '\u007f',
    '9',
  ]
  const change = fc.record({
    line: fc.nat(lines.length - 1),
    at: fc.nat(2_000),
    removed: fc.nat(3),
    inserted: fc.array(
      fc.oneof(fc.constantFrom(...spots.map((one) => utf8(one))), fc.uint8Array({ maxLength: 2 })),
      {
        maxLength: 2,
      },
    ),
  })

  test('that somebody has changed are refused, or taken, as when each is parsed', () => {
    let taken = 0
    fc.assert(
      fc.property(change, ({ line, at, removed, inserted }) => {
        const bytes = utf8(lines[line] as string)
        const start = at % bytes.length
        const changed = concatBytes(bytes.subarray(0, start), ...inserted, bytes.subarray(start + removed))
        fc.pre(!changed.includes(0x0a))
        const frame = concatBytes(changed, utf8('\n'))
        const found = read(frame)
        expect(found).toEqual(readSlowly(frame))
        if (typeof found !== 'string') taken++
      }),
      runs(3_000),
    )
    expect(taken).toBeGreaterThan(100)
  })

  test('are refused when their disclosure opens another record', () => {
    const withPerson = lines.filter((line) => line.startsWith('{"disclosures":["'))
    const [a = '', b = ''] = withPerson
    const swapped = `${a.slice(0, a.indexOf('"record":'))}${b.slice(b.indexOf('"record":'))}`
    expect(read(frameOf([swapped]))).toBe('BAD_DISCLOSURE')
    expect(read(frameOf([b]))).not.toBe('BAD_DISCLOSURE')
  })

  const sealed = sealRecord(parseRecord(call))
  const tag = 'A'.repeat(43)
  const disclosure = (text: string) => Buffer.from(text).toString('base64url')
  const digestOf = (one: string) => createHash('sha256').update(one).digest('base64url')
  test.each([
    ['the algorithm of its digests is not named', { data: { _sd_alg: undefined } }],
    ['its digests are not there', { data: { _sd: undefined } }],
    ['a pseudonym is none of its digests', { data: { _sd_pseudonyms: [digestOf('another')] } }],
  ])('are refused when %s', (_, { data }) => {
    const record = { ...sealed.record, data: JSON.parse(JSON.stringify({ ...sealed.record.data, ...data })) }
    const frame = frameOf([encodeItem({ record, disclosures: sealed.disclosures })])
    expect(read(frame)).toEqual(expect.any(String))
    expect(read(frame)).toEqual(readSlowly(frame))
  })

  test.each([
    ['a salt', `["${'A'.repeat(22)}","person","${tag}"]`, true],
    ['a salt with spare bits', `["${'A'.repeat(21)}B","person","${tag}"]`, false],
    ['a salt that is too short', `["${'A'.repeat(20)}","person","${tag}"]`, false],
    ['white space', `["${'A'.repeat(22)}", "person","${tag}"]`, true],
    ['a tag with spare bits', `["${'A'.repeat(22)}","person","${'A'.repeat(42)}B"]`, false],
    ['another name', `["${'A'.repeat(22)}","people","${tag}"]`, false],
  ])('are taken or refused by %s in what opens them', (_, text, isGood) => {
    const opens = disclosure(text)
    const data = { ...sealed.record.data, _sd: [digestOf(opens)], _sd_pseudonyms: [digestOf(opens)] }
    const frame = frameOf([encodeItem({ record: { ...sealed.record, data }, disclosures: [opens] })])
    expect(typeof read(frame)).toBe(isGood ? 'object' : 'string')
    expect(read(frame)).toEqual(readSlowly(frame))
  })

  test.each([
    ['an empty frame', new Uint8Array(0)],
    ['a line without its end', utf8(lines[0] as string)],
    ['more than 256 lines', frameOf(lines.slice(0, 257))],
  ])('are refused in %s', (_, frame) => {
    expect(read(frame)).toBe('BATCH_MISMATCH')
  })

  test('are refused in a frame that is neither full nor the last', () => {
    const reader = new FrameReader(() => undefined)
    expect(() => reader.read(frameOf(lines.slice(0, 255)), false)).toThrow(
      expect.objectContaining({ code: 'BATCH_MISMATCH' }),
    )
  })
})
