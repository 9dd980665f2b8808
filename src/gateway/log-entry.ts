import { decodeItem, encodeItem } from '../batch/index.ts'
import { utf8 } from '../bytes/bytes.ts'
import { fromHex, toHex } from '../bytes/hex.ts'
import type { AcceptedSubmission, Voucher } from '../store/sealed-batches.ts'
import type { Draft } from './draft.ts'

/** What the write-ahead log keeps of a submission: a line about it, then its items, a line each. */
interface Head {
  source: string
  sequence: string
  root: string
  receivedAt: number
  anchorBy: number
  /** not in entries of before there were signatures */
  voucher?: Voucher
  vault: string[][]
}

export function encodeLogEntry(
  { source, sequence, root, receivedAt, anchorBy, voucher }: AcceptedSubmission,
  draft: Draft,
): Uint8Array {
  const head: Head = {
    source,
    sequence: String(sequence),
    root: toHex(root),
    receivedAt,
    anchorBy,
    voucher,
    vault: draft.vault,
  }
  return utf8([JSON.stringify(head), ...draft.items.map(encodeItem)].join('\n'))
}

/** Reads back what `encodeLogEntry` wrote; the log's checksums vouch for it. */
export function decodeLogEntry(payload: Uint8Array): { submission: AcceptedSubmission; draft: Draft } {
  const [first = '', ...lines] = new TextDecoder().decode(payload).split('\n')
  const head = JSON.parse(first) as Head
  const draft = { source: head.source, items: lines.map(decodeItem), vault: head.vault }
  const submission = {
    source: head.source,
    sequence: BigInt(head.sequence),
    root: fromHex(head.root, 32),
    size: draft.items.length,
    receivedAt: head.receivedAt,
    anchorBy: head.anchorBy,
    voucher: head.voucher ?? { by: 'open' as const },
  }
  return { submission, draft }
}
