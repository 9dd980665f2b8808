import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { sha256 } from '../bytes/sha256.ts'
import { type FlowRecord, openPseudonyms } from '../record/index.ts'

/** The names under which a record can be found (docs/format.md, "Index tree"). */
export const INDEX_NAMES = [
  'record',
  'person',
  'authorization',
  'request',
  'resource',
  'consumer',
  'provider',
] as const
export type IndexName = (typeof INDEX_NAMES)[number]

export const KEY_BYTES = 16

const SEPARATOR = new Uint8Array(1)

/** The first 16 bytes of `SHA-256(name || 0x00 || value)`. */
export const indexKey = (name: IndexName, value: string): Uint8Array =>
  sha256(concatBytes(utf8(name), SEPARATOR, utf8(value))).subarray(0, KEY_BYTES)

/** The value under which a record is found by its own name: `source || 0x00 || id`. */
export const recordValue = (source: string, id: string): string => `${source}\0${id}`

/**
 * Everything that a record is found under.
 *
 * @param disclosures those of its pseudonyms, all of them
 * @throws {VerificationError} `BAD_DISCLOSURE`
 */
export function indexValues(record: FlowRecord, disclosures: readonly string[]): Map<IndexName, string> {
  const { data } = openPseudonyms(record, disclosures)
  const values = new Map<IndexName, string>([['record', recordValue(record.source, record.id)]])
  const add = (name: IndexName, value: unknown) => {
    if (typeof value === 'string') values.set(name, value)
  }
  add('person', data.person)
  add('authorization', data.authorization)
  add('request', data.requestId)
  add('resource', record.subject)
  add('consumer', data.consumer)
  add('provider', data.provider)
  return values
}
