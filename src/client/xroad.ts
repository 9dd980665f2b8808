import { toBase64url } from '../bytes/base64url.ts'
import { utf8 } from '../bytes/bytes.ts'
import { sha256 } from '../bytes/sha256.ts'
import { InputError } from '../errors.ts'
import { type FlowRecord, parseRecord } from '../record/index.ts'
import { accountOf, type CallAccount } from '../rules/reconcile.ts'

/**
 * Turns X-Road's operational-monitoring rows (PR-OPMON, annex B, and the spellings of X-Road Metrics) into calls.
 *
 * Each row is one side's account of a call: a Client row is the consumer's, a Producer row the provider's. Parties are
 * `xroad:<instance>/<class>/<member>[/<subsystem>]`, services the same with `/<code>[.<version>]` behind it, every part
 * percent-encoded (RFC 3986: all but unreserved characters; in a code the dot too, which otherwise starts the version).
 * The source is the reporting party with `?side=consumer` or `?side=provider`, so that a member which calls itself still
 * reports as two sources. Times of open data are rounded to the hour by whoever published it.
 */

/** One row of an X-Road file, not yet checked. */
export interface XroadRow {
  /** one-based line on which the row starts */
  line: number
  value: unknown
}

/**
 * Splits a file into its rows: NDJSON, a JSON list, or X-Road's own answer `{"records": [...]}`.
 *
 * @throws {InputError} `BAD_JSON` with the line, when a line is not JSON
 */
export function parseXroad(text: string): XroadRow[] {
  const whole = tryJson(text)
  const list = Array.isArray(whole) ? whole : recordsOf(whole)
  if (list !== undefined) {
    const lines = elementLines(text)
    return list.map((value: unknown, i) => ({ line: lines[i] ?? 1, value }))
  }
  const rows: XroadRow[] = []
  text.split('\n').forEach((line, i) => {
    if (line.trim() !== '') rows.push({ line: i + 1, value: parseLine(line, i + 1) })
  })
  return rows
}

/**
 * One row as an open `tidemark.call.v1` record.
 *
 * The `id` holds the message id and a digest of the row, so the same row always gives the same id and two rows that
 * differ never share one. Left out of the digest is what a collector adds on storing a row (`insertTime`, `_id`); two
 * rows that differ in nothing else are one row twice, get one id, and the ledger refuses the second. How a row spells
 * an absent value ("None", null, nothing) or a number (5, "5") makes no difference.
 *
 * `durationMs` is the time that the reporting security server took from receiving the request to sending the response,
 * which X-Road Metrics calls `totalDuration` on the client's side and `producerDurationProducerView` on the producer's.
 * Sizes are those of the whole MIME message where it had attachments. `status` is the fault code, cut to 64 characters,
 * or else the HTTP status. The user's code becomes the sealed `agent`, the fault's text the sealed `note`.
 *
 * @param line of the row, for the error
 * @throws {InputError} `BAD_RECORD` with the field of the row as the pointer
 */
export function fromXroad(value: unknown, line?: number): FlowRecord {
  const row = new Row(value, line)
  const side = sideOf(row)
  const consumer = partyOf(row, 'client')
  const provider = partyOf(row, 'service')
  const operation = row.need('serviceCode', 256)
  const version = row.text('serviceVersion')
  const service = `${encodePart(operation).replaceAll('.', '%2E')}${version ? `.${encodePart(version)}` : ''}`
  const succeeded = row.flag('succeeded')
  const status = row.text('faultCode') ?? row.text('soapFaultCode') ?? row.text('statusCode')
  const note = row.text('faultString') ?? row.text('soapFaultString')
  const data: FlowRecord['data'] = {
    side,
    consumer,
    provider,
    operation,
    requestId:
      row.text('xRequestId') === undefined ? row.need('messageId', 128) : row.need('xRequestId', 128),
    outcome: succeeded ? 'success' : 'failed',
    ...present('status', status && cut(status, 64)),
    ...present('requestBytes', sizeOf(row, 'request')),
    ...present('responseBytes', sizeOf(row, 'response')),
    ...present('durationMs', durationOf(row, side)),
    ...present('agent', row.textUpTo('messageUserId', 256)),
    ...present('note', note && cut(note, 4096)),
  }
  return parseRecord({
    specversion: '1.0',
    id: `${cut(row.text('messageId') ?? 'xroad', 96).replaceAll(/[^!-~]/g, '_')}.${row.digest()}`,
    source: row.short(`${side === 'consumer' ? consumer : provider}?side=${side}`, sideField(side)),
    type: 'tidemark.call.v1',
    time: row.time('requestInTs'),
    subject: row.short(`${provider}/${service}`, 'serviceCode'),
    data,
  })
}

