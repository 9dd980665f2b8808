import { describe, expect, test } from 'vitest'
import {
  isRecordType,
  parseRecord,
  parseSealedRecord,
  RECORD_TYPES,
  type RecordTypeName,
  sealedKind,
  sealRecord,
  timeOf,
} from '../../src/record/index.ts'
import { DEMANDED, exampleOf, type Json, WRONG } from './examples.ts'

const TYPES = Object.keys(RECORD_TYPES) as RecordTypeName[]
const ENVELOPE = ['specversion', 'id', 'source', 'time', 'data']

const refusal = (pointer: string, reason: unknown = expect.any(String)) =>
  expect.objectContaining({ name: 'InputError', code: 'BAD_RECORD', place: { pointer }, message: reason })

const sealedExampleOf = (type: RecordTypeName): Json & { data: Json } =>
  structuredClone(sealRecord(parseRecord(exampleOf(type))).record) as unknown as Json & { data: Json }

describe.each(TYPES)('a record of %s', (type) => {
  test('is read as it was written', () => {
    expect(parseRecord(exampleOf(type))).toEqual(exampleOf(type))
  })

  test('needs only what its type demands', () => {
    const { subject, traceparent: _, ...record } = exampleOf(type)
    const data = Object.fromEntries(DEMANDED[type].map((member) => [member, record.data[member]]))
    const needsSubject = RECORD_TYPES[type].subject === 'required'
    const least = { ...record, ...(needsSubject ? { subject } : {}), data }
    expect(parseRecord(least)).toEqual(least)
    if (needsSubject) expect(() => parseRecord({ ...record, data })).toThrow(refusal('/subject'))
  })

  test('is refused with the name of what it lacks', () => {
    for (const member of DEMANDED[type]) {
      const record = exampleOf(type)
      delete record.data[member]
      expect(() => parseRecord(record)).toThrow(refusal(`/data/${member}`, `/data/${member}: is missing`))
    }
    for (const member of ENVELOPE) {
      const { [member]: _, ...record } = exampleOf(type)
      expect(() => parseRecord(record)).toThrow(refusal(`/${member}`, `/${member}: is missing`))
    }
  })

  test('is refused with the pointer of a member that its type does not have', () => {
    for (const member of ['extra', 'Side', '_sd', '_sd_alg', 'constructor', '__proto__', 'toString', '']) {
      const reason = expect.stringContaining('is not a member of this type')
      const record = exampleOf(type)
      record.data = withMember(record.data, member)
      expect(() => parseRecord(record)).toThrow(refusal(`/data/${member}`, reason))
      expect(() => parseRecord(withMember(exampleOf(type), member))).toThrow(refusal(`/${member}`, reason))
    }
    const record = exampleOf(type)
    record.data['a/b~c'] = 1
    expect(() => parseRecord(record)).toThrow(refusal('/data/a~1b~0c'))
  })

  test('is refused when a member of another type stands in it', () => {
    for (const other of TYPES) {
      for (const [member, value] of Object.entries(exampleOf(other).data)) {
        if (member in exampleOf(type).data) continue
        const record = exampleOf(type)
        record.data[member] = value
        expect(() => parseRecord(record)).toThrow(refusal(`/data/${member}`))
      }
    }
  })

  test('sealed, is read as it is, and no longer as an open one unless nothing is sealed', () => {
    const sealed = sealedExampleOf(type)
    expect(parseSealedRecord(sealed)).toEqual(sealed)
    if ('_sd' in sealed.data)
      expect(() => parseRecord(sealed)).toThrow(/^\/data\/_sd(?:_alg|_pseudonyms)?: is not a member/)
    else expect(parseRecord(sealed)).toEqual(sealed)
  })

  test('sealed, is refused with any sealable member in the open', () => {
    for (const member of Object.keys(exampleOf(type).data)) {
      if (sealedKind(type, member) === undefined) continue
      const sealed = sealedExampleOf(type)
      sealed.data[member] = exampleOf(type).data[member]
      expect(() => parseSealedRecord(sealed)).toThrow(refusal(`/data/${member}`))
    }
  })
})

