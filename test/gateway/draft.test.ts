import { describe, expect, test } from 'vitest'
import { encodeItem } from '../../src/batch/index.ts'
import { concatBytes } from '../../src/bytes/bytes.ts'
import { InputError } from '../../src/errors.ts'
import { contentOf, type Draft, isSameContent, readDraft } from '../../src/gateway/draft.ts'
import { decodeBody, decodeLogEntry, encodeLogHead } from '../../src/gateway/log-entry.ts'
import { parseLine, splitSubmission } from '../../src/gateway/media.ts'
import { canonicalText, leafHash, openRecord, parseRecord, sealRecord } from '../../src/record/index.ts'
import { exampleOf, type Json, WRONG } from '../record/examples.ts'

const call = (change: Json = {}) => ({ ...exampleOf('tidemark.call.v1'), ...change })
const sealedCall = () => sealRecord(parseRecord(call()))
const open = ({ body }: Draft) => contentOf(decodeBody(body))
const at = (...values: unknown[]) => values.map((value, i) => ({ line: 10 * (i + 1), value }))

function refusal(read: () => unknown): { code: string; line?: number; pointer?: string } {
  try {
    read()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return { code: error.code, ...error.place }
  }
  throw new Error('it was not refused')
}

describe('a draft', () => {
  test('keeps pseudonyms beside the record, and puts private members into the vault', () => {
    const draft = readDraft(at(call()), 10)
    expect(draft.source).toBe('urn:tidemark:service:civil-registry')
    const { items, vault } = open(draft)
    const [item] = items
    if (item === undefined) throw new Error('the draft has no item')
    expect(item.disclosures).toHaveLength(1)
    expect(vault).toEqual([[expect.any(String), expect.any(String)]])
    expect(item.record.data).not.toHaveProperty('person')
    expect(item.record.data).not.toHaveProperty('agent')
    expect(openRecord(item.record, [...item.disclosures, ...(vault[0] ?? [])])).toEqual(parseRecord(call()))
  })

  test('takes what its source has sealed byte for byte, with its disclosures or without', () => {
    const { record, disclosures, vault } = sealedCall()
    const whole = open(readDraft(at({ record, disclosures: [...vault, ...disclosures] }), 10))
    expect(whole.items).toEqual([{ record, disclosures }])
    expect(new Set(whole.vault[0])).toEqual(new Set(vault))
    const closed = open(readDraft(at({ record, disclosures }), 10))
    expect(closed.items).toEqual([{ record, disclosures }])
    expect(closed.vault).toEqual([[]])
    const bare = sealRecord(parseRecord({ ...exampleOf('tidemark.destruction.v1') }))
    expect(open(readDraft(at(bare.record), 10)).items).toEqual([{ record: bare.record, disclosures: [] }])
  })

  test('is the same as another when it opens to the same, whatever the salts', () => {
    const read = (...values: unknown[]) => open(readDraft(at(...values), 10))
    const one = read(call(), call({ id: 'b' }))
    expect(isSameContent(one, read(call(), call({ id: 'b' })))).toBe(true)
    expect(isSameContent(one, read(call()))).toBe(false)
    expect(isSameContent(one, read(call({ id: 'b' }), call()))).toBe(false)
    const data = { ...call().data, note: 'asked elsewhere' }
    expect(isSameContent(one, read(call(), call({ id: 'b', data })))).toBe(false)
  })

  test('is the same as one of which something was erased, as far as that can be told', () => {
    const read = (...values: unknown[]) => open(readDraft(at(...values), 10))
    const earlier = read(call(), call({ id: 'b' }))
    const erased = { ...earlier, vault: earlier.vault.map((texts) => texts.slice(1)) }
    expect(isSameContent(read(call(), call({ id: 'b' })), erased)).toBe(true)
    const { agent: _, note: __, ...bare } = call().data as Json
    expect(isSameContent(read(call(), call({ id: 'b', data: bare })), erased)).toBe(false)
    for (const data of [
      { ...call().data, purpose: 'another' },
      { ...bare, note: 'x', legalBasis: 'instead of the agent' },
    ]) {
      expect(isSameContent(read(call(), call({ id: 'b', data })), erased)).toBe(false)
    }
    expect(isSameContent(read(call(), call({ id: 'b' })), { ...earlier, vault: [[], []] })).toBe(true)
  })

  test('is the same whether its lines are spelled as the ledger spells them or not', () => {
    const { record, disclosures, vault } = sealRecord(parseRecord(call({ id: '\u00e9 \ud83d\ude00 "\\' })))
    const item = { record, disclosures: [...disclosures, ...vault] }
    const read = (text: string) => {
      const incoming = { line: 1, value: JSON.parse(text), text }
      return decodeBody(readDraft([incoming], 1, 'sealed').body)
    }
    const canonical = read(canonicalText(item))
    expect(read(JSON.stringify(item, null, 1))).toEqual(canonical)
    expect(new TextDecoder().decode(canonical.records.lines)).toBe(`${encodeItem({ record, disclosures })}\n`)
    expect(canonical.records.leafHashes).toEqual(leafHash(record))
  })

  test('survives the log as it was', () => {
    const draft = readDraft(at(call(), call({ id: 'line\nfeed \u2028' })), 10)
    const submission = {
      source: draft.source,
      sequence: 2n ** 63n - 1n,
      root: new Uint8Array(32).fill(7),
      size: 2,
      receivedAt: 1,
      anchorBy: 2,
      voucher: { by: 'token' as const },
    }
    const read = decodeLogEntry(concatBytes(encodeLogHead(submission), draft.body))
    expect(read.submission).toEqual(submission)
    expect(decodeBody(read.body)).toEqual(decodeBody(draft.body))
  })
})

