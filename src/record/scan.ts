import type { TSchema } from 'typebox'
import * as Type from 'typebox'
import { utf8 } from '../bytes/bytes.ts'
import { digest, sourceName, time, traceParent, word } from './fields.ts'
import {
  DIGEST_CHARACTERS,
  type Scanner,
  scanCount,
  scanDigest,
  scanDigests,
  scanHex,
  scanOneOf,
  scanSource,
  scanText,
  scanTime,
  scanTraceParent,
  scanWord,
  stands,
} from './scan-values.ts'
import { sealedSchema } from './schema.ts'
import type { RecordTypeName } from './types.ts'

/**
 * The types that `RecordScan` knows: those of which there are many. Their members are texts, counts and lists of
 * digests, and no rule connects them but those of `_sd`.
 */
const SCANNED_TYPES = ['tidemark.call.v1', 'tidemark.refusal.v1'] as const satisfies RecordTypeName[]

const [QUOTE, COMMA, OPEN_OBJECT, CLOSE_OBJECT] = [0x22, 0x2c, 0x7b, 0x7d]

/** What stands where a member's value should, and the bytes of its name. */
interface Member {
  name: string
  /** `"name":` */
  key: Uint8Array
  slot: number
  isRequired: boolean
  /** where a value that begins at `at` ends; -1 where it is not one, or not one that is known here */
  scan: Scanner
}

/** The members of the scanned types by name; the values of one record each have a slot. */
const SLOTS: string[] = []

/** Slots that there may be. */
export const SLOT_COUNT = 64

/** @param name of a member of the record or of its `data` */
export function slotOf(name: string): number {
  const slot = SLOTS.indexOf(name)
  return slot === -1 ? SLOTS.push(name) - 1 : slot
}

const DIGESTS = slotOf('_sd')
const ALGORITHM = slotOf('_sd_alg')
const PSEUDONYMS = slotOf('_sd_pseudonyms')

interface Grammar {
  type: RecordTypeName
  /** how a record of the type ends */
  tail: Uint8Array
  members: Member[]
}

/**
 * Reads sealed records straight from their canonical bytes, as `parseSealedRecord` and `isCanonicalText` together would.
 *
 * It knows the records that nearly all are: of a frequent type, with no escaped character. What it does not know may
 * be a record all the same.
 */
export class RecordScan {
  type: RecordTypeName = SCANNED_TYPES[0]
  /** of the record, milliseconds since 1970 */
  timeMs = 0
  /** where the value of each slot begins, without its quotation mark; -1 where the record has none */
  readonly starts: Int32Array = new Int32Array(SLOT_COUNT)
  readonly ends: Int32Array = new Int32Array(SLOT_COUNT)

  /**
   * Whether the bytes from `start` up to `end` are a record, and known; then `starts` and `ends` say where its members are.
   *
   * @param bytes with a line feed, or nothing, at `end`
   */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    for (const { type, tail, members } of GRAMMARS) {
      if (!stands(tail, bytes, end - tail.length)) continue
      this.type = type
      this.starts.fill(-1)
      return scanObject(members, bytes, start, this) === end && this.#hasItsDigests(bytes)
    }
    return false
  }

  has(slot: number): boolean {
    return this.starts[slot] !== -1
  }

  /** The rules of `_sd` and its siblings; that the lists ascend was seen when they were read. */
  #hasItsDigests(bytes: Uint8Array): boolean {
    if (this.has(DIGESTS) !== this.has(ALGORITHM)) return false
    return digestsIn(this, PSEUDONYMS).every((pseudonym) =>
      digestsIn(this, DIGESTS).some((digest) => isSame(bytes, digest, pseudonym, DIGEST_CHARACTERS)),
    )
  }
}

function scanObject(members: readonly Member[], bytes: Uint8Array, start: number, scan: RecordScan): number {
  if (bytes[start] !== OPEN_OBJECT) return -1
  let at = start + 1
  let isFirst = true
  for (const { key, slot, isRequired, scan: scanValue } of members) {
    const name = isFirst ? at : at + 1
    if ((isFirst || bytes[at] === COMMA) && stands(key, bytes, name)) {
      const value = name + key.length
      at = scanValue(bytes, value, scan)
      if (at === -1) return -1
      const isText = bytes[value] === QUOTE
      scan.starts[slot] = isText ? value + 1 : value
      scan.ends[slot] = isText ? at - 1 : at
      isFirst = false
    } else if (isRequired) return -1
  }
  return bytes[at] === CLOSE_OBJECT ? at + 1 : -1
}

/** Where each digest of a list begins. */
function digestsIn(scan: RecordScan, slot: number): number[] {
  const places: number[] = []
  // `["digest","digest"]`
  for (let at = (scan.starts[slot] as number) + 2; at > 1 && at < (scan.ends[slot] as number); ) {
    places.push(at)
    at += DIGEST_CHARACTERS + 3
  }
  return places
}

function isSame(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[a + i] !== bytes[b + i]) return false
  return true
}

/** The part of JSON Schema that the fields of scanned types use. */
interface Field {
  type?: string
  enum?: string[]
  pattern?: string
  maxLength?: number
  maxItems?: number
  maximum?: number
  properties?: Record<string, TSchema>
}

const patternOf = (schema: TSchema): string => (schema as Field).pattern ?? ''

const PATTERNS = new Map<string, (field: Field) => Scanner>([
  [patternOf(word), ({ maxLength = 0 }) => scanWord(maxLength)],
  [patternOf(sourceName), ({ maxLength = 0 }) => scanSource(maxLength)],
  [patternOf(time), () => scanTime],
  [patternOf(digest), () => scanDigest],
  [patternOf(traceParent), () => scanTraceParent],
])

/** @throws {Error} for a kind of field that no scanned type has had */
function scannerOf(schema: TSchema): Scanner {
  const field = schema as Field
  const { maxLength, maxItems, maximum, pattern } = field
  if (field.properties !== undefined) {
    const members = membersOf(field.properties)
    return (bytes, at, scan) => scanObject(members, bytes, at, scan)
  }
  if (field.enum !== undefined) return scanOneOf(field.enum.map((one) => utf8(`"${one}"`)))
  if (field.type === 'array' && maxItems !== undefined) return scanDigests(maxItems)
  if (field.type === 'integer' && maximum !== undefined) return scanCount(maximum)
  const characters = /^\^0x\[0-9a-f\]\{(\d+)\}\$$/.exec(pattern ?? '')?.[1]
  if (characters !== undefined) return scanHex(Number(characters))
  const known = PATTERNS.get(patternOf(schema))
  if (known !== undefined) return known(field)
  if (pattern === undefined && maxLength !== undefined) return scanText(maxLength)
  throw new Error(`no scanner for ${JSON.stringify(schema)}`)
}

/** RFC 8785, section 3.2.3: members are ordered by their names. */
const membersOf = (properties: Record<string, TSchema>): Member[] =>
  Object.entries(properties)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, schema]) => ({
      name,
      key: utf8(`${JSON.stringify(name)}:`),
      slot: slotOf(name),
      isRequired: !Type.IsOptional(schema),
      scan: scannerOf(schema),
    }))

const GRAMMARS: Grammar[] = SCANNED_TYPES.map((type) => ({
  type,
  tail: utf8(`"type":"${type}"}`),
  members: membersOf((sealedSchema(type) as Field).properties ?? {}),
}))