test.each(WRONG)('a wrong value is named: %s, %s: %j', (type, member, value) => {
  const record = exampleOf(type)
  record.data[member] = value
  expect(() => parseRecord(record)).toThrow(
    expect.objectContaining({
      name: 'InputError',
      code: 'BAD_RECORD',
      place: { pointer: expect.stringMatching(new RegExp(`^/data/${member}(?:/|$)`)) },
    }),
  )
})

test('the wrong values cover every member of every type', () => {
  const covered = new Set(WRONG.map(([type, member]) => `${type} ${member}`))
  const members = TYPES.flatMap((type) =>
    Object.keys(exampleOf(type).data).map((member) => `${type} ${member}`),
  )
  expect(members.filter((member) => !covered.has(member))).toEqual([])
  for (const type of TYPES) {
    const { open, pseudonyms, privates } = RECORD_TYPES[type]
    const known = Object.keys({ ...open, ...pseudonyms, ...privates })
    expect(Object.keys(exampleOf(type).data).sort()).toEqual(known.sort())
  }
})

test.each([
  ['specversion', '1.1'],
  ['id', ''],
  ['id', 'i'.repeat(129)],
  ['id', 1],
  ['source', ''],
  ['source', 'two words'],
  ['source', 'amt-für'],
  ['source', 's\0'],
  ['source', 's'.repeat(257)],
  ['type', 'tidemark.call.v2'],
  ['type', 'toString'],
  ['type', undefined],
  ['time', 1_790_000_000],
  ['subject', ''],
  ['traceparent', '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01'],
  ['datacontenttype', 'text/plain'],
  ['datacontenttype', 'application/jsonx'],
  ['datacontenttype', ['application/json']],
  ['datacontenttype', { toString: null }],
  ['data', null],
  ['data', []],
  ['data', 'text'],
])('a wrong value of the envelope is named: %s: %j', (member, value) => {
  const record = { ...exampleOf('tidemark.call.v1'), [member]: value }
  expect(() => parseRecord(record)).toThrow(refusal(`/${member}`))
})

test.each([[undefined], [null], [1], ['{}'], [[]], [[{}]]])('%j is no record', (value) => {
  expect(() => parseRecord(value)).toThrow(
    expect.objectContaining({ name: 'InputError', code: 'BAD_RECORD' }),
  )
  expect(() => parseSealedRecord(value)).toThrow(
    expect.objectContaining({ name: 'InputError', code: 'BAD_RECORD' }),
  )
})

test('lengths count characters, not UTF-16 code units', () => {
  const id = '😀'.repeat(128)
  expect(parseRecord({ ...exampleOf('tidemark.breaker.v1'), id }).id).toBe(id)
  expect(() => parseRecord({ ...exampleOf('tidemark.breaker.v1'), id: `${id}x` })).toThrow(refusal('/id'))
})

test('a type is one that the ledger knows, and no name that every object has', () => {
  expect(TYPES.every(isRecordType)).toBe(true)
  expect(['__proto__', 'constructor', 'hasOwnProperty', '', 1, null, undefined].some(isRecordType)).toBe(
    false,
  )
})

test('half of a surrogate pair is refused wherever text stands', () => {
  const half = '\ud800'
  const call = exampleOf('tidemark.call.v1')
  for (const parse of [parseRecord, parseSealedRecord]) {
    const record = parse === parseRecord ? call : sealedExampleOf('tidemark.call.v1')
    expect(() => parse({ ...record, id: half })).toThrow(refusal('/id'))
    expect(() => parse({ ...record, data: { ...record.data, consumer: half } })).toThrow(
      refusal('/data/consumer'),
    )
  }
  expect(() => parseRecord({ ...call, data: { ...call.data, note: half } })).toThrow(refusal('/data/note'))
})

