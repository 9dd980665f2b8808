import { secp256k1 } from '@noble/curves/secp256k1.js'
import { fromHex } from '../../bytes/hex.ts'
import { type RecoverKey, recoverSigner } from '../../bytes/signature.ts'
import { VerificationError } from '../../errors.ts'
import { type Receipt, receiptDigest } from '../../proof/index.ts'
import { grantId } from '../../record/index.ts'
import type { RightsFacts } from '../../verify/index.ts'

const recoverKey: RecoverKey = (digest, compact, recoveryId) =>
  secp256k1.Signature.fromBytes(compact, 'compact')
    .addRecoveryBit(recoveryId)
    .recoverPublicKey(digest)
    .toBytes(false)

/** As `RightsFacts` has it: undefined when the signature is none of a key. */
export const grantSigner: RightsFacts['grantSigner'] = (domain, grant, signature) => {
  try {
    return recoverSigner(fromHex(grantId(domain, grant)), signature, recoverKey)
  } catch (error) {
    if (error instanceof VerificationError) return undefined
    throw error
  }
}

/** @throws {VerificationError} `BAD_SIGNATURE` */
export const receiptSigner = (receipt: Receipt) =>
  recoverSigner(receiptDigest(receipt), receipt.signature, recoverKey)
