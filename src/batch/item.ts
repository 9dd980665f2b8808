import { InputError, VerificationError } from '../errors.ts'
import { canonicalText, type FlowRecord, isCanonicalText, parseSealedRecord } from '../record/index.ts'

/** A sealed record as it travels and is stored: with the disclosures of its pseudonyms. */
export interface Item {
  record: FlowRecord
  disclosures: string[]
}

/** One line of records.ndjson: the JCS text of the record, or of `{"disclosures", "record"}` when it has some. */
export const encodeItem = (item: Item): string => spellItem(item, recordText(item))

/** The JCS text of an item's record, which its leaf hash is made of. */
export const recordText = ({ record }: Item): string => canonicalText(record)

/** The line of an item whose record's text is known. */
export const spellItem = ({ disclosures }: Item, text: string): string =>
  disclosures.length === 0 ? text : `{"disclosures":${JSON.stringify(disclosures)},"record":${text}}`

/**
 * Reads a line of a batch's records; it must be spelled exactly as `encodeItem` spells it.
 *
 * @throws {VerificationError} `MALFORMED_RECORD`
 */
export const decodeItem = (line: string): Item => decodeLine(line).item

/** The same, with the text of the record. */
export function decodeLine(line: string): { item: Item; text: string } {
  try {
    const value: unknown = JSON.parse(line)
    const item = parseItem(value)
    const text = canonicalRecordText(line, value, item)
    if (text !== undefined && spellItem(item, text) === line) return { item, text }
  } catch (cause) {
    if (!(cause instanceof InputError || cause instanceof SyntaxError)) throw cause
    // A parser's message quotes what it read, and this one ends up in logs.
    const reason = cause instanceof InputError ? cause.message : 'not JSON'
    throw new VerificationError('MALFORMED_RECORD', `a line of the batch is not a record: ${reason}`, {
      cause,
    })
  }
  throw new VerificationError('MALFORMED_RECORD', 'a line of the batch is not in its canonical form')
}

/**
 * The text of the record as it stands within the text of its item; undefined when that is not the JCS text.
 *
 * @param text what `value` was parsed from
 */
export function canonicalRecordText(text: string, value: unknown, { disclosures }: Item): string | undefined {
  if (!isCanonicalText(text, value)) return undefined
  if (!isSealedItem(value)) return text
  const before = `{"disclosures":${JSON.stringify(disclosures)},"record":`
  return text.slice(before.length, -1)
}

/**
 * Reads a sealed record, or `{"record", "disclosures"}`.
 *
 * @throws {InputError} `BAD_RECORD` or `BAD_DISCLOSURE`
 */
export function parseItem(value: unknown): Item {
  if (!isSealedItem(value)) return { record: parseSealedRecord(value), disclosures: [] }
  const { record, disclosures, ...rest } = value
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) {
    throw new InputError('BAD_RECORD', `/${unknown}: an item has record and disclosures, no more`, {
      pointer: `/${unknown}`,
    })
  }
  if (!Array.isArray(disclosures) || !disclosures.every((text) => typeof text === 'string')) {
    throw new InputError('BAD_DISCLOSURE', '/disclosures: must be a list of texts', {
      pointer: '/disclosures',
    })
  }
  return { record: parseSealedRecord(record), disclosures }
}

/** Whether a JSON value is an item that its source has sealed, rather than a bare record. */
export const isSealedItem = (value: unknown): value is { record: unknown; disclosures: unknown } =>
  typeof value === 'object' && value !== null && 'record' in value && 'disclosures' in value