describe('a draft is refused with the line and the pointer:', () => {
  const good = call()

  test.each<[string, unknown[], object]>([
    ['nothing', [], { code: 'EMPTY_SUBMISSION' }],
    ['a number', [7], { code: 'BAD_RECORD', line: 10, pointer: '' }],
    ['null', [good, null], { code: 'BAD_RECORD', line: 20, pointer: '' }],
    ['a list', [good, []], { code: 'BAD_RECORD', line: 20, pointer: '' }],
    ['an unknown type', [call({ type: 'x' })], { code: 'BAD_RECORD', line: 10, pointer: '/type' }],
    ['a missing id', [good, call({ id: undefined })], { code: 'BAD_RECORD', line: 20, pointer: '/id' }],
    ['an unknown member', [call({ extra: 1 })], { code: 'BAD_RECORD', line: 10, pointer: '/extra' }],
    ['a bad time', [call({ time: 'noon' })], { code: 'BAD_RECORD', line: 10, pointer: '/time' }],
    [
      'another source',
      [good, call({ id: 'b', source: 'urn:other' })],
      { code: 'MIXED_SOURCES', line: 20, pointer: '/source' },
    ],
    ['an id twice', [good, call({ id: 'b' }), call()], { code: 'DUPLICATE_ID', line: 30, pointer: '/id' }],
    [
      'more records than allowed',
      ['a', 'b', 'c', 'd'].map((id) => call({ id })),
      { code: 'TOO_LARGE', line: 40 },
    ],
  ])('%s', (_, values, expected) => {
    expect(refusal(() => readDraft(at(...values), 3))).toEqual(expected)
  })

  test.each(WRONG.slice(0, 20))('a wrong member of %s: %s', (type, member, value) => {
    const example = exampleOf(type)
    example.data[member] = value
    expect(refusal(() => readDraft(at(example), 3))).toMatchObject({
      code: 'BAD_RECORD',
      line: 10,
      pointer: expect.stringMatching(new RegExp(`^/data/${member}`)),
    })
  })

  test('disclosures that do not fit', () => {
    const { record, disclosures, vault } = sealedCall()
    const foreign = sealedCall().disclosures
    const refusals = [
      { record, disclosures: [...disclosures, ...disclosures] },
      { record, disclosures: foreign },
      { record, disclosures: ['?'] },
      { record, disclosures: vault },
      { record, disclosures: 'all' },
      record,
    ].map((value) => refusal(() => readDraft(at(call({ id: 'first' }), value), 9)))
    for (const found of refusals) {
      expect(found).toEqual({ code: 'BAD_DISCLOSURE', line: 20, pointer: '/disclosures' })
    }
  })

  test('an item with a third member', () => {
    const { record, disclosures } = sealedCall()
    expect(refusal(() => readDraft(at({ record, disclosures, more: 1 }), 9))).toEqual({
      code: 'BAD_RECORD',
      line: 10,
      pointer: '/more',
    })
  })

  test('a record of 65,536 bytes', () => {
    const inputs = Array.from({ length: 256 }, () => '\u4e2d'.repeat(100))
    const transfer = exampleOf('tidemark.transfer.v1')
    transfer.data.inputs = inputs
    expect(refusal(() => readDraft(at(transfer), 9))).toEqual({ code: 'TOO_LARGE', line: 10 })
  })
})

