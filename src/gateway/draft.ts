import {
  canonicalRecordText,
  decodeItem,
  type Item,
  isSealedItem,
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
  sealRecord,
} from '../record/index.ts'
import { type EntryBody, encodeBody } from './log-entry.ts'

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

/** A record as it came, with the line that it stood on, and the text of that line where it has one. */
export interface Incoming {
  line: number
  value: unknown
  text?: string
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
  records: Iterable<Incoming>,
  maxRecords: number,
  form: 'any' | 'sealed' = 'any',
): Draft {
  const preparer = new RecordPreparer()
  const vault: string[][] = []
  const lines = new Map<string, number>()
  let source = ''
  for (const incoming of records) {
    const { line } = incoming
    const read = atLine(line, () => readItem(incoming, form))
    const { record } = read.item
    if (lines.size === 0) source = record.source
    if (record.source !== source) {
      throw new InputError('MIXED_SOURCES', `a submission has one source: ${source}, not ${record.source}`, {
        line,
        pointer: '/source',
      })
    }
    const earlier = lines.get(record.id)
    if (earlier !== undefined) {
      throw new InputError('DUPLICATE_ID', `id ${record.id} stands on line ${earlier} already`, {
        line,
        pointer: '/id',
      })
    }
    lines.set(record.id, line)
    if (isTooLong(spellItem(read.item, read.text))) {
      throw new InputError('TOO_LARGE', `a record has at most ${MAX_LINE_BYTES - 1} bytes`, { line })
    }
    if (vault.length === maxRecords) {
      throw new InputError('TOO_LARGE', `a submission has at most ${maxRecords} records`, { line })
    }
    if (isTooLong(JSON.stringify(read.vault), 64)) {
      throw new InputError('TOO_LARGE', 'the private members of the record are too long', { line })
    }
    preparer.add(read.item, read.pseudonyms, read.text)
    vault.push(read.vault)
  }
  if (vault.length === 0) throw new InputError('EMPTY_SUBMISSION', 'there is no record in the submission')
  const prepared = preparer.finish()
  return {
    source,
    size: vault.length,
    root: treeRoot(prepared.leafHashes),
    body: encodeBody({ records: prepared, vault }),
  }
}

/** The records that a body holds. */
export function contentOf({ records, vault }: EntryBody): Content {
  const lines = new TextDecoder().decode(records.lines).split('\n').slice(0, -1)
  return { items: lines.map(decodeItem), vault }
}

/** Whether two submissions say the same: sealing takes fresh salts each time, so what they open to is compared. */
export function isSameContent(a: Content, b: Content): boolean {
  return a.items.length === b.items.length && a.items.every((_, i) => openText(a, i) === openText(b, i))
}

function openText({ items, vault }: Content, i: number): string {
  const item = items[i]
  if (item === undefined) return ''
  const disclosures = [...item.disclosures, ...(vault[i] ?? [])]
  const opened = new Set(disclosures.map(disclosureDigest))
  const closed = item.record.data._sd?.filter((digest) => !opened.has(digest)) ?? []
  return canonicalText({ record: openRecord(item.record, disclosures), closed })
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
