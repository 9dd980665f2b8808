import { createMPT, verifyMerkleProof } from '@ethereumjs/mpt'
import { decodeRlp, keccak256, type TransactionLike } from 'ethers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromHex, type Hex, toHex } from '../../src/bytes/hex.ts'
import { parseBytes, parseMembers, toQuantity } from '../../src/chain/answers.ts'
import { LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { fetchAccount, fetchLedgerAccount, showTransaction } from '../../src/chain/evidence.ts'
import { chainFacts, fetchLatestBlock } from '../../src/chain/facts.ts'
import { encodeAppend } from '../../src/chain/ledger-abi.ts'
import { type Rpc, RpcRefusal } from '../../src/chain/rpc.ts'
import { fetchNonce } from '../../src/chain/send.ts'
import { fetchHeader, fetchWholeBlock, type WholeBlock } from '../../src/chain/whole-block.ts'
import { listKey } from '../../src/merkle/index.ts'
import { adminWallet, deployTestLedger, makeHeaders, PUBLISHER, publisherWallet } from './fixture.ts'
import { startHardhatNode, startPragueAnvil, type TestNode } from './nodes.ts'

const ZERO = `0x${'00'.repeat(32)}` as const
const GAS_PRICE = 10n ** 11n
const FEES = { maxFeePerGas: GAS_PRICE, maxPriorityFeePerGas: GAS_PRICE }
const ACCESS_LIST = [{ address: PUBLISHER, storageKeys: [ZERO, `0x${'ff'.repeat(32)}`] }]

/** A kind of transaction for each type that a development chain makes. */
const KINDS: readonly TransactionLike[] = [
  { type: 0, gasPrice: GAS_PRICE },
  { type: 1, gasPrice: GAS_PRICE, accessList: ACCESS_LIST },
  { type: 2, ...FEES, accessList: ACCESS_LIST },
  { type: 4, ...FEES },
]

describe.each<[string, () => Promise<TestNode>]>([
  ['anvil', startPragueAnvil],
  ['Hardhat', startHardhatNode],
])('what %s says of a block', (_, start) => {
  let node: TestNode
  let rpc: Rpc
  let ledger: Hex
  let other: Hex
  let appended = 0
  let appendedElsewhere = 0

  beforeAll(async () => {
    node = await start()
    rpc = node.rpc
    ledger = await deployTestLedger(rpc)
    other = await deployTestLedger(rpc)
    await rpc.call('evm_setAutomine', [false])
  })
  afterAll(() => node?.close())

  async function send(nonce: number, kind: TransactionLike, to: Hex, data: Hex): Promise<Hex> {
    const authorizationList =
      kind.type === 4
        ? [await adminWallet.authorize({ address: ledger, nonce: 2n ** 60n, chainId: LOCAL_CHAIN_ID })]
        : null
    const signed = await publisherWallet.signTransaction({
      ...kind,
      authorizationList,
      chainId: LOCAL_CHAIN_ID,
      nonce,
      to,
      data,
      gasLimit: 400_000n,
    })
    await rpc.call('eth_sendRawTransaction', [signed])
    return keccak256(signed) as Hex
  }

  /** One block of so many transactions; the last one, and every seventh, appends to the ledger, others elsewhere. */
  async function mine(count: number): Promise<{ block: WholeBlock; anchors: Hex[] }> {
    const anchors: Hex[] = []
    const nonce = await fetchNonce(rpc, PUBLISHER)
    for (let i = 0; i < count; i++) {
      const kind = KINDS[i % KINDS.length] ?? {}
      const at = Number(nonce) + i
      if (i === count - 1 || i % 7 === 3) {
        anchors.push(await send(at, kind, ledger, encodeAppend(makeHeaders(appended, appended + 1))))
        appended++
      } else if (i % 5 === 0) {
        await send(at, kind, other, encodeAppend(makeHeaders(appendedElsewhere, appendedElsewhere + 1)))
        appendedElsewhere++
      } else {
        await send(at, kind, PUBLISHER, '0x')
      }
    }
    await rpc.call('evm_mine', [])
    const { hash } = await fetchLatestBlock(rpc)
    return { block: await fetchWholeBlock(rpc, hash), anchors }
  }

  test.each([1, 2, 20, 150])('of %i transactions is proven, as @ethereumjs/mpt finds too', async (count) => {
    const { block, anchors } = await mine(count)
    expect(block.transactions).toHaveLength(count)
    expect(keccak256(block.header)).toBe(block.hash)
    const roots = { transactions: block.transactionsRoot, receipts: block.receiptsRoot }
    for (const [list, items] of [
      ['transactions', block.transactions],
      ['receipts', block.receipts],
    ] as const) {
      const theirs = await createMPT()
      for (const [i, { encoded }] of items.entries()) await theirs.put(listKey(i), encoded)
      expect(toHex(theirs.root())).toBe(roots[list])
    }
    for (const anchor of anchors) {
      const shown = showTransaction(block, anchor)
      const transaction = await verifyMerkleProof(listKey(shown.index), shown.transactionProof)
      expect(keccak256(transaction ?? new Uint8Array())).toBe(anchor)
      const receipt = await verifyMerkleProof(listKey(shown.index), shown.receiptProof)
      expect(receipt).toEqual(block.receipts[shown.index]?.encoded)
      // The first log of it has the place in the block that the node gives it.
      const told = await chainFacts(rpc, { finality: { kind: 'tag' } }).receipt(anchor)
      expect(told?.logs.map(({ logIndex }) => logIndex)[0]).toBe(shown.firstLogIndex)
    }
    const { account, size } = await fetchLedgerAccount(rpc, block, ledger)
    expect(size).toBe(BigInt(appended))
    const state = await verifyMerkleProof(fromHex(keccak256(ledger) as Hex), account.accountProof)
    const [, , storageRoot] = decodeRlp(state ?? new Uint8Array()) as string[]
    expect(keccak256(account.accountProof[0] ?? new Uint8Array())).toBe(block.stateRoot)
    for (const { slot, proof } of account.storage) {
      expect(keccak256(proof[0] ?? new Uint8Array())).toBe(storageRoot)
      const word = parseBytes(
        await rpc.call('eth_getStorageAt', [ledger, slot, toQuantity(block.number)]),
        'word',
        32,
      )
      const value = await verifyMerkleProof(fromHex(keccak256(slot) as Hex), proof)
      expect(BigInt(String(decodeRlp(value ?? new Uint8Array())))).toBe(BigInt(word))
    }
  })

  test('that it changes is not believed', async () => {
    const { block, anchors } = await mine(3)
    const [anchor = ZERO] = anchors
    const lying = (method: string, change: (answer: Record<string, unknown>) => void): Rpc => ({
      url: rpc.url,
      async call(asked, params) {
        const answer = await rpc.call(asked, params)
        if (asked === method) change(parseMembers(answer, 'answer'))
        return answer
      },
    })
    const malformed = expect.objectContaining({ code: 'RPC_MALFORMED' })
    for (const change of [
      (told: Record<string, unknown>) => {
        told.timestamp = '0x1'
      },
      ({ transactions }: Record<string, unknown>) => {
        const [first] = transactions as Record<string, unknown>[]
        if (first !== undefined) first.value = '0x7'
      },
    ]) {
      await expect(fetchWholeBlock(lying('eth_getBlockByHash', change), block.hash)).rejects.toEqual(
        malformed,
      )
    }
    const first = { ...block, receipts: block.receipts.toReversed() }
    expect(() => showTransaction(first, anchor)).toThrow(malformed)
    expect(() => showTransaction({ ...block, transactions: block.transactions.slice(1) }, anchor)).toThrow(
      malformed,
    )
    expect(() => showTransaction(block, ZERO)).toThrow(malformed)
    const header = await fetchHeader(rpc, block.hash)
    const otherState = lying('eth_getProof', (told) => {
      told.accountProof = []
    })
    await expect(fetchAccount(otherState, header, ledger, [ZERO])).rejects.toEqual(malformed)
    await expect(fetchAccount(rpc, { ...header, stateRoot: ZERO }, ledger, [ZERO])).rejects.toEqual(malformed)
  })

  test('is asked for receipt by receipt where the node does not give them at once', async () => {
    const { block } = await mine(2)
    const old: Rpc = {
      url: rpc.url,
      call(method, params) {
        if (method === 'eth_getBlockReceipts') throw new RpcRefusal(method, -32601, 'no such method')
        return rpc.call(method, params)
      },
    }
    expect(await fetchWholeBlock(old, block.hash)).toEqual(block)
  })

  test('that it does not have is no false claim', async () => {
    await expect(fetchWholeBlock(rpc, ZERO)).rejects.toMatchObject({ code: 'RPC_LAGS' })
  })
})
