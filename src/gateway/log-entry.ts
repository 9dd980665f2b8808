import { deserialize, serialize } from 'node:v8'
import type { PreparedRecords } from '../batch/index.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { fromHex, toHex } from '../bytes/hex.ts'
import type { AcceptedSubmission, Voucher } from '../store/sealed-batches.ts'

/** The records of a submission, and their private disclosures, a list a record. */
export interface EntryBody {
  records: PreparedRecords
  vault: string[][]
}

/** What the write-ahead log says of a submission, in JSON. */
interface Head {
  source: string
  sequence: string
  root: string
  size: number
  receivedAt: number
  anchorBy: number
  voucher: Voucher
}

const LENGTH_BYTES = 4

/** A body as V8 serialises it: only the program that wrote the log reads it. */
export const encodeBody = (body: EntryBody): Uint8Array => serialize(body)

export const decodeBody = (bytes: Uint8Array): EntryBody => deserialize(bytes)

/** What the write-ahead log keeps of a submission, `length u32 || head || body`: all that comes before the body. */
export function encodeLogHead(submission: AcceptedSubmission): Uint8Array {
  const { source, sequence, root, size, receivedAt, anchorBy, voucher } = submission
  const head: Head = {
    source,
    sequence: String(sequence),
    root: toHex(root),
    size,
    receivedAt,
    anchorBy,
    voucher,
  }
  const text = utf8(JSON.stringify(head))
  const length = new Uint8Array(LENGTH_BYTES)
  new DataView(length.buffer).setUint32(0, text.length)
  return concatBytes(length, text)
}

/** Reads an entry back; the log's checksums vouch for it. */
export function decodeLogEntry(payload: Uint8Array): { submission: AcceptedSubmission; body: Uint8Array } {
  const end = LENGTH_BYTES + new DataView(payload.buffer, payload.byteOffset).getUint32(0)
  const head = JSON.parse(new TextDecoder().decode(payload.subarray(LENGTH_BYTES, end))) as Head
  const submission = { ...head, sequence: BigInt(head.sequence), root: fromHex(head.root, 32) }
  return { submission, body: payload.subarray(end) }
}
