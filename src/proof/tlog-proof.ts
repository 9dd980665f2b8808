import { toBase64 } from '../bytes/base64url.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { toHex } from '../bytes/hex.ts'
import { sha256 } from '../bytes/sha256.ts'
import type { TreeInclusion } from './tree-inclusion.ts'

/** C2SP signed-note, "Signature types": Ed25519. */
const ED25519 = Uint8Array.of(1)

/**
 * What a key signs who says that the tree has this root at this size: the text of a note (C2SP tlog-checkpoint,
 * "Note text").
 */
export const checkpointText = ({ origin, size, root }: TreeInclusion): string =>
  `${origin}\n${size}\n${toBase64(root)}\n`

/**
 * The four bytes that tell apart the keys of one name (C2SP signed-note, "Ed25519 signatures").
 *
 * @param publicKey 32 bytes (RFC 8032)
 */
export const noteKeyId = (name: string, publicKey: Uint8Array): Uint8Array =>
  sha256(concatBytes(utf8(`${name}\n`), ED25519, publicKey)).slice(0, 4)

/** A key as verifiers of signed notes are given it: name, key id and public key. */
export const noteVerifierKey = (name: string, publicKey: Uint8Array): string =>
  `${name}+${toHex(noteKeyId(name, publicKey)).slice(2)}+${toBase64(concatBytes(ED25519, publicKey))}`

/**
 * A text with the signature of one key (C2SP signed-note, "Format").
 *
 * @param signature of the bytes of the text, 64 bytes
 */
export const signedNote = (
  text: string,
  { name, publicKey, signature }: { name: string; publicKey: Uint8Array; signature: Uint8Array },
): string => `${text}\n\u2014 ${name} ${toBase64(concatBytes(noteKeyId(name, publicKey), signature))}\n`

/**
 * The proof of C2SP tlog-proof: the place of the leaf, its path and the signed checkpoint, with the leaf itself as the
 * extra data, which whoever checks the proof hashes.
 *
 * @param checkpoint a signed note of `checkpointText`
 */
export function encodeTlogProof({ leaf, index, path }: TreeInclusion, checkpoint: string): string {
  const lines = ['c2sp.org/tlog-proof@v1', `extra ${toBase64(leaf)}`, `index ${index}`, ...path.map(toBase64)]
  return `${lines.join('\n')}\n\n${checkpoint}`
}