/**
 * What one row says of a call, for reconciliation; the record that it becomes says the same.
 *
 * A row without `xRequestId` and `messageId` became no call: its security server refused it before. No record can hold
 * it, but it is an account of its own, which nothing meets.
 *
 * @param line of the row, for the error
 * @throws {InputError} `BAD_RECORD` with the field of the row as the pointer
 */
export function xroadAccount(value: unknown, line?: number): CallAccount {
  const row = new Row(value, line)
  if ((row.text('xRequestId') ?? row.text('messageId')) !== undefined)
    return accountOf(fromXroad(value, line))
  const side = sideOf(row)
  return {
    source: `xroad:?side=${side}`,
    id: `xroad.${row.digest()}`,
    side,
    requestId: '',
    timeMs: Date.parse(row.time('requestInTs')),
    consumer: '',
    provider: '',
    subject: '',
    operation: '',
    stated: { outcome: row.flag('succeeded') ? 'success' : 'failed' },
  }
}

/** What a collector adds on storing a row; it says nothing of the call. */
const BOOKKEEPING = ['insertTime', '_id']

/** The fields of one row, read as strictly as its spelling allows. */
class Row {
  readonly #fields: ReadonlyMap<string, unknown>
  readonly #line: number | undefined

  constructor(value: unknown, line: number | undefined) {
    this.#line = line
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.#bad('', 'a row is a JSON object')
    }
    this.#fields = new Map(Object.entries(value).filter(([, field]) => !isAbsent(field)))
  }

  text(field: string): string | undefined {
    const value = this.#fields.get(field)
    if (value === undefined) return undefined
    if (typeof value !== 'string' && typeof value !== 'number') throw this.#bad(field, 'must be a text')
    const text = String(value)
    if (!text.isWellFormed()) throw this.#bad(field, 'holds half of a surrogate pair')
    return text
  }

  textUpTo(field: string, maxLength: number): string | undefined {
    const text = this.text(field)
    return text === undefined ? undefined : this.short(text, field, maxLength)
  }

  need(field: string, maxLength: number): string {
    const text = this.textUpTo(field, maxLength)
    if (text === undefined) throw this.#bad(field, 'is missing')
    return text
  }

  /** A value made of a field, which a record must be able to hold. */
  short(text: string, field: string, maxLength = 256): string {
    if ([...text].length > maxLength)
      throw this.#bad(field, `is longer than ${maxLength} characters in a record`)
    return text
  }

  count(field: string): number | undefined {
    const value = this.#fields.get(field)
    if (value === undefined) return undefined
    const number = typeof value === 'string' && /^(?:0|[1-9][0-9]*)$/.test(value) ? Number(value) : value
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) {
      throw this.#bad(field, 'must be a whole number of at least 0')
    }
    return number
  }

  time(field: string): string {
    const ms = this.count(field)
    if (ms === undefined) throw this.#bad(field, 'is missing')
    if (ms > LAST_MS) throw this.#bad(field, 'is not a time in milliseconds since 1970')
    return new Date(ms).toISOString()
  }

  flag(field: string): boolean {
    const value = this.#fields.get(field)
    if (value === undefined) throw this.#bad(field, 'is missing')
    const text = String(value).toLowerCase()
    if (text !== 'true' && text !== 'false') throw this.#bad(field, 'must be true or false')
    return text === 'true'
  }

  choice<Value>(field: string, values: Readonly<Record<string, Value>>): Value {
    const text = this.text(field)
    if (text === undefined) throw this.#bad(field, 'is missing')
    const value = Object.hasOwn(values, text) ? values[text] : undefined
    if (value === undefined) throw this.#bad(field, `must be ${Object.keys(values).join(' or ')}`)
    return value
  }

  /** base64url of the first 16 bytes of SHA-256 over all fields, sorted, numbers and flags spelt as text. */
  digest(): string {
    const parts = [...this.#fields]
      .filter(([field]) => !BOOKKEEPING.includes(field))
      .map(
        ([field, value]) =>
          [field, typeof value === 'object' ? JSON.stringify(value) : spell(value)] as const,
      )
      .sort(([a], [b]) => (a < b ? -1 : 1))
    return toBase64url(sha256(utf8(JSON.stringify(parts))).subarray(0, 16))
  }

  #bad(field: string, reason: string): InputError {
    const row = this.#line === undefined ? 'the row' : `the row in line ${this.#line}`
    const place = { ...present('line', this.#line), pointer: field === '' ? '' : `/${field}` }
    return new InputError(
      'BAD_RECORD',
      field === '' ? `${row}: ${reason}` : `${row}: ${field} ${reason}`,
      place,
    )
  }
}

/** 9999-12-31T23:59:59.999Z, the last time that a record can spell. */
const LAST_MS = 253_402_300_799_999

type Side = 'consumer' | 'provider'

const sideOf = (row: Row): Side =>
  row.choice<Side>('securityServerType', { Client: 'consumer', Producer: 'provider' })

const sideField = (side: Side) => (side === 'consumer' ? 'clientMemberCode' : 'serviceMemberCode')

function partyOf(row: Row, role: 'client' | 'service'): string {
  const parts = [`${role}XRoadInstance`, `${role}MemberClass`, `${role}MemberCode`].map((field) =>
    row.need(field, 256),
  )
  const subsystem = row.textUpTo(`${role}SubsystemCode`, 256)
  if (subsystem !== undefined) parts.push(subsystem)
  return row.short(`xroad:${parts.map(encodePart).join('/')}`, `${role}MemberCode`)
}

/** RFC 3986, section 2: all but the unreserved characters become `%XX` of their UTF-8 bytes. */
const encodePart = (part: string) =>
  encodeURIComponent(part).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** X-Road before 6.22 wrote the SOAP size only; REST has its own field; X-Road Metrics joins both in one. */
const sizeOf = (row: Row, message: 'request' | 'response') =>
  row.count(`${message}MimeSize`) ??
  row.count(`${message}SoapSize`) ??
  row.count(`${message}RestSize`) ??
  row.count(`${message}Size`)

function durationOf(row: Row, side: Side): number | undefined {
  const start = row.count('requestInTs')
  const end = row.count('responseOutTs')
  if (start === undefined || end === undefined) {
    return row.count(side === 'consumer' ? 'totalDuration' : 'producerDurationProducerView')
  }
  // A clock that was set back during the call measured nothing.
  return end < start ? undefined : end - start
}

const isAbsent = (value: unknown) => value === undefined || value === null || value === '' || value === 'None'

const spell = (value: unknown) => (typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value))

