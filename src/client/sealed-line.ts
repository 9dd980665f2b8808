import { MAX_LINE_BYTES } from '../batch/index.ts'
import { utf8 } from '../bytes/bytes.ts'
import { InputError } from '../errors.ts'
import { canonicalText, type FlowRecord, leafHash, parseSealedRecord, sealRecord } from '../record/index.ts'

/** A sealed record as a line of a submission: what is hashed, signed and sent is fixed from here on. */
export interface SealedLine {
  id: string
  /** the JCS text of `{"disclosures", "record"}`, private disclosures among them; no line feed */
  text: string
  /** of the record, 32 bytes */
  leafHash: Uint8Array
}

/**
 * Seals a record under fresh salts.
 *
 * @param record open, as `parseRecord` returns it
 * @throws {InputError} `TOO_LARGE`
 */
export function sealLine(record: FlowRecord): SealedLine {
  const sealed = sealRecord(record)
  const text = canonicalText({
    disclosures: [...sealed.disclosures, ...sealed.vault],
    record: sealed.record,
  })
  if (utf8(text).length >= MAX_LINE_BYTES) {
    throw new InputError('TOO_LARGE', `record ${record.id} has more than ${MAX_LINE_BYTES - 1} bytes`)
  }
  return { id: record.id, text, leafHash: leafHash(sealed.record) }
}

/**
 * Reads a line back, as it was spooled.
 *
 * @throws {InputError} `BAD_RECORD`
 */
export function readLine(text: string): SealedLine {
  const record = parseSealedRecord(Object(JSON.parse(text)).record)
  return { id: record.id, text, leafHash: leafHash(record) }
}
