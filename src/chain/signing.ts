import { type TypedDataField, verifyTypedData } from 'ethers'
import type { Hex } from '../bytes/hex.ts'
import { isHex, toHex } from '../bytes/hex.ts'
import { VerificationError } from '../errors.ts'
import { parseBytes } from './answers.ts'
import type { Signer } from './signer.ts'

/** The EIP-712 domain: name "Tidemark", version "1", and these. */
export interface SigningDomain {
  chainId: bigint
  ledger: Hex
}

/** What a source signs (docs/format.md, "Submission"). */
export interface SignedSubmission {
  source: string
  /** per source, from 0, without gaps */
  sequence: bigint
  /** RFC 9162 root of the submission's records, 32 bytes */
  root: Uint8Array
  /** number of records */
  size: bigint
}

/** What a publisher signs when it accepts a submission; times are milliseconds since 1970. */
export interface SignedReceipt extends SignedSubmission {
  receivedAt: bigint
  anchorBy: bigint
}

const SUBMISSION_FIELDS = [
  { name: 'source', type: 'string' },
  { name: 'sequence', type: 'uint64' },
  { name: 'root', type: 'bytes32' },
  { name: 'size', type: 'uint64' },
]
const SUBMISSION_TYPE = { Submission: SUBMISSION_FIELDS }
const RECEIPT_TYPE = {
  Receipt: [
    ...SUBMISSION_FIELDS,
    { name: 'receivedAt', type: 'uint64' },
    { name: 'anchorBy', type: 'uint64' },
    { name: 'ledger', type: 'address' },
  ],
}

const toTypedDomain = ({ chainId, ledger }: SigningDomain) => ({
  name: 'Tidemark',
  version: '1',
  chainId,
  verifyingContract: ledger,
})

const toSubmissionValue = ({ source, sequence, root, size }: SignedSubmission) => ({
  source,
  sequence,
  root: toHex(root),
  size,
})

const toReceiptValue = (receipt: SignedReceipt, { ledger }: SigningDomain) => ({
  ...toSubmissionValue(receipt),
  receivedAt: receipt.receivedAt,
  anchorBy: receipt.anchorBy,
  ledger,
})

/** Signs a submission under EIP-712: 65 bytes. */
export async function signSubmission(
  signer: Signer,
  domain: SigningDomain,
  submission: SignedSubmission,
): Promise<Hex> {
  const value = toSubmissionValue(submission)
  return parseBytes(
    await signer.signTypedData(toTypedDomain(domain), SUBMISSION_TYPE, value),
    'signature',
    65,
  )
}

/** Signs a receipt under EIP-712: 65 bytes. */
export async function signReceipt(
  signer: Signer,
  domain: SigningDomain,
  receipt: SignedReceipt,
): Promise<Hex> {
  const value = toReceiptValue(receipt, domain)
  return parseBytes(await signer.signTypedData(toTypedDomain(domain), RECEIPT_TYPE, value), 'signature', 65)
}

/**
 * The address that signed a submission: compare it with the one you expect.
 *
 * @throws {VerificationError} `BAD_SIGNATURE` when it is no signature at all
 */
export function recoverSubmissionSigner(
  domain: SigningDomain,
  submission: SignedSubmission,
  signature: Hex,
): Hex {
  return recover(domain, SUBMISSION_TYPE, toSubmissionValue(submission), signature)
}

/**
 * The address that signed a receipt: compare it with the one you expect.
 *
 * @throws {VerificationError} `BAD_SIGNATURE` when it is no signature at all
 */
export function recoverReceiptSigner(domain: SigningDomain, receipt: SignedReceipt, signature: Hex): Hex {
  return recover(domain, RECEIPT_TYPE, toReceiptValue(receipt, domain), signature)
}

function recover(
  domain: SigningDomain,
  types: Record<string, TypedDataField[]>,
  value: Record<string, unknown>,
  signature: Hex,
): Hex {
  // ethers reads other spellings of the same signature too: compact ones, and v as 0 or 1.
  if (!isHex(signature, 65) || !/1[bc]$/.test(signature)) {
    throw new VerificationError('BAD_SIGNATURE', 'a signature has 65 bytes, the last of them 27 or 28')
  }
  try {
    return parseBytes(verifyTypedData(toTypedDomain(domain), types, value, signature), 'address', 20)
  } catch (cause) {
    throw new VerificationError('BAD_SIGNATURE', 'the signature is not one of EIP-712', { cause })
  }
}
