import { readBase64url } from '../bytes/base64url.ts'
import { equalBytes, utf8 } from '../bytes/bytes.ts'
import { KnownTexts } from '../bytes/known-texts.ts'
import { sha256 } from '../bytes/sha256.ts'
import type { KeyList } from '../lookup/index.ts'
import {
  DIGEST_CHARACTERS,
  type RecordFacts,
  RecordScan,
  SLOT_COUNT,
  slotOf,
  stands,
} from '../record/index.ts'

const CLOSE_OBJECT = 0x7d
const BEFORE_DISCLOSURE = utf8('{"disclosures":["')
const AFTER_DISCLOSURE = utf8('"],"record":')
/** A disclosure as `sealRecord` writes that of a person: `["salt","person","tag"]` with a salt of 16 bytes. */
const DISCLOSURE_CHARACTERS = 108
const BEFORE_SALT = utf8('["')
const [SALT_CHARACTERS, TAG_CHARACTERS, DIGEST_BYTES] = [22, 43, 32]
const BEFORE_TAG = utf8('","person","')
const AFTER_TAG = utf8('"]')
const SALT = BEFORE_SALT.length
const TAG = SALT + SALT_CHARACTERS + BEFORE_TAG.length

const [ID, SOURCE, SUBJECT] = [slotOf('id'), slotOf('source'), slotOf('subject')]
const [CONSUMER, PROVIDER, REQUEST] = [slotOf('consumer'), slotOf('provider'), slotOf('requestId')]
const [SIDE, OUTCOME, SHARING] = [slotOf('side'), slotOf('outcome'), slotOf('sharing')]
const [AUTHORIZATION, PSEUDONYMS] = [slotOf('authorization'), slotOf('_sd_pseudonyms')]
const [ROWS, REQUEST_BYTES, RESPONSE_BYTES] = [
  slotOf('rows'),
  slotOf('requestBytes'),
  slotOf('responseBytes'),
]

/**
 * Reads a line of a batch out of its bytes: a record that `RecordScan` knows, alone or with the disclosure of its person.
 *
 * Says the same of it as `decodeLine` and `openPseudonyms` together, which read what is not known here. What it tells
 * is of the line that it read last.
 */
export class LineScan {
  /** where the record is */
  readonly record = { start: 0, end: 0 }
  readonly #scan = new RecordScan()
  readonly #texts = new KnownTexts()
  readonly #disclosure = new Uint8Array((3 * DISCLOSURE_CHARACTERS) / 4)
  readonly #spare = new Uint8Array(DIGEST_BYTES)
  #bytes = new Uint8Array(0)
  #hasPerson = false
  /** what each slot of the line says, once it has been asked for */
  readonly #read = new Array<string | undefined>(SLOT_COUNT)