const cut = (text: string, maxLength: number) => [...text].slice(0, maxLength).join('')

const present = <Name extends string, Value>(name: Name, value: Value | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { [name in Name]?: Value }

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not one JSON value: its lines are read one by one, and they say what is wrong.
    return undefined
  }
}

function recordsOf(value: unknown): unknown[] | undefined {
  if (typeof value !== 'object' || value === null || !('records' in value)) return undefined
  return Array.isArray(value.records) ? value.records : undefined
}

function parseLine(text: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new InputError('BAD_JSON', `line ${line} is not JSON: ${message}`, { line }, { cause })
  }
}

/** Where the elements of the first list in a JSON text start, as lines. The text is JSON: no syntax is checked. */
function elementLines(text: string): number[] {
  const lines: number[] = []
  let line = 1
  let depth = 0
  let expected = false
  for (const [token] of text
    .slice(text.indexOf('['))
    .matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},\n]|[^\s"[\]{},:]+/g)) {
    if (token === '\n') {
      line++
      continue
    }
    if (expected && token !== ']') {
      lines.push(line)
      expected = false
    }
    if (token === '[' || token === '{') {
      depth++
      if (depth === 1) expected = true
    } else if (token === ']' || token === '}') {
      depth--
      if (depth === 0) break
    } else if (token === ',' && depth === 1) expected = true
  }
  const before = text.slice(0, text.indexOf('[')).split('\n').length - 1
  return lines.map((found) => found + before)
}
