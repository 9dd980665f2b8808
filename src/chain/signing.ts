import { BaseWallet } from 'ethers'
import * as secp256k1 from 'tiny-secp256k1'
import { concatBytes } from '../bytes/bytes.ts'
import { fromHex, type Hex, toHex } from '../bytes/hex.ts'
import { recoverSigner, V_OF_ZERO } from '../bytes/signature.ts'
import { stringWord, type TypedDomain, typedDigest, uintWord } from '../bytes/typed-data.ts'
import { VerificationError } from '../errors.ts'
import { RECEIPT_TYPE, receiptWords } from '../proof/index.ts'
import { GRANT_TYPE, type Grant, grantWords } from '../record/index.ts'
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

/** A struct to be signed: its type, and its words as `encodeData` of EIP-712 has them after the type's hash. */
interface Struct {
  type: string
  value: Record<string, unknown>
  words: Uint8Array[]
}

function submissionStruct({ source, sequence, root, size }: SignedSubmission): Struct {
  return {
    type: 'Submission(string source,uint64 sequence,bytes32 root,uint64 size)',
    value: { source, sequence, root: toHex(root), size },
    words: [stringWord(source), uintWord(sequence), root, uintWord(size)],
  }
}

function receiptStruct(receipt: SignedReceipt, { ledger }: SigningDomain): Struct {
  const { receivedAt, anchorBy } = receipt
  return {
    type: RECEIPT_TYPE,
    value: { ...submissionStruct(receipt).value, receivedAt, anchorBy, ledger },
    words: receiptWords({ ...receipt, ledger }),
  }
}

const grantStruct = (grant: Grant): Struct => ({
  type: GRANT_TYPE,
  value: { ...grant },
  words: grantWords(grant),
})

const revokeStruct = (grant: Hex, deadline: bigint): Struct => ({
  type: 'Revoke(bytes32 grant,uint64 deadline)',
  value: { grant, deadline },
  words: [fromHex(grant), uintWord(deadline)],
})

/** Signs a submission under EIP-712: 65 bytes. */
export const signSubmission = (
  signer: Signer,
  domain: SigningDomain,
  submission: SignedSubmission,
): Promise<Hex> => sign(signer, typed(domain), submissionStruct(submission))

/** Signs a receipt under EIP-712: 65 bytes. */
export const signReceipt = (signer: Signer, domain: SigningDomain, receipt: SignedReceipt): Promise<Hex> =>
  sign(signer, typed(domain), receiptStruct(receipt, domain))

/**
 * The address that signed a submission: compare it with the one you expect.
 *
 * @throws {VerificationError} `BAD_SIGNATURE` when it is no signature at all
 */
export const recoverSubmissionSigner = (
  domain: SigningDomain,
  submission: SignedSubmission,
  signature: Hex,
): Hex => recover(typed(domain), submissionStruct(submission), signature)

/**
 * The address that signed a receipt: compare it with the one you expect.
 *
 * @throws {VerificationError} `BAD_SIGNATURE` when it is no signature at all
 */
export const recoverReceiptSigner = (domain: SigningDomain, receipt: SignedReceipt, signature: Hex): Hex =>
  recover(typed(domain), receiptStruct(receipt, domain), signature)

/**
 * A subject's signature of its grant, 65 bytes.
 *
 * @param domain that of the contract which decides on the grant
 */
export const signGrant = (signer: Signer, domain: TypedDomain, grant: Grant): Promise<Hex> =>
  sign(signer, domain, grantStruct(grant))

/**
 * The address that signed a grant: it is genuine when that is its subject. One that is a contract is asked instead.
 *
 * @throws {VerificationError} `BAD_SIGNATURE` when it is no signature of a key at all
 */
export const recoverGrantSigner = (domain: TypedDomain, grant: Grant, signature: Hex): Hex =>
  recover(domain, grantStruct(grant), signature)

/** As `RightsFacts` has it: undefined when the signature is none of a key. */
export function grantSigner(domain: TypedDomain, grant: Grant, signature: Hex): Hex | undefined {
  try {
    return recoverGrantSigner(domain, grant, signature)
  } catch (error) {
    if (error instanceof VerificationError) return undefined
    throw error
  }
}

/**
 * A subject's signature for somebody else to revoke its grant, 65 bytes.
 *
 * @param grant its id
 * @param deadline seconds of block time
 */
export const signRevoke = (signer: Signer, domain: TypedDomain, grant: Hex, deadline: bigint): Promise<Hex> =>
  sign(signer, domain, revokeStruct(grant, deadline))

const typed = ({ chainId, ledger }: SigningDomain): TypedDomain => ({ chainId, contract: ledger })

async function sign(signer: Signer, domain: TypedDomain, struct: Struct): Promise<Hex> {
  // A key at hand is used in WebAssembly: every receipt waits for this.
  if (signer instanceof BaseWallet) return signDigest(fromHex(signer.privateKey), digestOf(domain, struct))
  const { type, value } = struct
  const { chainId, contract } = domain
  const typedDomain = { name: 'Tidemark', version: '1', chainId, verifyingContract: contract }
  const [, name = '', members = ''] = /^(\w+)\((.*)\)$/.exec(type) ?? []
  const fields = members.split(',').map((member) => {
    const [type = '', name = ''] = member.split(' ')
    return { type, name }
  })
  return parseBytes(await signer.signTypedData(typedDomain, { [name]: fields }, value), 'signature', 65)
}

function signDigest(key: Uint8Array, digest: Uint8Array): Hex {
  const { signature, recoveryId } = secp256k1.signRecoverable(digest, key)
  return toHex(concatBytes(signature, Uint8Array.of(V_OF_ZERO + recoveryId)))
}

const recover = (domain: TypedDomain, struct: Struct, signature: Hex): Hex =>
  recoverSigner(digestOf(domain, struct), signature, (digest, compact, recoveryId) =>
    secp256k1.recover(digest, compact, recoveryId, false),
  )

const digestOf = (domain: TypedDomain, { type, words }: Struct): Uint8Array =>
  typedDigest(domain, type, words)