  /**
   * Whether the bytes from `start` up to `end` are a line, and known.
   *
   * @param bytes with a line feed, or nothing, at `end`
   */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    const [scan, record] = [this.#scan, this.record]
    const disclosure = start + BEFORE_DISCLOSURE.length
    this.#bytes = bytes as Uint8Array<ArrayBuffer>
    this.#read.fill(undefined)
    this.#hasPerson = stands(BEFORE_DISCLOSURE, bytes, start)
    record.start = this.#hasPerson ? disclosure + DISCLOSURE_CHARACTERS + AFTER_DISCLOSURE.length : start
    record.end = this.#hasPerson ? end - 1 : end
    if (record.start >= record.end || !scan.read(bytes, record.start, record.end)) return false
    if (scan.has(PSEUDONYMS) !== this.#hasPerson) return false
    if (!this.#hasPerson) return true
    return (
      stands(AFTER_DISCLOSURE, bytes, disclosure + DISCLOSURE_CHARACTERS) &&
      bytes[record.end] === CLOSE_OBJECT &&
      this.#opens(disclosure)
    )
  }

  get source(): string {
    return this.#textAt(SOURCE) ?? ''
  }

  get id(): string {
    return this.#textAt(ID) ?? ''
  }

  /** milliseconds since 1970 */
  get timeMs(): number {
    return this.#scan.timeMs
  }

  facts(): RecordFacts {
    return {
      type: this.#scan.type,
      source: this.source,
      timeMs: this.#scan.timeMs,
      subject: this.#textAt(SUBJECT),
      consumer: this.#textAt(CONSUMER),
      provider: this.#textAt(PROVIDER),
      side: this.#textAt(SIDE),
      outcome: this.#textAt(OUTCOME),
      sharing: this.#textAt(SHARING),
      authorization: this.#textAt(AUTHORIZATION),
      rows: this.#countAt(ROWS),
      requestBytes: this.#countAt(REQUEST_BYTES),
      responseBytes: this.#countAt(RESPONSE_BYTES),
    }
  }

  /** A text member of `data`. */
  textOf(name: string): string | undefined {
    return this.#textAt(slotOf(name))
  }

  /** Adds all that the record is found under, as `indexValuesOf` would tell. */
  addKeys(keys: KeyList, position: number): void {
    const { starts, ends } = this.#scan
    const place = (slot: number) => ({ start: starts[slot] as number, end: ends[slot] as number })
    keys.addRecord(position, this.#bytes, place(SOURCE), place(ID))
    if (this.#hasPerson) keys.addBytes(position, 'person', this.#disclosure, TAG, TAG + TAG_CHARACTERS)
    for (const [name, slot] of OWN_VALUES) {
      if (starts[slot] === -1) continue
      keys.addBytes(position, name, this.#bytes, starts[slot] as number, ends[slot] as number)
    }
    for (const [name, slot] of SHARED_VALUES) {
      const value = this.#textAt(slot)
      if (value !== undefined) keys.add(position, name, value)
    }
  }

  /** Whether a disclosure is that of a person, and of this record: RFC 9901, section 4.2. */
  #opens(start: number): boolean {
    const [bytes, opened, spare] = [this.#bytes, this.#disclosure, this.#spare]
    const end = start + DISCLOSURE_CHARACTERS
    if (
      !readBase64url(bytes, start, end, opened) ||
      !stands(BEFORE_SALT, opened, 0) ||
      !readBase64url(opened, SALT, SALT + SALT_CHARACTERS, spare) ||
      !stands(BEFORE_TAG, opened, SALT + SALT_CHARACTERS) ||
      !readBase64url(opened, TAG, TAG + TAG_CHARACTERS, spare) ||
      !stands(AFTER_TAG, opened, TAG + TAG_CHARACTERS)
    ) {
      return false
    }
    // `["digest"]`: the one pseudonym of these types
    const digest = (this.#scan.starts[PSEUDONYMS] as number) + 2
    readBase64url(bytes, digest, digest + DIGEST_CHARACTERS, spare)
    return equalBytes(spare, sha256(bytes.subarray(start, end)))
  }

  #textAt(slot: number): string | undefined {
    const start = this.#scan.starts[slot] as number
    if (start === -1) return undefined
    this.#read[slot] ??= this.#texts.read(this.#bytes, start, this.#scan.ends[slot] as number)
    return this.#read[slot]
  }

  #countAt(slot: number): number {
    const end = this.#scan.ends[slot] as number
    let count = 0
    for (let i = this.#scan.starts[slot] as number; i !== -1 && i < end; i++) {
      count = 10 * count + (this.#bytes[i] as number) - 0x30
    }
    return count
  }
}

/** Names of the index of which each record has its own value, and those of which many have the same. */
const OWN_VALUES = [
  ['authorization', AUTHORIZATION],
  ['request', REQUEST],
] as const
const SHARED_VALUES = [
  ['resource', SUBJECT],
  ['consumer', CONSUMER],
  ['provider', PROVIDER],
] as const
