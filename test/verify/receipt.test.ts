import { describe, expect, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { devWallet } from '../../src/chain/dev-accounts.ts'
import { recoverReceiptSigner, signReceipt } from '../../src/chain/signing.ts'
import { OperationError } from '../../src/errors.ts'
import { fromHex } from '../../src/index.ts'
import { treeRoot } from '../../src/merkle/index.ts'
import { type Receipt, toJsonReceipt } from '../../src/proof/index.ts'
import { RECEIPT_STEPS, type ReceiptWitnesses, verifyReceipt } from '../../src/verify/index.ts'
import { CHAIN_ID, factsOf, LEDGER } from './chain.ts'
import { worldOf } from './world.ts'

const world = worldOf([[[1]], [[13]]])
const chain = factsOf(world.data)
const bundle = world.proveSubmission(1, 4, 5)
/** The block of the batch: the second after 1790000000, every twelve seconds. */
const ANCHORED_AT = 1_790_000_024_000

const publisher = devWallet('publisher', CHAIN_ID)
const PUBLISHER = publisher.address.toLowerCase() as Hex // an ethers address in lowercase

const signedOf = (receipt: Receipt) => ({
  ...receipt,
  size: BigInt(receipt.size),
  receivedAt: BigInt(receipt.receivedAt),
  anchorBy: BigInt(receipt.anchorBy),
})

/** A receipt over the records of the bundle, signed by the publisher. */
async function receiptWith(change: Partial<Receipt> = {}) {
  const receipt: Receipt = {
    source: 'urn:tidemark:service:civil-registry',
    sequence: 7n,
    root: treeRoot(bundle.leaves.map((leaf) => fromHex(leaf))),
    size: bundle.leaves.length,
    receivedAt: ANCHORED_AT - 10_000,
    anchorBy: ANCHORED_AT,
    chainId: CHAIN_ID,
    ledger: LEDGER,
    publisher: PUBLISHER,
    signature: '0x',
    ...change,
  }
  return toJsonReceipt({ ...receipt, signature: await signReceipt(publisher, receipt, signedOf(receipt)) })
}

const witnesses = (change: Partial<ReceiptWitnesses> = {}): ReceiptWitnesses => ({
  signerOf: (receipt) => recoverReceiptSigner(receipt, signedOf(receipt), receipt.signature),
  isPublisher: async (ledger, account) => ledger === LEDGER && account === PUBLISHER,
  fetchSubmission: async () => structuredClone(bundle),
  now: () => ANCHORED_AT,
  ...change,
})
const absent = { fetchSubmission: async () => undefined }

const refusal = (step: string, code: string) =>
  expect.objectContaining({ name: 'VerificationError', step, code })

describe('a receipt', () => {
  test('whose submission was on the chain in time was kept, to the millisecond', async () => {
    const kept = await verifyReceipt(await receiptWith(), chain, witnesses(), {
      ledger: LEDGER,
      publisher: PUBLISHER,
    })
    expect(kept.receipt).toMatchObject({ sequence: 7n, size: 5, publisher: PUBLISHER })
    expect(kept.submission.blockTime).toBe(BigInt(ANCHORED_AT / 1_000))
    const late = await receiptWith({ anchorBy: ANCHORED_AT - 1 })
    await expect(verifyReceipt(late, chain, witnesses())).rejects.toThrow(
      refusal('promise', 'PROMISE_BROKEN'),
    )
    await expect(verifyReceipt(late, chain, witnesses())).rejects.toThrow('1 ms too late')
  })

  test('whose submission is not there was broken after its time, and not a moment before', async () => {
    const receipt = await receiptWith()
    await expect(verifyReceipt(receipt, chain, witnesses(absent))).rejects.toThrow(
      expect.objectContaining({ name: 'OperationError', code: 'NOT_YET' }),
    )
    const after = witnesses({ ...absent, now: () => ANCHORED_AT + 1 })
    await expect(verifyReceipt(receipt, chain, after)).rejects.toThrow(refusal('promise', 'PROMISE_BROKEN'))
  })

  test('is neither good nor bad while nobody can tell', async () => {
    const receipt = await receiptWith()
    const dead = new OperationError('RPC_UNREACHABLE', 'nobody there')
    const fail = async () => Promise.reject(dead)
    for (const change of [{ isPublisher: fail }, { fetchSubmission: fail }]) {
      await expect(verifyReceipt(receipt, chain, witnesses(change))).rejects.toBe(dead)
    }
    await expect(verifyReceipt(receipt, { ...chain, chainId: fail }, witnesses())).rejects.toBe(dead)
    const notFinal = { ...chain, finalBlock: async () => 1n }
    await expect(verifyReceipt(receipt, notFinal, witnesses({ now: () => ANCHORED_AT + 1 }))).rejects.toThrow(
      expect.objectContaining({ name: 'OperationError', code: 'NOT_FINAL' }),
    )
    const nonsense = witnesses({ fetchSubmission: async () => ({ hello: 1 }) })
    await expect(verifyReceipt(receipt, chain, nonsense)).rejects.toThrow(
      expect.objectContaining({ name: 'OperationError', code: 'GATEWAY_UNREACHABLE' }),
    )
  })

  const MEMBERS: [string, unknown][] = [
    ['source', 'urn:other'],
    ['sequence', '8'],
    ['root', `0x${'00'.repeat(32)}`],
    ['size', '6'],
    ['receivedAt', '1'],
    ['anchorBy', String(ANCHORED_AT + 1)],
    ['chainId', '1'],
    ['ledger', `0x${'00'.repeat(20)}`],
    ['publisher', `0x${'00'.repeat(20)}`],
    ['signature', `0x${'11'.repeat(64)}1b`],
    ['signature', `0x${'ff'.repeat(64)}1b`],
  ]
  test.each(MEMBERS)('with another %s is not signed: %s', async (name, value) => {
    const forged = { ...(await receiptWith()), [name]: value }
    await expect(verifyReceipt(forged, chain, witnesses())).rejects.toThrow(
      refusal('publisher', 'BAD_SIGNATURE'),
    )
  })

  test('of another ledger, chain or publisher than expected is refused', async () => {
    const other: Hex = `0x${'33'.repeat(20)}`
    const receipt = await receiptWith()
    await expect(verifyReceipt(receipt, chain, witnesses(), { ledger: other })).rejects.toThrow(
      refusal('publisher', 'WRONG_LEDGER'),
    )
    await expect(verifyReceipt(receipt, chain, witnesses(), { publisher: other })).rejects.toThrow(
      refusal('publisher', 'WRONG_PUBLISHER'),
    )
    const elsewhere = await receiptWith({ chainId: 1n })
    await expect(verifyReceipt(elsewhere, chain, witnesses())).rejects.toThrow(
      refusal('publisher', 'WRONG_CHAIN'),
    )
  })

  test('by somebody whom the ledger does not know as a publisher is refused', async () => {
    const impostor = witnesses({ isPublisher: async () => false })
    await expect(verifyReceipt(await receiptWith(), chain, impostor)).rejects.toThrow(
      refusal('publisher', 'WRONG_PUBLISHER'),
    )
  })

  test('is not kept by other records, nor by a false proof', async () => {
    for (const other of [world.proveSubmission(1, 4, 4), world.proveSubmission(1, 3, 5)]) {
      const given = witnesses({ fetchSubmission: async () => other })
      await expect(verifyReceipt(await receiptWith(), chain, given)).rejects.toThrow(
        refusal('submission', 'ROOT_MISMATCH'),
      )
    }
    const false_ = { ...bundle, log: { ...bundle.log, size: '9' } }
    const given = witnesses({ fetchSubmission: async () => false_ })
    await expect(verifyReceipt(await receiptWith(), chain, given)).rejects.toThrow(
      refusal('submission', 'HEADER_MISMATCH'),
    )
  })

  test('is read strictly', async () => {
    const good = await receiptWith()
    const { sequence: _, ...less } = good
    for (const bad of [
      { ...good, extra: 1 },
      less,
      { ...good, size: 5 },
      { ...good, size: '05' },
      { ...good, anchorBy: '9007199254740992' },
      { ...good, root: good.root.toUpperCase() },
      { ...good, signature: good.signature.slice(0, -2) },
      { ...good, source: '\ud800' },
    ]) {
      await expect(verifyReceipt(bad, chain, witnesses())).rejects.toThrow(
        refusal('read', 'MALFORMED_BUNDLE'),
      )
    }
    for (const none of [null, 'x', {}, { ...good, format: 'tidemark-receipt/2' }]) {
      await expect(verifyReceipt(none, chain, witnesses())).rejects.toThrow(
        expect.objectContaining({ name: 'InputError', code: 'BAD_BUNDLE' }),
      )
    }
  })
})

test('the steps have their names and order', () => {
  expect(RECEIPT_STEPS).toEqual(['read', 'publisher', 'submission', 'promise'])
})
