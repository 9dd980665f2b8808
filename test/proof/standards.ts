import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import { decode, encode, Tagged } from 'cborg'
import { MerkleTree } from 'merkletreejs'

/**
 * Readers of the formats of others, written from their pages alone: C2SP signed-note, tlog-checkpoint and tlog-proof,
 * RFC 9052 and RFC 9942. Hashes, keys, CBOR and paths are those of Node, cborg and merkletreejs.
 */
interface Checked {
  origin: string
  size: bigint
  index: bigint
}

const sha256 = (...parts: Uint8Array[]): Buffer => hash('sha256', Buffer.concat(parts), 'buffer')
const need = (holds: boolean, what: string) => {
  if (!holds) throw new Error(what)
}

const publicKeyOf = (bytes: Uint8Array): KeyObject =>
  createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(bytes).toString('base64url') },
    format: 'jwk',
  })

/** Whether a leaf is in a tree, by merkletreejs. */
function isIncluded(
  leaf: Uint8Array,
  index: bigint,
  size: bigint,
  path: readonly Uint8Array[],
  root: Uint8Array,
) {
  const proof: { position: 'left' | 'right'; data: Buffer }[] = []
  for (let i = index, last = size - 1n; last > 0n; i /= 2n, last /= 2n) {
    if (i % 2n === 0n && i === last) continue
    proof.push({ position: i % 2n === 1n ? 'left' : 'right', data: Buffer.from(path[proof.length] ?? []) })
  }
  const hashPair = (pair: Uint8Array) => sha256(Buffer.of(1), pair)
  return (
    index < size &&
    proof.length === path.length &&
    (MerkleTree.verify(proof, sha256(Buffer.of(0), leaf), Buffer.from(root), hashPair) ||
      // It says of a tree of one leaf that nothing is in it.
      (size === 1n && sha256(Buffer.of(0), leaf).equals(root)))
  )
}

/** The text of a note, after a signature of this key was found good. */
export function openNote(note: string, verifierKey: string): string {
  const [name = '', keyId = '', ...rest] = verifierKey.split('+')
  const key = Buffer.from(rest.join('+'), 'base64')
  need(key[0] === 1 && key.length === 33, 'no Ed25519 key')
  const expected = sha256(Buffer.from(`${name}\n`), key).subarray(0, 4)
  need(expected.toString('hex') === keyId, 'another key id')
  const end = note.lastIndexOf('\n\n') + 1
  const text = note.slice(0, end)
  for (const line of note.slice(end + 1, -1).split('\n')) {
    const [dash, signer, encoded = ''] = line.split(' ')
    const signature = Buffer.from(encoded, 'base64')
    if (dash !== '\u2014' || signer !== name || !signature.subarray(0, 4).equals(expected)) continue
    need(
      verify(null, Buffer.from(text), publicKeyOf(key.subarray(1)), signature.subarray(4)),
      'another signature',
    )
    return text
  }
  throw new Error('no signature of this key')
}

export function checkTlogProof(
  text: string,
  leaf: Uint8Array,
  verifierKey: string,
): Checked & { extra: Buffer } {
  const split = text.indexOf('\n\n')
  const [format, extra = '', place = '', ...path] = text.slice(0, split).split('\n')
  need(format === 'c2sp.org/tlog-proof@v1', 'another format')
  need(extra.startsWith('extra ') && /^index (0|[1-9]\d*)$/.test(place), 'another header')
  const [origin = '', size = '', root = '', ...more] = openNote(text.slice(split + 2), verifierKey).split(
    '\n',
  )
  need(more.length === 1 && more[0] === '', 'extension lines')
  const found = { origin, size: BigInt(size), index: BigInt(place.slice(6)) }
  const hashes = path.map((hash) => Buffer.from(hash, 'base64'))
  need(isIncluded(leaf, found.index, found.size, hashes, Buffer.from(root, 'base64')), 'not in the tree')
  return { ...found, extra: Buffer.from(extra.slice(6), 'base64') }
}

/** @param root what the path leads to, as RFC 9942 lets a verifier compute it */
export function checkCoseReceipt(
  receipt: Uint8Array,
  leaf: Uint8Array,
  root: Uint8Array,
  publicKey: Uint8Array,
): Checked & { keyId: Uint8Array } {
  const tags = Tagged.preserve(18)
  const message = decode(receipt, { useMaps: true, tags, rejectDuplicateMapKeys: true }) as Tagged
  const [header, unprotected, payload, signature] = message.value as [
    Uint8Array,
    Map<number, unknown>,
    null,
    Uint8Array,
  ]
  const claimed = decode(header, { useMaps: true }) as Map<number, unknown>
  need(claimed.get(1) === -8 && claimed.get(395) === 1, 'another algorithm or tree')
  need(payload === null, 'an attached payload')
  const proofs = unprotected.get(396) as Map<number, Uint8Array[]>
  const [size, index, path] = decode(proofs.get(-1)?.[0] ?? new Uint8Array()) as [
    number,
    number,
    Uint8Array[],
  ]
  need(isIncluded(leaf, BigInt(index), BigInt(size), path, root), 'not in the tree')
  const signed = encode(['Signature1', header, new Uint8Array(), root])
  need(verify(null, signed, publicKeyOf(publicKey), signature), 'another signature')
  const claims = claimed.get(15) as Map<number, string>
  return {
    origin: claims.get(2) ?? '',
    size: BigInt(size),
    index: BigInt(index),
    keyId: claimed.get(4) as Uint8Array,
  }
}
