import { type Cbor, encodeCbor } from '../bytes/cbor.ts'
import { InputError } from '../errors.ts'
import type { TreeInclusion } from './tree-inclusion.ts'

/** RFC 9052, section 3.1 and the registry "COSE Header Parameters". */
const ALGORITHM = 1
const KEY_ID = 4
/** RFC 9597, section 2. */
const CWT_CLAIMS = 15
/** RFC 8392, section 4. */
const SUBJECT = 2
/** RFC 9053, section 2.2. */
const EDDSA = -8
/** RFC 9942, sections 2 and 5.1. */
const TREE_KIND = 395
const RFC9162_SHA256 = 1
const PROOFS = 396
/** RFC 9942, section 5.2. */
const INCLUSION = -1
/** RFC 9052, section 4.2. */
const COSE_SIGN1 = 18

/** Which tree a receipt is of: RFC 9942 has nothing that says so, and a signature of a bare root could be moved to another. */
const protectedHeader = ({ origin }: TreeInclusion, keyId: Uint8Array): Uint8Array =>
  encodeCbor(
    new Map<number, Cbor>([
      [ALGORITHM, EDDSA],
      [KEY_ID, keyId],
      [CWT_CLAIMS, new Map([[SUBJECT, origin]])],
      [TREE_KIND, RFC9162_SHA256],
    ]),
  )

/** What a key signs with EdDSA: the Sig_structure of RFC 9052, section 4.4, whose payload is the root. */
export const coseReceiptToSign = (inclusion: TreeInclusion, keyId: Uint8Array): Uint8Array =>
  encodeCbor(['Signature1', protectedHeader(inclusion, keyId), new Uint8Array(), inclusion.root])

/**
 * The receipt of inclusion of RFC 9942, section 5.2.1. The root is detached: whoever checks the receipt computes it
 * from the leaf.
 *
 * @param signature of `coseReceiptToSign`, 64 bytes
 * @throws {InputError} `BAD_ARGUMENT` for the tree of one leaf: the RFC knows no path without a hash
 */
export function encodeCoseReceipt(
  inclusion: TreeInclusion,
  keyId: Uint8Array,
  signature: Uint8Array,
): Uint8Array {
  const { size, index, path } = inclusion
  if (path.length === 0)
    throw new InputError(
      'BAD_ARGUMENT',
      'a COSE receipt cannot be of a tree of one leaf: its path has no hash',
    )
  const proof = encodeCbor([size, index, path])
  const proofs = new Map([[PROOFS, new Map([[INCLUSION, [proof]]])]])
  return encodeCbor({ tag: COSE_SIGN1, value: [protectedHeader(inclusion, keyId), proofs, null, signature] })
}
