import { createHash, randomFillSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  canonicalText,
  disclosureDigest,
  type FlowRecord,
  leafHash,
  openPseudonyms,
  openRecord,
  parseDisclosure,
  parseRecord,
  parseSealedRecord,
  RECORD_TYPES,
  type RecordTypeName,
  sealedKind,
  sealRecord,
} from '../../src/record/index.ts'
import { runs } from '../bytes/runs.ts'
import { exampleOf } from './examples.ts'

const TYPES = Object.keys(RECORD_TYPES) as RecordTypeName[]

const badDisclosure = (message: unknown = expect.any(String)) =>
  expect.objectContaining({ name: 'VerificationError', code: 'BAD_DISCLOSURE', message })

const sha256 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const base64url = (text: string) => Buffer.from(text).toString('base64url')
const disclosureOf = (...parts: unknown[]) => base64url(JSON.stringify(parts))

/** A salt that is another one at every call, and the same at every run. */
function counting(): () => Uint8Array {
  let calls = 0
  return () => new Uint8Array(16).fill(++calls)
}

describe('published vectors', () => {
  test.each([
    // RFC 9901, sections 4.2.1 and 4.2.3
    [
      'WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0',
      'X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0',
      'family_name',
      'Möbius',
    ],
    // RFC 9901, section 5.1: claims of the issuer's example
    [
      'WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgImdpdmVuX25hbWUiLCAiSm9obiJd',
      'jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4',
      'given_name',
      'John',
    ],
    [
      'WyJlbHVWNU9nM2dTTklJOEVZbnN4QV9BIiwgImZhbWlseV9uYW1lIiwgIkRvZSJd',
      'TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo',
      'family_name',
      'Doe',
    ],
    [
      'WyI2SWo3dE0tYTVpVlBHYm9TNXRtdlZBIiwgImVtYWlsIiwgImpvaG5kb2VAZXhhbXBsZS5jb20iXQ',
      'JzYjH4svliH0R3PyEMfeZu6Jt69u5qehZo7F7EPYlSE',
      'email',
      'johndoe@example.com',
    ],
    [
      'WyJlSThaV205UW5LUHBOUGVOZW5IZGhRIiwgInBob25lX251bWJlciIsICIrMS0yMDItNTU1LTAxMDEiXQ',
      'PorFbpKuVu6xymJagvkFsFXAbRoc2JGlAUA2BA4o7cI',
      'phone_number',
      '+1-202-555-0101',
    ],
  ])('%s has the digest %s and opens %s', (disclosure, digest, name, value) => {
    expect(disclosureDigest(disclosure)).toBe(digest)
    expect(parseDisclosure(disclosure)).toEqual({ name, value })
  })

  // RFC 9901, section 4.2.1: other spellings of the first; each has a digest of its own.
  test.each([
    ['escaped', String.raw`["_26bc4LT-ac6q2KI6cBW5es","family_name","M\u00f6bius"]`],
    ['without blanks', '["_26bc4LT-ac6q2KI6cBW5es","family_name","Möbius"]'],
    ['with line feeds', '[\n"_26bc4LT-ac6q2KI6cBW5es",\n"family_name",\n"Möbius"\n]'],
  ])('the same content %s opens the same and has another digest', (_, text) => {
    expect(parseDisclosure(base64url(text))).toEqual({ name: 'family_name', value: 'Möbius' })
    expect(disclosureDigest(base64url(text))).not.toBe('X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0')
  })

  // Early drafts of SD-JWT, section 5.2: its salt is shorter than 128 bits, so it hashes but does not open.
  test('the disclosure of the drafts has its digest, and a salt too short for us', () => {
    const disclosure = 'WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0'
    expect(disclosureDigest(disclosure)).toBe('uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY')
    expect(() => parseDisclosure(disclosure)).toThrow(badDisclosure())
  })
})

