import { InputError, VerificationError } from '../errors.ts'
import { canonicalText, type FlowRecord, parseSealedRecord } from '../record/index.ts'

/** A sealed record as it travels and is stored: with the disclosures of its pseudonyms. */
export interface Item {
  record: FlowRecord
  disclosures: string[]
}

/** One line of records.ndjson: the JCS text of the record, or of `{"disclosures", "record"}` when it has some. */
export const encodeItem = ({ record, disclosures }: Item): string =>
  canonicalText(disclosures.length === 0 ? record : { disclosures, record })

/**
 * Reads a line of a batch's records; it must be spelled exactly as `encodeItem` spells it.
 *
 * @throws {VerificationError} `MALFORMED_RECORD`
 */
export function decodeItem(line: string): Item {
  try {
    const item = parseItem(JSON.parse(line))
    if (encodeItem(item) === line) return item
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
