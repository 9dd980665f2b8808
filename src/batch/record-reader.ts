import { readBase64url } from '../bytes/base64url.ts'
import { concatBytes, equalBytes, utf8 } from '../bytes/bytes.ts'
import { KnownTexts } from '../bytes/known-texts.ts'
import { MessageList } from '../bytes/message-list.ts'
import { VerificationError } from '../errors.ts'
import { indexValuesOf, KeyList } from '../lookup/index.ts'
import { HASH_SIZE, hashRanges } from '../merkle/index.ts'
import {
  DIGEST_CHARACTERS,
  factsOf,
  openPseudonyms,
  type RecordFacts,
  RecordScan,
  slotOf,
  stands,
} from '../record/index.ts'
import { FRAME_RECORDS } from './frames.ts'
import { decodeLine } from './item.ts'
import type { RecordHashes } from './prepared.ts'

const [LINE_FEED, CLOSE_OBJECT] = [0x0a, 0x7d]
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
/** Names of the index of which each record has its own value. */
const BYTES_OF = [
  ['authorization', AUTHORIZATION],
  ['request', REQUEST],
] as const

/**
 * Reads the records of a batch out of the text of its frames, and works out what its trees need of them.
 *
 * Says of every line the same as `decodeLine` and `openPseudonyms`, which read those that `RecordScan` does not know.
 */
export class RecordReader {
  readonly #onRecord: (facts: RecordFacts) => void
  readonly #scan = new RecordScan()
  readonly #texts = new KnownTexts()
  readonly #keys = new KeyList()
  readonly #disclosures = new MessageList()
  readonly #disclosure = new Uint8Array((3 * DISCLOSURE_CHARACTERS) / 4)
  readonly #spare = new Uint8Array(DIGEST_BYTES)
  /** lines of the frame whose disclosure has been read, and where the digest stands that it must have */
  readonly #opened: { start: number; end: number; digest: number }[] = []
  /** where the records of the frame are */
  readonly #starts = new Uint32Array(FRAME_RECORDS)
  readonly #ends = new Uint32Array(FRAME_RECORDS)
  /** leaf hashes, a frame at a time */
  readonly #leafHashes: Uint8Array[] = []
  #count = 0
  #firstTime = Number.POSITIVE_INFINITY
  #lastTime = 0

  /** @param onRecord told of each record in its turn */
  constructor(onRecord: (facts: RecordFacts) => void) {
    this.#onRecord = onRecord
  }

  get count(): number {
    return this.#count
  }

