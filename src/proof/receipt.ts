import { type Hex, toHex } from '../bytes/hex.ts'

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
