import { utf8 } from '../bytes/bytes.ts'
import { MessageList } from '../bytes/message-list.ts'
import { sha256 } from '../bytes/sha256.ts'
import { HASH_SIZE } from '../merkle/index.ts'
import { type FlowRecord, type Opened, openPseudonyms } from '../record/index.ts'

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

/** The first 16 bytes of `SHA-256(name || 0x00 || value)`. */
export const indexKey = (name: IndexName, value: string): Uint8Array =>
  sha256(utf8(`${name}\0${value}`)).subarray(0, KEY_BYTES)

/** The value under which a record is found by its own name: `source || 0x00 || id`. */
export const recordValue = (source: string, id: string): string => `${source}\0${id}`

/**
 * Everything that a record is found under.
 *
 * @param disclosures those of its pseudonyms, all of them
 * @throws {VerificationError} `BAD_DISCLOSURE`
 */
export function indexValues(record: FlowRecord, disclosures: readonly string[]): Map<IndexName, string> {
  return indexValuesOf(record, openPseudonyms(record, disclosures))
}

/** The same of a record whose pseudonyms have been opened. */
export function indexValuesOf(record: FlowRecord, opened: readonly Opened[]): Map<IndexName, string> {
  const person = opened.find(({ name }) => name === 'person')?.value
  const values = new Map<IndexName, string>()
  for (const name of INDEX_NAMES) {
    const value = indexValue(record, name, person)
    if (value !== undefined) values.set(name, value)
  }
  return values
}

/**
 * The value under which a record is found by a name; undefined when it is not.
 *
 * @param person of the record, where it does not stand in `data`: one that stays closed is not found
 */
export function indexValue(
  record: FlowRecord,
  name: IndexName,
  person: unknown = record.data.person,
): string | undefined {
  if (name === 'record') return recordValue(record.source, record.id)
  if (name === 'resource') return record.subject
  const value = name === 'person' ? person : record.data[name === 'request' ? 'requestId' : name]
  return typeof value === 'string' ? value : undefined
}

/** Names of which a few values stand in most records. */
const FREQUENT: ReadonlySet<IndexName> = new Set(['resource', 'consumer', 'provider'])
const MOST_REMEMBERED = 4_096
const FIRST_KEYS = 64

/** `name || 0x00` of each name. */
const PREFIXES = Object.fromEntries(INDEX_NAMES.map((name) => [name, utf8(`${name}\0`)])) as Record<
  IndexName,
  Uint8Array
>

/** The index keys of many records, one after the other. */
export class KeyList {
  #keys = new Uint8Array(KEY_BYTES * FIRST_KEYS)
  #positions = new Uint32Array(FIRST_KEYS)
  #count = 0
  /** what is hashed, and which key each hash gives */
  readonly #messages = new MessageList('none')
  readonly #hashed: number[] = []
  readonly #remembered = new Map<IndexName, Map<string, Uint8Array>>()

  add(position: number, name: IndexName, value: string): void {
    if (FREQUENT.has(name)) {
      const at = this.#reserve(position)
      this.#keys.set(this.#recall(name, value), KEY_BYTES * at)
      return
    }
    const bytes = utf8(value)
    this.addBytes(position, name, bytes, 0, bytes.length)
  }

  /** The same of a value that stands in `bytes` from `start` up to `end`. */
  addBytes(position: number, name: IndexName, bytes: Uint8Array, start: number, end: number): void {
    const prefix = PREFIXES[name]
    this.#messages.add(prefix, 0, prefix.length)
    this.#messages.add(bytes, start, end)
    this.#endMessage(position)
  }

  /** The same of a record's own name, whose source and id stand at two places in `bytes`. */
  addRecord(
    position: number,
    bytes: Uint8Array,
    source: { start: number; end: number },
    id: { start: number; end: number },
  ): void {
    const prefix = PREFIXES.record
    this.#messages.add(prefix, 0, prefix.length)
    this.#messages.add(bytes, source.start, source.end)
    this.#messages.add(prefix, prefix.length - 1, prefix.length)
    this.#messages.add(bytes, id.start, id.end)
    this.#endMessage(position)
  }

  /** 16 bytes each, in the order in which they were added */
  get keys(): Uint8Array {
    const hashes = this.#messages.hashes()
    for (let i = 0; i < this.#hashed.length; i++) {
      const key = KEY_BYTES * (this.#hashed[i] as number)
      for (let byte = 0; byte < KEY_BYTES; byte++) {
        this.#keys[key + byte] = hashes[HASH_SIZE * i + byte] as number
      }
    }
    return this.#keys.subarray(0, KEY_BYTES * this.#count)
  }

  /** of the record of each key */
  get positions(): Uint32Array {
    return this.#positions.subarray(0, this.#count)
  }

  #endMessage(position: number): void {
    this.#hashed.push(this.#reserve(position))
    this.#messages.endMessage()
  }

  #recall(name: IndexName, value: string): Uint8Array {
    let values = this.#remembered.get(name)
    if (values === undefined || values.size === MOST_REMEMBERED) {
      values = new Map()
      this.#remembered.set(name, values)
    }
    let key = values.get(value)
    if (key === undefined) {
      key = indexKey(name, value)
      values.set(value, key)
    }
    return key
  }

  /** @returns the number of the key that is added */
  #reserve(position: number): number {
    if (this.#count === this.#positions.length) this.#grow()
    this.#positions[this.#count] = position
    return this.#count++
  }

  #grow(): void {
    const [keys, positions] = [this.#keys, this.#positions]
    this.#keys = new Uint8Array(2 * keys.length)
    this.#positions = new Uint32Array(2 * positions.length)
    this.#keys.set(keys)
    this.#positions.set(positions)
  }
}
