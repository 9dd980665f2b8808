import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashLeaf, inclusionPath, treeRoot } from '../../src/merkle/index.ts'
import {
  checkpointText,
  coseReceiptToSign,
  encodeCoseReceipt,
  encodeTlogProof,
  noteKeyId,
  noteVerifierKey,
  signedNote,
  type TreeInclusion,
} from '../../src/proof/index.ts'
import { runs } from '../bytes/runs.ts'
import { checkCoseReceipt, checkTlogProof, openNote } from './standards.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const key = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')

function exported(inclusion: TreeInclusion) {
  const text = checkpointText(inclusion)
  const keyId = noteKeyId(inclusion.origin, key)
  const signature = sign(null, utf8(text), privateKey)
  return {
    tlogProof: encodeTlogProof(
      inclusion,
      signedNote(text, { name: inclusion.origin, publicKey: key, signature }),
    ),
    coseReceipt: () =>
      encodeCoseReceipt(inclusion, keyId, sign(null, coseReceiptToSign(inclusion, keyId), privateKey)),
    verifierKey: noteVerifierKey(inclusion.origin, key),
  }
}

/** A leaf of a tree of random leaves. */
const inclusions = fc
  .tuple(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 40 }), fc.nat())
  .map(([leaves, place]): TreeInclusion => {
    const index = place % leaves.length
    const hashes = leaves.map(hashLeaf)
    return {
      origin: 'tidemark/1/0x11',
      size: BigInt(leaves.length),
      index: BigInt(index),
      path: inclusionPath(hashes, index),
      root: treeRoot(hashes),
      leaf: leaves[index] ?? new Uint8Array(),
    }
  })

// golang.org/x/mod/sumdb/note, package documentation.
const PUBLISHED = {
  seed: 'gQoUAtUUbI2E8kQzMPVAgOv5juF9nHT2JS/F1ccoMXM=',
  name: 'PeterNeumann',
  verifierKey: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  line: '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
}

test('writes the published note and its key', () => {
  const { seed, name, verifierKey, text, line } = PUBLISHED
  const pkcs8 = Buffer.concat([
    Buffer.from('302e020100300506032b657004220420', 'hex'),
    Buffer.from(seed, 'base64'),
  ])
  const signer = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const publicKey = Buffer.from(verifierKey.split('+')[2] ?? '', 'base64').subarray(1)
  expect(noteVerifierKey(name, publicKey)).toBe(verifierKey)
  const note = signedNote(text, { name, publicKey, signature: sign(null, utf8(text), signer) })
  expect(note).toBe(`${text}\n${line}`)
  expect(openNote(note, verifierKey)).toBe(text)
})

test('a tlog-proof of any leaf of any tree holds for a reader of the format, and for no other leaf', () => {
  fc.assert(
    fc.property(inclusions, fc.uint8Array({ minLength: 41, maxLength: 41 }), (inclusion, other) => {
      const { tlogProof, verifierKey } = exported(inclusion)
      const { origin, size, index, leaf } = inclusion
      expect(checkTlogProof(tlogProof, leaf, verifierKey)).toEqual({
        origin,
        size,
        index,
        extra: Buffer.from(leaf),
      })
      expect(() => checkTlogProof(tlogProof, other, verifierKey)).toThrow('not in the tree')
      const elsewhere = tlogProof.replaceAll(origin, 'tidemark/1/0x12')
      expect(() => checkTlogProof(elsewhere, leaf, verifierKey)).toThrow('no signature')
      expect(() => checkTlogProof(elsewhere, leaf, noteVerifierKey('tidemark/1/0x12', key))).toThrow(
        'no signature',
      )
    }),
    runs(100),
  )
})

test('a COSE receipt of any leaf of any tree holds for a reader of the format, and for no other leaf', () => {
  fc.assert(
    fc.property(inclusions, fc.uint8Array({ minLength: 41, maxLength: 41 }), (inclusion, other) => {
      fc.pre(inclusion.size > 1n)
      const receipt = exported(inclusion).coseReceipt()
      const { origin, size, index, leaf, root } = inclusion
      const keyId = noteKeyId(origin, key)
      expect(checkCoseReceipt(receipt, leaf, root, key)).toEqual({ origin, size, index, keyId })
      expect(() => checkCoseReceipt(receipt, other, root, key)).toThrow('not in the tree')
      const changed = Uint8Array.from(receipt)
      changed[8] = (changed[8] ?? 0) ^ 1
      expect(() => checkCoseReceipt(changed, leaf, root, key)).toThrow()
    }),
    runs(100),
  )
})

test('no COSE receipt is written for the only leaf of a tree', () => {
  const leaf = utf8('leaf')
  const inclusion = { origin: 'o', size: 1n, index: 0n, path: [], root: hashLeaf(leaf), leaf }
  expect(() => exported(inclusion).coseReceipt()).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
})
