import type { Validator } from 'typebox/compile'
import { InputError } from '../errors.ts'
import { openSchema, sealedSchema, validator } from './schema.ts'
import { isRecordType, RECORD_TYPES, type RecordTypeName } from './types.ts'

/** A CloudEvents 1.0 event of one of the ledger's types (docs/format.md, "Records"). */
export interface FlowRecord {
  specversion: '1.0'
  id: string
  source: string
  type: RecordTypeName
  /** RFC 3339, UTC, milliseconds */
  time: string
  /** catalogue id of the data resource */
  subject?: string
  datacontenttype?: 'application/json'
  traceparent?: string
  data: { [member: string]: unknown; _sd?: string[]; _sd_alg?: 'sha-256'; _sd_pseudonyms?: string[] }
}

/**
 * Reads a record as a source writes it: nothing sealed, any RFC 3339 time.
 *
 * Normalises `time` to UTC milliseconds and drops `datacontenttype`, which is always JSON.
 *
 * @throws {InputError} `BAD_RECORD` with the pointer of the first fault
 */
export function parseRecord(value: unknown): FlowRecord {
  const event = object(value)
  const { datacontenttype, ...rest } = event
  if (datacontenttype !== undefined && !isJsonType(datacontenttype)) {
    throw bad('/datacontenttype', 'data must be application/json')
  }
  const type = recordType(event)
  const normal = typeof rest.time === 'string' ? { ...rest, time: normalTime(rest.time) } : rest
  return check(
    normal,
    validator(`open ${type}`, () => openSchema(type)),
  )
}

/**
 * Reads a record as the ledger keeps it: sealed, and exactly as it was hashed.
 *
 * @throws {InputError} `BAD_RECORD` with the pointer of the first fault
 */
export function parseSealedRecord(value: unknown): FlowRecord {
  const type = recordType(object(value))
  const record = check(
    value,
    validator(`sealed ${type}`, () => sealedSchema(type)),
  )
  checkDigests(record)
  return record
}

function checkDigests({ data }: FlowRecord): void {
  const { _sd: digests, _sd_alg: algorithm, _sd_pseudonyms: pseudonyms } = data
  if ((digests === undefined) !== (algorithm === undefined)) {
    throw bad('/data/_sd_alg', '_sd and _sd_alg come together')
  }
  checkAscending(digests, '/data/_sd')
  checkAscending(pseudonyms, '/data/_sd_pseudonyms')
  pseudonyms?.forEach((digest, i) => {
    if (digests?.includes(digest) !== true) throw bad(`/data/_sd_pseudonyms/${i}`, 'does not stand in _sd')
  })
}

function checkAscending(digests: readonly string[] | undefined, pointer: string): void {
  digests?.forEach((digest, i) => {
    const previous = digests[i - 1]
    if (previous !== undefined && previous >= digest) {
      throw bad(`${pointer}/${i}`, 'the digests are sorted, each once')
    }
  })
}

/** Milliseconds since 1970 of a record's `time`. */
export const timeOf = (record: FlowRecord): number => Date.parse(record.time)

function check(value: unknown, schema: Validator): FlowRecord {
  if (!schema.Check(value)) {
    const errors = schema.Errors(value)
    // The deepest fault says most: a closed object also complains at each of its parents.
    const worst = errors.reduce((a, b) => (b.instancePath.length > a.instancePath.length ? b : a))
    const unknownMember = worst.message === 'schema is false'
    const missing = errors.find((error) => error.keyword === 'required')
    if (missing !== undefined && !unknownMember && worst.instancePath.length <= missing.instancePath.length) {
      const [member] = (missing.params as { requiredProperties: string[] }).requiredProperties
      throw bad(`${missing.instancePath}/${member}`, 'is missing')
    }
    throw bad(worst.instancePath, unknownMember ? 'is not a member of this type' : worst.message)
  }
  if (!isWellFormed(value)) checkText(value, '')
  const record = value as FlowRecord
  checkTimes(record)
  checkPeriods(record)
  return record
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isWellFormed)
  for (const member in value) if (!isWellFormed((value as Record<string, unknown>)[member])) return false
  return true
}

/** Text must have UTF-8 bytes to be hashed: no half of a surrogate pair. Says where one is. */
function checkText(value: unknown, pointer: string): void {
  if (typeof value === 'string' && !value.isWellFormed()) throw bad(pointer, 'holds half of a surrogate pair')
  if (typeof value !== 'object' || value === null) return
  for (const [member, inner] of Object.entries(value)) checkText(inner, `${pointer}/${member}`)
}

function checkTimes(record: FlowRecord): void {
  checkTime('/time', record.time)
  for (const member of TIME_MEMBERS) {
    const value = record.data[member]
    if (typeof value === 'string') checkTime(`/data/${member}`, value)
  }
}

function checkTime(pointer: string, value: string): void {
  const date = new Date(value)
  // Date rolls what does not exist over to the next day: 30 February, 24 o'clock.
  if (Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(value.slice(8, 10)))
    throw bad(pointer, 'is not a date that exists')
  if (date.getTime() < 0) throw bad(pointer, 'is before 1970')
}

const TIME_MEMBERS = ['effectiveAt', 'detectedAt', 'reportedAt', 'deadline', 'from', 'to']

/** What begins must not end before. */
function checkPeriods({ type, data }: FlowRecord): void {
  const { from, to } = data
  if (typeof from === 'string' && typeof to === 'string' && from > to) throw bad('/data/to', 'is before from')
  if (type !== 'tidemark.authorization.v1') return
  const { notBefore, notAfter } = data.grant as { notBefore: number; notAfter: number }
  if (notBefore > notAfter) throw bad('/data/grant/notAfter', 'is before notBefore')
}

/** RFC 3339, section 5.6, with any offset and up to nine decimals, as UTC milliseconds; other text is left alone. */
function normalTime(time: string): string {
  const parts =
    /^(\d{4}-\d\d-\d\d)[Tt]((?:[01]\d|2[0-3]):\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/.exec(time)
  if (parts === null) return time
  const [, date = '', clock, decimals = '', offset = 'Z'] = parts
  // Date rolls 30 February over to March; only a date that exists may be normalised.
  const midnight = new Date(`${date}T00:00:00.000Z`)
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(date)) return time
  const normal = new Date(`${date}T${clock}.${decimals.slice(0, 3).padEnd(3, '0')}${offset.toUpperCase()}`)
  return Number.isNaN(normal.getTime()) ? time : normal.toISOString()
}

const isJsonType = (type: unknown) => typeof type === 'string' && /^application\/json\s*(?:;|$)/i.test(type)

function recordType(event: Record<string, unknown>): RecordTypeName {
  if (isRecordType(event.type)) return event.type
  throw bad('/type', `must be one of ${Object.keys(RECORD_TYPES).join(', ')}`)
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad('', 'a record is a JSON object')
  return value as Record<string, unknown>
}

const bad = (pointer: string, reason: string) =>
  new InputError('BAD_RECORD', `${pointer === '' ? 'the record' : pointer}: ${reason}`, { pointer })