/** An open record of any type, each optional member there or not, its text of any kind. */
const openRecords = fc
  .record({
    type: fc.constantFrom(...TYPES),
    drop: fc.infiniteStream(fc.boolean()),
    note: fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
    person: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  .map(({ type, drop, note, person }) => {
    const record = exampleOf(type)
    for (const member of Object.keys(record.data)) {
      if (sealedKind(type, member) === undefined) continue
      if (drop.next().value === true) delete record.data[member]
      else if (member === 'person') record.data[member] = Buffer.from(person).toString('base64url')
      else record.data[member] = note
    }
    return parseRecord(record)
  })

describe('properties', () => {
  test('sealed and opened with all disclosures, a record is as it was', () => {
    fc.assert(
      fc.property(openRecords, (record) => {
        const copy = structuredClone(record)
        const sealed = sealRecord(record)
        expect(openRecord(sealed.record, [...sealed.vault, ...sealed.disclosures])).toEqual(record)
        expect(record).toEqual(copy)
        expect(parseSealedRecord(JSON.parse(canonicalText(sealed.record)))).toEqual(sealed.record)
      }),
      runs(200),
    )
  })

  test('each digest is SHA-256 over the disclosure, which holds salt, name and value', () => {
    fc.assert(
      fc.property(openRecords, (record) => {
        const salts = counting()
        const { record: sealed, disclosures, vault } = sealRecord(record, salts)
        const all = [...disclosures, ...vault]
        expect(sealed.data._sd ?? []).toEqual(all.map((text) => sha256(text).toString('base64url')).sort())
        expect(sealed.data._sd_alg).toBe(all.length === 0 ? undefined : 'sha-256')
        for (const disclosure of all) {
          const [salt, name, value] = JSON.parse(Buffer.from(disclosure, 'base64url').toString())
          expect(Buffer.from(salt, 'base64url')).toHaveLength(16)
          expect(value).toBe(record.data[name])
          expect(sealed.data).not.toHaveProperty(name)
          expect(disclosures.includes(disclosure)).toBe(name === 'person')
        }
      }),
      runs(200),
    )
  })

  test('opened with some disclosures, only those members come back', () => {
    fc.assert(
      fc.property(openRecords, fc.infiniteStream(fc.boolean()), (record, shown) => {
        const { record: sealed, disclosures, vault } = sealRecord(record)
        const some = [...disclosures, ...vault].filter(() => shown.next().value)
        const names = some.map((disclosure) => parseDisclosure(disclosure).name)
        const { data } = openRecord(sealed, some)
        for (const [name, value] of Object.entries(record.data)) {
          const open = sealedKind(record.type, name) === undefined || names.includes(name)
          expect(data[name]).toEqual(open ? value : undefined)
        }
        expect(data).not.toHaveProperty('_sd')
        expect(data).not.toHaveProperty('_sd_alg')
      }),
      runs(100),
    )
  })

  test('any changed character of a disclosure refuses it', () => {
    const { record, disclosures } = sealRecord(parseRecord(exampleOf('tidemark.call.v1')), counting())
    const [disclosure = ''] = disclosures
    fc.assert(
      fc.property(
        fc.nat(disclosure.length - 1),
        fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ \u00e9'),
        (at, character) => {
          fc.pre(disclosure[at] !== character)
          const forged = disclosure.slice(0, at) + character + disclosure.slice(at + 1)
          expect(() => openRecord(record, [forged])).toThrow(badDisclosure())
        },
      ),
      runs(200),
    )
  })

  test('the leaf hash is SHA-256 over 0x00 and the canonical text', () => {
    fc.assert(
      fc.property(openRecords, (record) => {
        const sealed = sealRecord(record).record
        const expected = sha256(Uint8Array.of(0), canonicalText(sealed))
        expect(Buffer.from(leafHash(sealed)).equals(expected)).toBe(true)
      }),
      runs(50),
    )
  })
})

describe('salts', () => {
  test('are random unless given, so that one value never has one digest', () => {
    const record = parseRecord(exampleOf('tidemark.call.v1'))
    const digests = Array.from({ length: 20 }, () => sealRecord(record).record.data._sd ?? []).flat()
    expect(new Set(digests).size).toBe(60)
  })

  test('one is drawn for each member', () => {
    let calls = 0
    sealRecord(parseRecord(exampleOf('tidemark.destruction.v1')), () => {
      calls++
      return randomFillSync(new Uint8Array(16))
    })
    expect(calls).toBe(4)
  })
})

describe('what does not open a record is refused', () => {
  const call = () => sealRecord(parseRecord(exampleOf('tidemark.call.v1')), counting())

  /** A sealed record that carries the digests of these disclosures, whatever they hold. */
  const carrying = (type: RecordTypeName, ...disclosures: string[]): FlowRecord => {
    const { record } = sealRecord(parseRecord(exampleOf(type)), counting())
    record.data._sd = disclosures.map(disclosureDigest).sort()
    return record
  }

  const salt = 'AAAAAAAAAAAAAAAAAAAAAA'
  const tag = exampleOf('tidemark.call.v1').data.person

  test('a disclosure that stands there twice', () => {
    const { record, disclosures } = call()
    expect(() => openRecord(record, [...disclosures, ...disclosures])).toThrow(badDisclosure())
  })

  test('a disclosure of another record', () => {
    const other = sealRecord(parseRecord(exampleOf('tidemark.call.v1')))
    expect(() => openRecord(call().record, other.disclosures)).toThrow(badDisclosure())
  })

  test('the same content in another spelling', () => {
    const { record, disclosures } = call()
    const text = Buffer.from(disclosures[0] ?? '', 'base64url').toString()
    expect(() => openRecord(record, [base64url(text.replaceAll(',', ', '))])).toThrow(badDisclosure())
    expect(() => openRecord(record, [`${disclosures[0]}=`])).toThrow(badDisclosure())
  })

  test('any disclosure at all, where nothing is sealed', () => {
    const heartbeat = parseRecord(exampleOf('tidemark.heartbeat.v1'))
    expect(openRecord(heartbeat, [])).toEqual(heartbeat)
    expect(() => openRecord(heartbeat, call().disclosures)).toThrow(badDisclosure())
  })

  test.each([
    ['a name that the type does not know', 'tidemark.call.v1', ['nickname', 'x']],
    ['a name that the type keeps open', 'tidemark.call.v1', ['purpose', 'x']],
    ['a name that another type seals', 'tidemark.call.v1', ['witness', 'x']],
    ['a name of every object', 'tidemark.call.v1', ['constructor', 'x']],
    ['the prototype', 'tidemark.call.v1', ['__proto__', { polluted: true }]],
    ['_sd', 'tidemark.call.v1', ['_sd', []]],
    ['a tag that is none', 'tidemark.call.v1', ['person', 'citizen 4711']],
    ['a value that is not text', 'tidemark.call.v1', ['agent', { name: 'clerk' }]],
    ['text that is too long', 'tidemark.call.v1', ['note', 'n'.repeat(4097)]],
    ['anything in a type that seals nothing', 'tidemark.checkpoint.v1', ['note', 'x']],
  ] as const)('%s, though the record carries its digest', (_, type, [name, value]) => {
    const disclosure = disclosureOf(salt, name, value)
    expect(() => openRecord(carrying(type, disclosure), [disclosure])).toThrow(badDisclosure())
    expect({}).not.toHaveProperty('polluted')
  })

  test('one member opened twice, by two disclosures that the record carries', () => {
    const twice = [disclosureOf(salt, 'person', tag), disclosureOf(`${salt}AA`, 'person', tag)]
    const record = carrying('tidemark.call.v1', ...twice)
    record.data._sd_pseudonyms = twice.map(disclosureDigest).sort()
    expect(openRecord(record, twice.slice(1)).data.person).toBe(tag)
    expect(() => openRecord(record, twice)).toThrow(badDisclosure(expect.stringContaining('twice')))
  })

  test('a pseudonym that the record does not list as one, and a private member that it does', () => {
    const person = disclosureOf(salt, 'person', tag)
    expect(() => openRecord(carrying('tidemark.call.v1', person), [person])).toThrow(badDisclosure())
    const agent = disclosureOf(salt, 'agent', 'clerk')
    const record = carrying('tidemark.call.v1', agent)
    expect(openRecord(record, [agent]).data.agent).toBe('clerk')
    record.data._sd_pseudonyms = [disclosureDigest(agent)]
    expect(() => openRecord(record, [agent])).toThrow(badDisclosure())
  })

  test('beside a record in a batch: fewer or more than its pseudonyms', () => {
    const { record, disclosures, vault } = sealRecord(parseRecord(exampleOf('tidemark.call.v1')))
    expect(openPseudonyms(record, disclosures)).toMatchObject([{ name: 'person', value: expect.any(String) }])
    expect(() => openPseudonyms(record, [])).toThrow(badDisclosure())
    expect(() => openPseudonyms(record, [...disclosures, ...vault.slice(0, 1)])).toThrow(badDisclosure())
    expect(() => openPseudonyms(record, vault.slice(0, 1))).toThrow(badDisclosure())
  })

  test.each([
    ['no base64url', '!'],
    ['base64 of the other alphabet', Buffer.from('["???", "n", "?>"]').toString('base64')],
    ['spare bits', `${base64url('["a"]').slice(0, -1)}R`],
    ['no UTF-8', Buffer.from([0x5b, 0xff, 0x5d]).toString('base64url')],
    ['a byte order mark', base64url(`\ufeff["${salt}","person","x"]`)],
    ['no JSON', base64url('[')],
    ['nothing', ''],
    ['an object', base64url(`{"salt":"${salt}"}`)],
    ['two parts, as for a list', disclosureOf(salt, 'x')],
    ['four parts', disclosureOf(salt, 'person', 'x', 'y')],
    ['a short salt', disclosureOf(salt.slice(2), 'person', 'x')],
    ['a salt that is no base64url', disclosureOf('!'.repeat(22), 'person', 'x')],
    ['a salt that is a number', disclosureOf(1, 'person', 'x')],
    ['a name that is a number', disclosureOf(salt, 1, 'x')],
  ])('a disclosure that is %s', (_, disclosure) => {
    expect(() => parseDisclosure(disclosure)).toThrow(badDisclosure())
    expect(() => openRecord(carrying('tidemark.call.v1', disclosure), [disclosure])).toThrow(badDisclosure())
  })
})
