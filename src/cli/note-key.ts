import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { InputError } from '../errors.ts'

/** An Ed25519 key that signs what is exported. */
export interface NoteKey {
  /** 32 bytes (RFC 8032) */
  publicKey: Uint8Array
  /** @returns 64 bytes */
  sign(message: Uint8Array): Uint8Array
}

/**
 * Reads a key from a file as `openssl genpkey -algorithm ed25519` makes it: PKCS #8 in PEM (RFC 8410).
 *
 * @throws {InputError} `BAD_ARGUMENT`
 */
export async function readNoteKey(path: string): Promise<NoteKey> {
  const bad = (message: string, cause?: unknown) =>
    new InputError('BAD_ARGUMENT', `${path} ${message}`, {}, { cause })
  let key: KeyObject
  try {
    key = createPrivateKey(await readFile(path))
  } catch (cause) {
    throw bad(`holds no private key that can be read: ${(cause as Error).message}`, cause)
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw bad(`holds a key of ${key.asymmetricKeyType}, not of Ed25519`)
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  return { publicKey: Buffer.from(x, 'base64url'), sign: (message) => sign(null, message, key) }
}