describe('time', () => {
  const parseTime = (time: string) => parseRecord({ ...exampleOf('tidemark.heartbeat.v1'), time }).time

  test.each([
    ['2026-03-01T09:30:00.125Z', '2026-03-01T09:30:00.125Z'],
    ['2026-03-01T09:30:00Z', '2026-03-01T09:30:00.000Z'],
    ['2026-03-01T09:30:00.1Z', '2026-03-01T09:30:00.100Z'],
    ['2026-03-01t09:30:00.12z', '2026-03-01T09:30:00.120Z'],
    ['2026-03-01T09:30:00.123999999Z', '2026-03-01T09:30:00.123Z'],
    ['2026-03-01T09:30:00+08:00', '2026-03-01T01:30:00.000Z'],
    ['2026-03-01T01:30:00.5+05:45', '2026-02-28T19:45:00.500Z'],
    ['2028-02-29T23:30:00-01:00', '2028-03-01T00:30:00.000Z'],
    ['2026-12-31T23:59:59.999-23:59', '2027-01-01T23:58:59.999Z'],
    ['2026-03-01T09:30:00-00:00', '2026-03-01T09:30:00.000Z'],
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s is kept as %s', (written, kept) => {
    expect(parseTime(written)).toBe(kept)
    expect(timeOf(parseRecord({ ...exampleOf('tidemark.heartbeat.v1'), time: written }))).toBe(
      Date.parse(kept),
    )
  })

  test.each([
    ['30 February', '2026-02-30T09:30:00.000Z'],
    ['29 February of a common year', '2026-02-29T09:30:00Z'],
    ['31 June', '2026-06-31T09:30:00+02:00'],
    ['month 13', '2026-13-01T09:30:00.000Z'],
    ['day 0', '2026-03-00T09:30:00.000Z'],
    ['hour 24', '2026-03-01T24:00:00.000Z'],
    ['hour 24 with an offset', '2026-03-01T24:00:00+01:00'],
    ['minute 60', '2026-03-01T09:60:00Z'],
    ['a leap second', '2016-12-31T23:59:60Z'],
    ['an offset of a day', '2026-03-01T09:30:00+24:00'],
    ['an offset of 60 minutes', '2026-03-01T09:30:00+01:60'],
    ['an offset without a colon', '2026-03-01T09:30:00+0100'],
    ['no offset', '2026-03-01T09:30:00.000'],
    ['a date alone', '2026-03-01'],
    ['a blank for the T', '2026-03-01 09:30:00Z'],
    ['a comma', '2026-03-01T09:30:00,125Z'],
    ['no seconds', '2026-03-01T09:30Z'],
    ['a line feed behind', '2026-03-01T09:30:00.000Z\n'],
    ['full-width digits', '２０２６-03-01T09:30:00.000Z'],
    ['a year before 1970', '1969-12-31T23:59:59.999Z'],
    ['a year before 1970 in UTC', '1970-01-01T00:00:00+00:01'],
    ['a year of five digits in UTC', '9999-12-31T23:59:59-00:01'],
    ['a year of five digits', '+010000-01-01T00:00:00.000Z'],
    ['nothing', ''],
  ])('%s is refused', (_, time) => {
    expect(() => parseTime(time)).toThrow(refusal('/time'))
  })

  test('a record does not say what its content is once it is read', () => {
    const record = exampleOf('tidemark.heartbeat.v1')
    for (const datacontenttype of ['application/json', 'Application/JSON; charset=utf-8']) {
      expect(parseRecord({ ...record, datacontenttype })).toEqual(record)
    }
  })

  test('reading does not change what was given', () => {
    const record = { ...exampleOf('tidemark.call.v1'), time: '2026-03-01T09:30:00+08:00' }
    const copy = structuredClone(record)
    parseRecord(record)
    expect(record).toEqual(copy)
  })
})

describe('what begins does not end before', () => {
  test('a heartbeat', () => {
    const beat = exampleOf('tidemark.heartbeat.v1')
    beat.data = { from: beat.data.to, to: beat.data.to }
    expect(parseRecord(beat)).toEqual(beat)
    beat.data.to = '2026-03-01T00:59:59.999Z'
    expect(() => parseRecord(beat)).toThrow(refusal('/data/to'))
    expect(() => parseSealedRecord(beat)).toThrow(refusal('/data/to'))
  })

  test('a grant', () => {
    const { data, ...rest } = exampleOf('tidemark.authorization.v1')
    const withTimes = (notBefore: number, notAfter: number) => ({
      ...rest,
      data: { ...data, grant: { ...(data.grant as Json), notBefore, notAfter } },
    })
    expect(parseRecord(withTimes(5, 5))).toEqual(withTimes(5, 5))
    expect(() => parseRecord(withTimes(6, 5))).toThrow(refusal('/data/grant/notAfter'))
  })
})

