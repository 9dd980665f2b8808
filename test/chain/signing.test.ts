import { HDNodeWallet, Signature, TypedDataEncoder } from 'ethers'
import { describe, expect, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { toHex } from '../../src/bytes/hex.ts'
import { sha256 } from '../../src/bytes/sha256.ts'
import { assertLocalChain, DEV_MNEMONIC, devWallet } from '../../src/chain/dev-accounts.ts'
import {
  recoverReceiptSigner,
  recoverSubmissionSigner,
  signReceipt,
  signSubmission,
} from '../../src/chain/signing.ts'
import { PUBLISHER, publisherWallet } from './fixture.ts'

const domain = { chainId: 31337n, ledger: `0x${'22'.repeat(20)}` as Hex } // hex by construction
const submission = { source: 'urn:数据:源', sequence: 2n ** 60n, root: sha256(new Uint8Array()), size: 3n }
const receipt = { ...submission, receivedAt: 1_700_000_000_000n, anchorBy: 1_700_000_060_000n }

/** The digest of a type written as the design writes it, by ethers. */
function signByOracle(type: string, value: Record<string, unknown>): Hex {
  const [, name = '', fields = ''] = /^(\w+)\((.*)\)$/.exec(type) ?? []
  const types = {
    [name]: fields.split(',').map((field) => {
      const [fieldType = '', fieldName = ''] = field.split(' ')
      return { type: fieldType, name: fieldName }
    }),
  }
  const oracleDomain = { name: 'Tidemark', version: '1', chainId: 31337, verifyingContract: domain.ledger }
  expect(TypedDataEncoder.from(types).encodeType(name)).toBe(type)
  return publisherWallet.signingKey.sign(TypedDataEncoder.hash(oracleDomain, types, value)).serialized as Hex // hex
}

describe('a signature', () => {
  test('of a submission is EIP-712 as documented', async () => {
    const type = 'Submission(string source,uint64 sequence,bytes32 root,uint64 size)'
    const expected = signByOracle(type, { ...submission, root: toHex(submission.root) })
    expect(await signSubmission(publisherWallet, domain, submission)).toBe(expected)
    expect(recoverSubmissionSigner(domain, submission, expected)).toBe(PUBLISHER)
  })

  test('of a receipt is EIP-712 as documented', async () => {
    const type =
      'Receipt(string source,uint64 sequence,bytes32 root,uint64 size,uint64 receivedAt,uint64 anchorBy,address ledger)'
    const expected = signByOracle(type, { ...receipt, root: toHex(receipt.root), ledger: domain.ledger })
    expect(await signReceipt(publisherWallet, domain, receipt)).toBe(expected)
    expect(recoverReceiptSigner(domain, receipt, expected)).toBe(PUBLISHER)
  })

  test('of anything else names another signer', async () => {
    const signature = await signReceipt(publisherWallet, domain, receipt)
    expect(recoverReceiptSigner(domain, { ...receipt, size: 4n }, signature)).not.toBe(PUBLISHER)
    expect(recoverReceiptSigner({ ...domain, chainId: 1n }, receipt, signature)).not.toBe(PUBLISHER)
  })

  test.each(['0x', `0x${'00'.repeat(65)}`, `0x${'ff'.repeat(65)}`] as const)(
    '%s is BAD_SIGNATURE',
    (signature) => {
      expect(() => recoverReceiptSigner(domain, receipt, signature)).toThrow(
        expect.objectContaining({ name: 'VerificationError', code: 'BAD_SIGNATURE' }),
      )
    },
  )
})

test('a signature has one spelling: no compact form, no other v, no high s', async () => {
  const good = await signReceipt(publisherWallet, domain, receipt)
  expect(recoverReceiptSigner(domain, receipt, good)).toBe(PUBLISHER)
  const { r, s, v, compactSerialized } = Signature.from(good)
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const hex = (value: bigint) => value.toString(16).padStart(64, '0')
  for (const other of [
    compactSerialized,
    `${good.slice(0, -2)}${v === 27 ? '00' : '01'}`,
    `${r}${hex(order - BigInt(s))}${v === 27 ? '1c' : '1b'}`,
    good.toUpperCase(),
  ]) {
    expect(() => recoverReceiptSigner(domain, receipt, other as Hex)).toThrow(
      expect.objectContaining({ code: 'BAD_SIGNATURE' }),
    )
  }
})

describe('the development accounts', () => {
  test('are those of the mnemonic', () => {
    for (const [index, role] of (['admin', 'publisher', 'guardian'] as const).entries()) {
      const wallet = HDNodeWallet.fromPhrase(DEV_MNEMONIC, undefined, `m/44'/60'/0'/0/${index}`)
      expect(devWallet(role, 31337n).address).toBe(wallet.address)
    }
  })

  test('are refused on every chain but a local one', () => {
    expect(() => assertLocalChain(31337n)).not.toThrow()
    for (const chainId of [1n, 10n, 11155111n]) {
      expect(() => devWallet('publisher', chainId)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
    }
  })
})
