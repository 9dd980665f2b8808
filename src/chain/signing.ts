import { keccak_256 } from '@noble/hashes/sha3.js'
import { BaseWallet, type TypedDataField } from 'ethers'
import * as secp256k1 from 'tiny-secp256k1'
import { compareBytes, concatBytes, utf8 } from '../bytes/bytes.ts'
import { fromHex, type Hex, isHex, toHex } from '../bytes/hex.ts'
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
const RECEIPT_FIELDS = [
  ...SUBMISSION_FIELDS,
  { name: 'receivedAt', type: 'uint64' },
  { name: 'anchorBy', type: 'uint64' },
  { name: 'ledger', type: 'address' },
]

/** A struct to be signed: its fields, and its words as `encodeData` of EIP-712 has them after the type's hash. */
interface Struct {
  name: string
  fields: TypedDataField[]
  value: Record<string, unknown>
  words: Uint8Array[]
}

function submissionStruct({ source, sequence, root, size }: SignedSubmission): Struct {
  return {
    name: 'Submission',
    fields: SUBMISSION_FIELDS,
    value: { source, sequence, root: toHex(root), size },
    words: [keccak_256(utf8(source)), uintWord(sequence), root, uintWord(size)],
  }
}

function receiptStruct(receipt: SignedReceipt, { ledger }: SigningDomain): Struct {
  const { receivedAt, anchorBy } = receipt
  const { value, words } = submissionStruct(receipt)
  return {
    name: 'Receipt',
    fields: RECEIPT_FIELDS,
    value: { ...value, receivedAt, anchorBy, ledger },
    words: [...words, uintWord(receivedAt), uintWord(anchorBy), addressWord(ledger)],
  }
}

/** Signs a submission under EIP-712: 65 bytes. */
export const signSubmission = (
  signer: Signer,
  domain: SigningDomain,
  submission: SignedSubmission,
): Promise<Hex> => sign(signer, domain, submissionStruct(submission))

/** Signs a receipt under EIP-712: 65 bytes. */
export const signReceipt = (signer: Signer, domain: SigningDomain, receipt: SignedReceipt): Promise<Hex> =>
  sign(signer, domain, receiptStruct(receipt, domain))

/**
 * The address that signed a submission: compare it with the one you expect.
 *
 * @throws {VerificationError} `BAD_SIGNATURE` when it is no signature at all
 */
export const recoverSubmissionSigner = (
  domain: SigningDomain,
  submission: SignedSubmission,
  signature: Hex,
): Hex => recover(domain, submissionStruct(submission), signature)

/**
 * The address that signed a receipt: compare it with the one you expect.
 *
 * @throws {VerificationError} `BAD_SIGNATURE` when it is no signature at all
 */
export const recoverReceiptSigner = (domain: SigningDomain, receipt: SignedReceipt, signature: Hex): Hex =>
  recover(domain, receiptStruct(receipt, domain), signature)

async function sign(signer: Signer, domain: SigningDomain, struct: Struct): Promise<Hex> {
  // A key at hand is used in WebAssembly: every receipt waits for this.
  if (signer instanceof BaseWallet) return signDigest(fromHex(signer.privateKey), digestOf(domain, struct))
  const { name, fields, value } = struct
  const { chainId, ledger } = domain
  const typedDomain = { ...DOMAIN, chainId, verifyingContract: ledger }
  return parseBytes(await signer.signTypedData(typedDomain, { [name]: fields }, value), 'signature', 65)
}

function signDigest(key: Uint8Array, digest: Uint8Array): Hex {
  const { signature, recoveryId } = secp256k1.signRecoverable(digest, key)
  return toHex(concatBytes(signature, Uint8Array.of(V_OF_ZERO + recoveryId)))
}

function recover(domain: SigningDomain, struct: Struct, signature: Hex): Hex {
  // One spelling: v is 27 or 28, and s in the lower half (EIP-2).
  if (!isHex(signature, 65) || !/1[bc]$/.test(signature)) {
    throw new VerificationError('BAD_SIGNATURE', 'a signature has 65 bytes, the last of them 27 or 28')
  }
  const bytes = fromHex(signature)
  if (compareBytes(bytes.subarray(32, 64), HIGHEST_S) > 0) throw badSignature()
  try {
    const recoveryId = ((bytes[64] as number) - V_OF_ZERO) as 0 | 1
    const key = secp256k1.recover(digestOf(domain, struct), bytes.subarray(0, 64), recoveryId, false)
    // The address of a key: the last 20 bytes of the hash of its coordinates.
    if (key !== null) return toHex(keccak_256(key.subarray(1)).subarray(12))
  } catch (cause) {
    throw badSignature(cause)
  }
  throw badSignature()
}

const DOMAIN = { name: 'Tidemark', version: '1' }
const V_OF_ZERO = 27
/** Half the order of secp256k1, rounded down. */
const HIGHEST_S = fromHex('0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0')

/** EIP-712: `keccak256(0x19 || 0x01 || domainSeparator || hashStruct)`. */
function digestOf(domain: SigningDomain, { name, fields, words }: Struct): Uint8Array {
  const type = `${name}(${fields.map((field) => `${field.type} ${field.name}`).join(',')})`
  const struct = keccak_256(concatBytes(typeHash(type), ...words))
  return keccak_256(concatBytes(Uint8Array.of(0x19, 0x01), domainSeparator(domain), struct))
}

function domainSeparator({ chainId, ledger }: SigningDomain): Uint8Array {
  const type = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'
  const words = [typeHash(DOMAIN.name), typeHash(DOMAIN.version), uintWord(chainId), addressWord(ledger)]
  return keccak_256(concatBytes(typeHash(type), ...words))
}

const hashes = new Map<string, Uint8Array>()

/** The hash of one of the few texts that every digest needs. */
function typeHash(text: string): Uint8Array {
  const known = hashes.get(text)
  if (known !== undefined) return known
  const hash = keccak_256(utf8(text))
  hashes.set(text, hash)
  return hash
}

const uintWord = (value: bigint): Uint8Array => fromHex(`0x${value.toString(16).padStart(64, '0')}`)

const addressWord = (address: Hex): Uint8Array => fromHex(`0x${address.slice(2).padStart(64, '0')}`)

const badSignature = (cause?: unknown) =>
  new VerificationError('BAD_SIGNATURE', 'the signature is not one of EIP-712', { cause })