describe('the sealed form is strict', () => {
  const sealed = () => sealedExampleOf('tidemark.call.v1')
  const digests = (record: { data: Json }) => record.data._sd as string[]

  test.each([
    '2026-03-01T09:30:00Z',
    '2026-03-01T09:30:00.1Z',
    '2026-03-01T09:30:00.125+00:00',
    '2026-03-01t09:30:00.125z',
    '2026-02-30T09:30:00.125Z',
    '2026-03-01T24:00:00.000Z',
    '2026-03-01T09:30:60.000Z',
    '2026-03-01T09:30:00.125Z\n',
  ])('the time %j is refused', (time) => {
    expect(() => parseSealedRecord({ ...sealed(), time })).toThrow(refusal('/time'))
  })

  test('digests out of order, twice, none at all, or too many are refused', () => {
    const record = sealed()
    digests(record).reverse()
    expect(() => parseSealedRecord(record)).toThrow(refusal('/data/_sd/1'))
    const [first = '', ...rest] = digests(sealed())
    record.data._sd = [first, first, ...rest]
    expect(() => parseSealedRecord(record)).toThrow(refusal('/data/_sd/1'))
    record.data._sd = []
    expect(() => parseSealedRecord(record)).toThrow(refusal('/data/_sd'))
    record.data._sd = Array.from({ length: 65 }, () => first)
    expect(() => parseSealedRecord(record)).toThrow(refusal('/data/_sd'))
  })

  test('a digest that is not base64url of 32 bytes in its one spelling is refused', () => {
    for (const digest of ['', 'short', `${'A'.repeat(42)}B`, `${'A'.repeat(43)}=`, `${'A'.repeat(42)}+`]) {
      const record = sealed()
      record.data._sd = [digest]
      expect(() => parseSealedRecord(record)).toThrow(refusal('/data/_sd/0'))
    }
  })

  test('digests and their algorithm come together, and the algorithm is SHA-256', () => {
    const withoutAlgorithm = sealed()
    delete withoutAlgorithm.data._sd_alg
    expect(() => parseSealedRecord(withoutAlgorithm)).toThrow(refusal('/data/_sd_alg'))
    const withoutDigests = sealed()
    delete withoutDigests.data._sd
    expect(() => parseSealedRecord(withoutDigests)).toThrow(refusal('/data/_sd_alg'))
    const other = sealed()
    other.data._sd_alg = 'sha-512'
    expect(() => parseSealedRecord(other)).toThrow(refusal('/data/_sd_alg'))
  })

  test('pseudonyms are listed, as many as the type can have, and stand among the digests', () => {
    const record = sealed()
    const [first = '', second = ''] = digests(record)
    record.data._sd_pseudonyms = [second]
    expect(parseSealedRecord(record)).toEqual(record)
    for (const [pointer, pseudonyms] of [
      ['/data/_sd_pseudonyms', [first, second]],
      ['/data/_sd_pseudonyms/0', ['A'.repeat(43)]],
      ['/data/_sd_pseudonyms/0', ['short']],
      ['/data/_sd_pseudonyms', []],
      ['/data/_sd_pseudonyms', first],
    ] as const) {
      record.data._sd_pseudonyms = pseudonyms
      expect(() => parseSealedRecord(record)).toThrow(refusal(pointer))
    }
    const transfer = sealedExampleOf('tidemark.transfer.v1')
    transfer.data._sd_pseudonyms = transfer.data._sd
    expect(() => parseSealedRecord(transfer)).toThrow(refusal('/data/_sd_pseudonyms'))
    record.data._sd_pseudonyms = [second]
    const bare = structuredClone(record)
    delete bare.data._sd
    delete bare.data._sd_alg
    expect(() => parseSealedRecord(bare)).toThrow(refusal('/data/_sd_pseudonyms/0'))
  })

  test('a parameter of the content type is refused', () => {
    const kept = { ...sealed(), datacontenttype: 'application/json' }
    expect(parseSealedRecord(kept)).toEqual(kept)
    expect(() =>
      parseSealedRecord({ ...sealed(), datacontenttype: 'application/json; charset=utf-8' }),
    ).toThrow(refusal('/datacontenttype'))
  })
})

/** A copy with one more member of its own, also where the name is `__proto__`. */
function withMember<T extends object>(target: T, name: string): T {
  return Object.defineProperty({ ...target }, name, { value: {}, enumerable: true, configurable: true })
}
