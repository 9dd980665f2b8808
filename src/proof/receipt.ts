import { fromHex, type Hex, toHex } from '../bytes/hex.ts'
import { addressWord, stringWord, typedDigest, uintWord } from '../bytes/typed-data.ts'
import { expectFormat, hex, malformed, members, text, uint64 } from './members.ts'

export const RECEIPT_FORMAT = 'tidemark-receipt/1'

/** The publisher's signed promise to anchor a submission by a time. Times in milliseconds since 1970. */
export interface Receipt {
  source: string
  sequence: bigint
  /** RFC 9162 root of the submission's records, 32 bytes */
  root: Uint8Array
  /** records */
  size: number
  receivedAt: number
  anchorBy: number
  chainId: bigint
  ledger: Hex
  publisher: Hex
  /** EIP-712, 65 bytes */
  signature: Hex
}

/** A receipt as JSON: uint64 as decimal strings, bytes as hex. */
export const toJsonReceipt = (receipt: Receipt) => ({
  format: RECEIPT_FORMAT,
  source: receipt.source,
  sequence: String(receipt.sequence),
  root: toHex(receipt.root),
  size: String(receipt.size),
  receivedAt: String(receipt.receivedAt),
  anchorBy: String(receipt.anchorBy),
  chainId: String(receipt.chainId),
  ledger: receipt.ledger,
  publisher: receipt.publisher,
  signature: receipt.signature,
})

/** What a publisher signs (docs/format.md, "Receipt"). */
export const RECEIPT_TYPE =
  'Receipt(string source,uint64 sequence,bytes32 root,uint64 size,uint64 receivedAt,uint64 anchorBy,address ledger)'

/** The words of a receipt, as `encodeData` of EIP-712 has them after the type's hash. */
export const receiptWords = (
  receipt: Pick<Receipt, 'source' | 'sequence' | 'root' | 'ledger'> &
    Record<'size' | 'receivedAt' | 'anchorBy', number | bigint>,
): Uint8Array[] => [
  stringWord(receipt.source),
  uintWord(receipt.sequence),
  receipt.root,
  uintWord(BigInt(receipt.size)),
  uintWord(BigInt(receipt.receivedAt)),
  uintWord(BigInt(receipt.anchorBy)),
  addressWord(receipt.ledger),
]

/** What the signature of a receipt is of, 32 bytes. */
export const receiptDigest = (receipt: Receipt): Uint8Array =>
  typedDigest({ chainId: receipt.chainId, contract: receipt.ledger }, RECEIPT_TYPE, receiptWords(receipt))

const RECEIPT_MEMBERS = [
  'format',
  'source',
  'sequence',
  'root',
  'size',
  'receivedAt',
  'anchorBy',
  'chainId',
  'ledger',
  'publisher',
  'signature',
] as const

/**
 * Reads a receipt; exactly its members, each value in its one spelling. The signature is not checked.
 *
 * @param value parsed JSON
 * @throws {InputError} `BAD_BUNDLE` when it is no receipt at all
 * @throws {VerificationError} `MALFORMED_BUNDLE` when a member of it is missing, unknown or misspelt
 */
export function parseReceipt(value: unknown): Receipt {
  expectFormat(value, RECEIPT_FORMAT)
  const parts = members(value, 'the receipt', RECEIPT_MEMBERS)
  return {
    source: text(parts.source, 'source'),
    sequence: uint64(parts.sequence, 'sequence'),
    root: fromHex(hex(parts.root, 32, 'root')),
    size: safeInteger(parts.size, 'size'),
    receivedAt: safeInteger(parts.receivedAt, 'receivedAt'),
    anchorBy: safeInteger(parts.anchorBy, 'anchorBy'),
    chainId: uint64(parts.chainId, 'chainId'),
    ledger: hex(parts.ledger, 20, 'ledger'),
    publisher: hex(parts.publisher, 20, 'publisher'),
    signature: hex(parts.signature, 65, 'signature'),
  }
}

function safeInteger(value: unknown, place: string): number {
  const number = Number(uint64(value, place))
  if (!Number.isSafeInteger(number)) throw malformed(`${place} must be at most 2^53 - 1`)
  return number
}
