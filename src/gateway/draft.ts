import {
  canonicalRecordText,
  decodeItem,
  type Item,
  isSealedItem,
  LineScan,
  MAX_LINE_BYTES,
  parseItem,
  RecordPreparer,
  recordText,
  spellItem,
} from '../batch/index.ts'
import { utf8 } from '../bytes/bytes.ts'
import { InputError, VerificationError } from '../errors.ts'
import { treeRoot } from '../merkle/index.ts'
import {
  canonicalText,
  disclosureDigest,
  expectAllPseudonyms,
  type Opened,
  openDisclosures,
  openPseudonyms,
  openRecord,
  parseRecord,
  sealedKind,
  sealRecord,
} from '../record/index.ts'
import { type EntryBody, encodeBody } from './log-entry.ts'
import { type Incoming, type IncomingLine, parseLine } from './media.ts'

/** A submission read, sealed and hashed, but not yet accepted. */
export interface Draft {
  source: string
  /** records */
  size: number
  /** RFC 9162 root of its leaves, 32 bytes */
  root: Uint8Array
  /** of its entry in the log (`EntryBody`) */
  body: Uint8Array
}

/** The records of a submission, each with its private disclosures. */
export interface Content {
  items: Item[]
  vault: string[][]
}

/**
 * Reads and seals the records of one submission: all of one source, no id twice.
 *
 * @param form `sealed` when nothing may be normalised or sealed here, because its source has signed it as it is
 * @throws {InputError} `BAD_RECORD`, `BAD_DISCLOSURE`, `MIXED_SOURCES`, `DUPLICATE_ID`, `TOO_LARGE` or
 *   `EMPTY_SUBMISSION`, with the line and the pointer
 */
export function readDraft(
  records: Iterable<Incoming | IncomingLine>,
  maxRecords: number,
  form: 'any' | 'sealed' = 'any',
): Draft {
  const preparer = new RecordPreparer()
  const scan = new LineScan()
  const names = new NameCheck(maxRecords)
  const vault: string[][] = []
  for (const incoming of records) {
    const { line } = incoming
    if ('body' in incoming) {
      const { body, start, end } = incoming
      // What a source has sealed and signed is nearly always a line as batches have it.
      if (form === 'sealed' && end - start < MAX_LINE_BYTES && scan.read(body, start, end)) {
        names.add(scan.source, scan.id, line)
        preparer.addLine(body, start, end, scan)
        vault.push([])
        continue
      }
    }
    const parsed = 'body' in incoming ? parseLine(incoming) : incoming
    if (parsed === undefined) continue
    const read = atLine(line, () => readItem(parsed, form))
    const { source, id } = read.item.record
    names.add(source, id, line)
    if (isTooLong(spellItem(read.item, read.text))) {
      throw new InputError('TOO_LARGE', `a record has at most ${MAX_LINE_BYTES - 1} bytes`, { line })
    }
    if (isTooLong(JSON.stringify(read.vault), 64)) {
      throw new InputError('TOO_LARGE', 'the private members of the record are too long', { line })
    }
    preparer.add(read.item, read.pseudonyms, read.text)
    vault.push(read.vault)
  }
  const source = names.finish()
  const prepared = preparer.finish()
  return {
    source,
    size: vault.length,
    root: treeRoot(prepared.leafHashes),
    body: encodeBody({ records: prepared, vault }),
  }
}

/** Sees that the records of a submission are of one source, no id twice, and not too many. */
class NameCheck {
  readonly #maxRecords: number
  readonly #lines = new Map<string, number>()
  #source = ''

  constructor(maxRecords: number) {
    this.#maxRecords = maxRecords
  }

