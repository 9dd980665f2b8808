import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import {
  checkpointText,
  coseReceiptToSign,
  encodeCoseReceipt,
  encodeTlogProof,
  headerInLog,
  type JsonProof,
  noteKeyId,
  noteVerifierKey,
  parseProof,
  recordInBatch,
  signedNote,
  type TreeInclusion,
  toHex,
} from '../src/index.ts'

/** What RFC 8410, section 7, puts before the 32 bytes of a private key. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SEED = Buffer.alloc(32, 7)

/** The record and the header of a proof, exported by a key whose private part is 32 bytes 7. */
export function standardsVectors(proof: JsonProof) {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, SEED]), format: 'der', type: 'pkcs8' })
  const publicKey = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url')
  const parsed = parseProof(proof)
  return {
    about:
      'Section 20: the record in the records tree of its batch, and the header in the log of its ledger, of the proof in proof.json.',
    publicKey: toHex(publicKey),
    exports: [recordInBatch(parsed), headerInLog(parsed)].map((inclusion) => ({
      origin: inclusion.origin,
      verifierKey: noteVerifierKey(inclusion.origin, publicKey),
      ...exportsOf(inclusion, publicKey, (message) => sign(null, message, key)),
    })),
  }
}

function exportsOf(
  inclusion: TreeInclusion,
  publicKey: Uint8Array,
  signBytes: (message: Uint8Array) => Uint8Array,
) {
  const text = checkpointText(inclusion)
  const signature = signBytes(new TextEncoder().encode(text))
  const keyId = noteKeyId(inclusion.origin, publicKey)
  const toSign = coseReceiptToSign(inclusion, keyId)
  return {
    tlogProof: encodeTlogProof(inclusion, signedNote(text, { name: inclusion.origin, publicKey, signature })),
    coseReceipt: toHex(encodeCoseReceipt(inclusion, keyId, signBytes(toSign))),
    coseSigned: toHex(toSign),
  }
}