describe('a body', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  const parse = (type: string, body: Uint8Array) =>
    [...splitSubmission(type, body)].flatMap((one) => ('body' in one ? (parseLine(one) ?? []) : one))
  const split = (type: string, text: string) => parse(type, bytes(text))

  test.each(['application/x-ndjson', 'application/ndjson', 'Application/X-NDJSON; charset=utf-8'])(
    'of %s has a record a line, empty lines aside',
    (type) => {
      expect(split(type, '{"a":1}\n\n  \r\n{"b":2}\r\n')).toMatchObject([
        { line: 1, value: { a: 1 } },
        { line: 4, value: { b: 2 } },
      ])
      expect(split(type, '')).toEqual([])
    },
  )

  test('of one event is one record', () => {
    expect(split('application/cloudevents+json', '{\n"a":1}')).toMatchObject([{ line: 1, value: { a: 1 } }])
  })

  test('of a batch of events is its members, counted from 1', () => {
    expect(split('application/cloudevents-batch+json', '[{"a":1},7]')).toEqual([
      { line: 1, value: { a: 1 } },
      { line: 2, value: 7 },
    ])
  })

  test.each<[string, string, string, object]>([
    ['no type', '', '{}', { code: 'UNSUPPORTED_MEDIA_TYPE' }],
    ['another type', 'text/plain', '{}', { code: 'UNSUPPORTED_MEDIA_TYPE' }],
    ['plain JSON', 'application/json', '{}', { code: 'UNSUPPORTED_MEDIA_TYPE' }],
    ['a line that is cut off', 'application/x-ndjson', '{}\n{"a":', { code: 'BAD_JSON', line: 2 }],
    ['a batch that is no list', 'application/cloudevents-batch+json', '{}', { code: 'BAD_JSON', line: 1 }],
    ['an event that is no JSON', 'application/cloudevents+json', 'x', { code: 'BAD_JSON', line: 1 }],
  ])('is refused for %s', (_, type, text, expected) => {
    expect(refusal(() => split(type, text))).toEqual(expected)
  })

  test('that is not UTF-8 is refused', () => {
    const body = Uint8Array.of(0x7b, 0x7d, 0x0a, 0x7b, 0xff)
    expect(refusal(() => parse('application/x-ndjson', body))).toEqual({ code: 'BAD_JSON', line: 2 })
  })

  test('may begin with a byte order mark, as no other line may', () => {
    expect(split('application/x-ndjson', '\ufeff{"a":1}')).toMatchObject([{ line: 1, value: { a: 1 } }])
    expect(refusal(() => split('application/x-ndjson', '{}\n\ufeff{}'))).toEqual({
      code: 'BAD_JSON',
      line: 2,
    })
  })
})

describe('the lines of a signed submission', () => {
  const lineOf = (change: Json) => {
    const { record, disclosures, vault } = sealRecord(parseRecord(call(change)))
    return canonicalText({ disclosures: [...disclosures, ...vault], record })
  }
  const { agent: _, note: __, ...data } = call().data as Json
  // A person alone is read from its bytes, an agent or an escape is parsed.
  const lines = [
    lineOf({ id: '1', data }),
    lineOf({ id: '2' }),
    lineOf({ id: '3', data: { ...data, purpose: 'a "reason"' } }),
    lineOf({ id: '4', data: { ...data, purpose: '理由' } }),
  ]
  const readLines = (text: string) =>
    readDraft(splitSubmission('application/x-ndjson', new TextEncoder().encode(text)), 4, 'sealed')

  test('make the same draft from their bytes as each would parsed', () => {
    const parsed = readDraft(at(...lines.map((line) => JSON.parse(line) as unknown)), 4, 'sealed')
    for (const [feed, end] of [
      ['\n', ''],
      ['\n', '\n'],
      ['\r\n', '\r\n'],
      ['\n\n', '\n \n'],
    ] as const) {
      const draft = readLines(`${lines.join(feed)}${end}`)
      expect(decodeBody(draft.body)).toEqual(decodeBody(parsed.body))
      expect(draft).toMatchObject({ source: parsed.source, size: 4, root: parsed.root })
    }
  })

  test.each([
    ['an id that stood there', lineOf({ id: '2', data }), { code: 'DUPLICATE_ID', line: 5, pointer: '/id' }],
    [
      'another source',
      lineOf({ source: 'urn:x', data }),
      { code: 'MIXED_SOURCES', line: 5, pointer: '/source' },
    ],
    ['one too many', lineOf({ id: '5', data }), { code: 'TOO_LARGE', line: 5 }],
  ])('are refused for %s', (_name, line, expected) => {
    expect(refusal(() => readLines([...lines, line].join('\n')))).toEqual(expected)
  })
})