  add(source: string, id: string, line: number): void {
    if (this.#lines.size === 0) this.#source = source
    if (source !== this.#source) {
      throw new InputError('MIXED_SOURCES', `a submission has one source: ${this.#source}, not ${source}`, {
        line,
        pointer: '/source',
      })
    }
    const earlier = this.#lines.get(id)
    if (earlier !== undefined) {
      throw new InputError('DUPLICATE_ID', `id ${id} stands on line ${earlier} already`, {
        line,
        pointer: '/id',
      })
    }
    if (this.#lines.size === this.#maxRecords) {
      throw new InputError('TOO_LARGE', `a submission has at most ${this.#maxRecords} records`, { line })
    }
    this.#lines.set(id, line)
  }

  /** @returns the source */
  finish(): string {
    if (this.#lines.size > 0) return this.#source
    throw new InputError('EMPTY_SUBMISSION', 'there is no record in the submission')
  }
}

/** The records that a body holds. */
export function contentOf({ records, vault }: EntryBody): Content {
  const lines = new TextDecoder().decode(records.lines).split('\n').slice(0, -1)
  return { items: lines.map(decodeItem), vault }
}

/**
 * Whether a submission says the same as an earlier one: sealing takes fresh salts each time, so what they open to is
 * compared. What was erased of the earlier one can no longer be compared, only that there was as much.
 */
export function isSameContent(a: Content, earlier: Content): boolean {
  if (a.items.length !== earlier.items.length) return false
  return a.items.every((_, i) => {
    const [one, other] = [openedAt(a, i), openedAt(earlier, i)]
    if (one === undefined || other === undefined) return false
    const erased = other.closed.filter((digest) => !one.closed.includes(digest))
    for (const name of Object.keys(one.record.data)) {
      if (Object.hasOwn(other.record.data, name) || erased.length === 0) continue
      if (sealedKind(one.record.type, name) !== 'private') continue
      delete one.record.data[name]
      erased.pop()
    }
    const closed = other.closed.filter((digest) => one.closed.includes(digest))
    return erased.length === 0 && canonicalText(one) === canonicalText({ ...other, closed })
  })
}

/** A record with what its disclosures open put back, and the digests that stay closed. */
function openedAt({ items, vault }: Content, i: number) {
  const item = items[i]
  if (item === undefined) return undefined
  const disclosures = [...item.disclosures, ...(vault[i] ?? [])]
  const opened = new Set(disclosures.map(disclosureDigest))
  const closed = item.record.data._sd?.filter((digest) => !opened.has(digest)) ?? []
  return { record: openRecord(item.record, disclosures), closed }
}

/** An item, what its pseudonyms open to, its private disclosures, and the JCS text of its record. */
interface ReadItem {
  item: Item
  pseudonyms: readonly Opened[]
  vault: string[]
  text: string
}

function readItem({ value, text }: Incoming, form: 'any' | 'sealed'): ReadItem {
  if (form === 'any' && !isSealedItem(value) && !hasDigests(value)) {
    const { record, disclosures, vault } = sealRecord(parseRecord(value))
    const item = { record, disclosures }
    return { item, pseudonyms: openPseudonyms(record, disclosures), vault, text: recordText(item) }
  }
  const whole = parseItem(value)
  const { record } = whole
  const opened = openDisclosures(record, whole.disclosures)
  const pseudonyms = opened.filter(({ kind }) => kind === 'pseudonym')
  expectAllPseudonyms(record, pseudonyms)
  return {
    item: { record, disclosures: pseudonyms.map(({ disclosure }) => disclosure) },
    pseudonyms,
    vault: opened.filter(({ kind }) => kind === 'private').map(({ disclosure }) => disclosure),
    text: (text === undefined ? undefined : canonicalRecordText(text, value, whole)) ?? recordText(whole),
  }
}

/** Whether a bare record was sealed by its source, which keeps the disclosures. */
function hasDigests(value: unknown): boolean {
  const { data } = Object(value) as { data?: unknown }
  return typeof data === 'object' && data !== null && '_sd' in data
}

/** @param reserved bytes that the line needs besides */
const isTooLong = (text: string, reserved = 0): boolean =>
  // A UTF-16 code unit has three bytes at most: only long texts need to be counted.
  3 * text.length + reserved >= MAX_LINE_BYTES && utf8(text).length + reserved >= MAX_LINE_BYTES

function atLine<T>(line: number, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof InputError) {
      throw new InputError(cause.code, cause.message, { ...cause.place, line }, { cause })
    }
    if (cause instanceof VerificationError) {
      throw new InputError('BAD_DISCLOSURE', cause.message, { line, pointer: '/disclosures' }, { cause })
    }
    throw cause
  }
}