  /**
   * Reads the lines of the next frame, each of which ends with a line feed.
   *
   * @throws {VerificationError} `MALFORMED_RECORD` or `BAD_DISCLOSURE` for a line that is no item of a batch;
   *   `BATCH_MISMATCH` where the frame does not hold as many lines as it should
   */
  readFrame(text: Uint8Array, isLast: boolean): void {
    this.#opened.length = 0
    let lines = 0
    for (let start = 0; start < text.length; lines++) {
      const end = text.indexOf(LINE_FEED, start)
      // Otherwise a position would lead to another line than its record's.
      if (end === -1 || lines === FRAME_RECORDS) throw wrongFrame()
      if (!this.#readKnown(text, start, end, lines)) this.#readAny(text, start, end, lines)
      this.#count++
      start = end + 1
    }
    if (lines === 0 || (!isLast && lines < FRAME_RECORDS)) throw wrongFrame()
    this.#expectDisclosures(text)
    const leafHashes = new Uint8Array(HASH_SIZE * lines)
    hashRanges(text, this.#starts.subarray(0, lines), this.#ends.subarray(0, lines), leafHashes)
    this.#leafHashes.push(leafHashes)
  }

  finish(): RecordHashes {
    return {
      count: this.#count,
      leafHashes: concatBytes(...this.#leafHashes),
      keys: this.#keys.keys,
      positions: this.#keys.positions,
      firstTime: this.#firstTime,
      lastTime: this.#lastTime,
    }
  }

  /** Reads a line out of its bytes; false when it is not known, whatever it may be. */
  #readKnown(text: Uint8Array, start: number, end: number, line: number): boolean {
    const scan = this.#scan
    const hasDisclosure = stands(BEFORE_DISCLOSURE, text, start)
    const disclosure = start + BEFORE_DISCLOSURE.length
    const after = disclosure + DISCLOSURE_CHARACTERS
    if (hasDisclosure && !(stands(AFTER_DISCLOSURE, text, after) && text[end - 1] === CLOSE_OBJECT))
      return false
    const first = hasDisclosure ? after + AFTER_DISCLOSURE.length : start
    const last = hasDisclosure ? end - 1 : end
    if (!scan.read(text, first, last) || scan.has(PSEUDONYMS) !== hasDisclosure) return false
    if (hasDisclosure && !this.#readDisclosure(text, disclosure)) return false

    const place = (slot: number) => ({ start: scan.starts[slot] as number, end: scan.ends[slot] as number })
    const textAt = (slot: number) =>
      scan.has(slot)
        ? this.#texts.read(text, scan.starts[slot] as number, scan.ends[slot] as number)
        : undefined
    const facts: RecordFacts = {
      type: scan.type,
      source: textAt(SOURCE) ?? '',
      timeMs: scan.timeMs,
      subject: textAt(SUBJECT),
      consumer: textAt(CONSUMER),
      provider: textAt(PROVIDER),
      side: textAt(SIDE),
      outcome: textAt(OUTCOME),
      sharing: textAt(SHARING),
      authorization: textAt(AUTHORIZATION),
      rows: countAt(text, scan, ROWS),
      requestBytes: countAt(text, scan, REQUEST_BYTES),
      responseBytes: countAt(text, scan, RESPONSE_BYTES),
    }
    const [keys, position] = [this.#keys, this.#count]
    keys.addRecord(position, text, place(SOURCE), place(ID))
    if (hasDisclosure) {
      keys.addBytes(position, 'person', this.#disclosure, TAG, TAG + TAG_CHARACTERS)
      this.#disclosures.add(text, disclosure, after)
      this.#disclosures.endMessage()
      // `["digest"]`
      this.#opened.push({ start, end, digest: (scan.starts[PSEUDONYMS] as number) + 2 })
    }
    for (const [name, slot] of BYTES_OF) {
      if (scan.has(slot))
        keys.addBytes(position, name, text, scan.starts[slot] as number, scan.ends[slot] as number)
    }
    if (facts.subject !== undefined) keys.add(position, 'resource', facts.subject)
    if (facts.consumer !== undefined) keys.add(position, 'consumer', facts.consumer)
    if (facts.provider !== undefined) keys.add(position, 'provider', facts.provider)
    this.#take(facts, line, first, last)
    return true
  }

  /** Reads a line as any reader does, or says why it is none. */
  #readAny(text: Uint8Array, start: number, end: number, line: number): void {
    const { item, text: recordText } = decodeLine(decodeUtf8(text.subarray(start, end)))
    const opened = openPseudonyms(item.record, item.disclosures)
    for (const [name, value] of indexValuesOf(item.record, opened)) this.#keys.add(this.#count, name, value)
    const last = item.disclosures.length === 0 ? end : end - 1
    this.#take(factsOf(item.record), line, last - utf8(recordText).length, last)
  }

  #take(facts: RecordFacts, line: number, start: number, end: number): void {
    this.#starts[line] = start
    this.#ends[line] = end
    this.#firstTime = Math.min(this.#firstTime, facts.timeMs)
    this.#lastTime = Math.max(this.#lastTime, facts.timeMs)
    this.#onRecord(facts)
  }

  /** Opens a disclosure, whose digest is still to be held against the record's. */
  #readDisclosure(text: Uint8Array, start: number): boolean {
    const [opened, spare] = [this.#disclosure, this.#spare]
    return (
      readBase64url(text, start, start + DISCLOSURE_CHARACTERS, opened) &&
      stands(BEFORE_SALT, opened, 0) &&
      readBase64url(opened, SALT, SALT + SALT_CHARACTERS, spare) &&
      stands(BEFORE_TAG, opened, SALT + SALT_CHARACTERS) &&
      readBase64url(opened, TAG, TAG + TAG_CHARACTERS, spare) &&
      stands(AFTER_TAG, opened, TAG + TAG_CHARACTERS)
    )
  }

  #expectDisclosures(text: Uint8Array): void {
    if (this.#opened.length === 0) return
    const digests = this.#disclosures.hash()
    for (const [i, { start, end, digest }] of this.#opened.entries()) {
      readBase64url(text, digest, digest + DIGEST_CHARACTERS, this.#spare)
      if (equalBytes(this.#spare, digests.subarray(DIGEST_BYTES * i, DIGEST_BYTES * (i + 1)))) continue
      const { item } = decodeLine(decodeUtf8(text.subarray(start, end)))
      openPseudonyms(item.record, item.disclosures)
      throw new Error('a disclosure opens the record and does not')
    }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeUtf8(line: Uint8Array): string {
  try {
    return decoder.decode(line)
  } catch (cause) {
    throw new VerificationError('MALFORMED_RECORD', 'a line of the batch is not UTF-8', { cause })
  }
}

function countAt(text: Uint8Array, { starts, ends }: RecordScan, slot: number): number {
  let count = 0
  for (let i = starts[slot] as number; i !== -1 && i < (ends[slot] as number); i++) {
    count = 10 * count + (text[i] as number) - 0x30
  }
  return count
}

const wrongFrame = () =>
  new VerificationError('BATCH_MISMATCH', 'a frame of the records does not have its 256 lines')
