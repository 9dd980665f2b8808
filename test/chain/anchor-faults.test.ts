import { Wallet } from 'ethers'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Header } from '../../src/batch/header.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import { changePublisher } from '../../src/chain/administer.ts'
import { type AnchorPolicy, createAnchor, DEFAULT_ANCHOR_POLICY } from '../../src/chain/anchor.ts'
import { LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { chainFacts, fetchLatestBlock } from '../../src/chain/facts.ts'
import { createLedger } from '../../src/chain/ledger.ts'
import { type Rpc, RpcRefusal } from '../../src/chain/rpc.ts'
import { fetchNonce } from '../../src/chain/send.ts'
import { OperationError } from '../../src/errors.ts'
import { Follower } from '../../src/indexer/follower.ts'
import { ChainCursor } from '../../src/store/chain-cursor.ts'
import { openDatabase } from '../../src/store/database.ts'
import { LedgerEntries } from '../../src/store/ledger-entries.ts'
import { transactionStore } from '../../src/store/transactions.ts'
import {
  adminWallet,
  allAppended,
  deployTestLedger,
  headNumber,
  makeHeader,
  publisherWallet,
  startUnsavedTestChain,
  type TestChain,
  until,
} from './fixture.ts'

const DEADLINE_MS = 30_000
const DEEPEST_REORG = 32

let chain: TestChain
let rpc: Rpc

beforeAll(async () => {
  chain = await startUnsavedTestChain()
  rpc = chain.rpc
})
afterAll(() => chain?.close())

/** An anchor and a follower over a catalogue of their own, as a gateway has them; `over` is the node as they see it. */
function startGateway(
  ledger: Hex,
  { over = rpc, wallet = publisherWallet, policy = {} }: GatewayOptions = {},
) {
  const database = openDatabase(':memory:')
  onTestFinished(() => database.close())
  const publisher = wallet.address.toLowerCase() as Hex // an ethers address in lowercase
  const headers: Header[] = []
  const transactions = transactionStore(database, publisher)
  const entries = new LedgerEntries(database)
  let nowMs = 1_700_000_000_000
  const anchor = createAnchor({
    rpc: over,
    signer: wallet,
    ledger,
    chainId: LOCAL_CHAIN_ID,
    store: {
      headersFrom: (sequence, limit) => headers.slice(Number(sequence), Number(sequence) + limit),
      ...transactions,
    },
    clock: () => nowMs,
    policy: { ...DEFAULT_ANCHOR_POLICY, ...policy },
  })
  const facts = chainFacts(over, { finality: { kind: 'depth', confirmations: DEEPEST_REORG + 1 } })
  const follower = new Follower({
    rpc: over,
    chain: facts,
    ledger,
    deploymentBlock: 0n,
    entries,
    cursor: new ChainCursor(database),
    takeBack: (logIndex) => entries.truncate(logIndex),
    mayLag: true,
  })
  return {
    publisher,
    anchor,
    follower,
    entries,
    seal(count: number) {
      for (let i = 0; i < count; i++) headers.push({ ...makeHeader(headers.length), publisher })
    },
    pass: (ms: number) => {
      nowMs += ms
    },
    headers: () => headers,
    outstanding: () => transactions.outstandingTransactions(),
  }
}

interface GatewayOptions {
  over?: Rpc
  wallet?: Pick<Wallet, 'address' | 'signTransaction' | 'signTypedData'>
  policy?: Partial<AnchorPolicy>
}

type TestGateway = ReturnType<typeof startGateway>

/** Steps anchor and follower, whatever the node does to them, until the gateway knows that all it has sealed arrived. */
async function settle(gateway: TestGateway, afterStep?: () => void): Promise<void> {
  await until(async () => {
    const arrived = await orFailure(gateway.anchor.step())
    await orFailure(gateway.follower.step())
    afterStep?.()
    if (arrived instanceof OperationError || arrived.kind !== 'idle') return false
    const last = gateway.headers().length - 1
    return last < 0 || gateway.entries.ofBatch(gateway.publisher, BigInt(last)) !== undefined
  }, DEADLINE_MS)
}

const orFailure = <T>(work: Promise<T>): Promise<T | OperationError> =>
  work.catch((error: unknown) => {
    if (error instanceof OperationError) return error
    throw error
  })

/** Every header is on the chain exactly once and in order, by the chain's own word, and the store says the same. */
async function expectAgreement(ledger: Hex, ...gateways: TestGateway[]): Promise<void> {
  const head = await headNumber(rpc)
  const events = await allAppended(rpc, ledger, 0n, head)
  const contract = createLedger(rpc, ledger)
  expect(BigInt(events.length)).toBe(await contract.size())
  for (const gateway of gateways) {
    const { publisher, follower, entries } = gateway
    const own = events.filter(({ appended }) => appended.header.publisher === publisher)
    expect(own.map(({ appended }) => appended.header)).toEqual(gateway.headers())
    const nonce = await fetchNonce(rpc, publisher)
    expect(gateway.outstanding().filter((transaction) => transaction.nonce < nonce)).toEqual([])
    expect(follower.log.root()).toEqual(await contract.root())
    expect(entries.from(0n, 10_000).map(({ header, blockHash }) => ({ header, blockHash }))).toEqual(
      events.map(({ appended: { header }, blockHash }) => ({ header, blockHash })),
    )
  }
}

/** Runs with automatic mining off, so that transactions wait. */
async function withoutMining(run: () => Promise<void>): Promise<void> {
  await rpc.call('evm_setAutomine', [false])
  try {
    await run()
  } finally {
    await rpc.call('evm_setAutomine', [true])
  }
}

const baseFee = async () => {
  const block = Object(await rpc.call('eth_getBlockByNumber', ['latest', false])) as { baseFeePerGas: string }
  return BigInt(block.baseFeePerGas)
}

test('A BASE FEE THAT RISES TENFOLD, AND TENFOLD AGAIN: the waiting transaction is bumped until it fits', async () => {
  const ledger = await deployTestLedger(rpc)
  const gateway = startGateway(ledger, { policy: { bumpAfterMs: 1_000 } })
  gateway.seal(3)
  await withoutMining(async () => {
    await rpc.call('anvil_setNextBlockBaseFeePerGas', ['0x3b9aca00'])
    await rpc.call('evm_mine', [])
    expect(await gateway.anchor.step()).toMatchObject({ kind: 'sent', replaces: false })
    for (const _ of ['tenfold', 'tenfold again']) {
      const risen = 10n * (await baseFee())
      await rpc.call('anvil_setNextBlockBaseFeePerGas', [`0x${risen.toString(16)}`])
      await rpc.call('evm_mine', [])
      expect(await createLedger(rpc, ledger).size(), 'what was offered is too little').toBe(0n)
      // Some nodes do not even take it any more; nothing better is offered before its time.
      const offered = gateway.outstanding().length
      await orFailure(gateway.anchor.step())
      expect(gateway.outstanding()).toHaveLength(offered)
      gateway.pass(1_000)
      expect(await gateway.anchor.step()).toMatchObject({ kind: 'sent', replaces: true })
      expect(gateway.outstanding().at(-1)?.maxFeePerGas).toBeGreaterThan(risen)
    }
    await rpc.call('evm_mine', [])
  })
  await settle(gateway)
  await expectAgreement(ledger, gateway)
  await rpc.call('anvil_setNextBlockBaseFeePerGas', ['0x3b9aca00'])
  await rpc.call('evm_mine', [])
})

test('A TRANSACTION THAT VANISHES FROM THE MEMPOOL, AGAIN AND AGAIN: it is sent again', async () => {
  const ledger = await deployTestLedger(rpc)
  const gateway = startGateway(ledger)
  gateway.seal(2)
  await withoutMining(async () => {
    const sent = await gateway.anchor.step()
    if (sent.kind !== 'sent') throw new Error(sent.kind)
    for (let round = 0; round < 3; round++) {
      await until(async () => (await rpc.call('eth_getTransactionByHash', [sent.hash])) !== null)
      await rpc.call('anvil_dropTransaction', [sent.hash])
      await rpc.call('evm_mine', [])
      expect(await createLedger(rpc, ledger).size()).toBe(0n)
      expect(await gateway.anchor.step()).toMatchObject({ kind: 'waiting', rebroadcast: true })
    }
  })
  await settle(gateway)
  await expectAgreement(ledger, gateway)
})

test(`REORGS OF 1 TO ${DEEPEST_REORG} BLOCKS: what they take away comes back, once and in order`, async () => {
  const ledger = await deployTestLedger(rpc)
  const gateway = startGateway(ledger)
  for (let depth = 1; depth <= DEEPEST_REORG; depth++) {
    // A header in the first of the blocks that go away.
    gateway.seal(1)
    await settle(gateway)
    if (depth > 1) await rpc.call('anvil_mine', [`0x${(depth - 1).toString(16)}`])
    const before = await fetchLatestBlock(rpc)
    await rpc.call('anvil_reorg', [depth, []])
    const after = await fetchLatestBlock(rpc)
    expect([after.number, after.hash === before.hash]).toEqual([before.number, false])
    expect(await createLedger(rpc, ledger).size()).toBeLessThan(BigInt(gateway.headers().length))
    await settle(gateway)
    await expectAgreement(ledger, gateway)
  }
}, 180_000)

/** A node that drops questions and answers, takes its time, does things twice, and is a block or two behind at times. */
function unreliable(random: () => number): Rpc {
  const dropped = () => new OperationError('RPC_UNREACHABLE', 'the connection broke')
  return {
    url: rpc.url,
    async call(method, params) {
      const chance = random()
      if (chance < 0.1) throw dropped()
      if (chance < 0.3) return callBehind(method, params, random() < 0.5 ? 1n : 2n)
      if (chance < 0.4) await new Promise((resolve) => setTimeout(resolve, 20 * random()))
      if (chance < 0.5) await rpc.call(method, params).catch(() => undefined)
      const answer = await rpc.call(method, params)
      if (chance > 0.9) throw dropped()
      return answer
    },
  }
}

/** What a node answers that has not heard of the last blocks yet. */
async function callBehind(method: string, params: readonly unknown[], blocks: bigint): Promise<unknown> {
  const head = (await headNumber(rpc)) - blocks
  const hex = `0x${head.toString(16)}`
  const isKnown = (answer: unknown, member: string) => {
    const number = (Object(answer) as Record<string, unknown>)[member]
    return typeof number === 'string' && BigInt(number) <= head
  }
  if (method === 'eth_blockNumber') return hex
  const at = params.find((param) => Object.hasOwn(Object(param), 'blockHash'))
  if (at !== undefined) {
    const block = await rpc.call('eth_getBlockByHash', [Object(at).blockHash, false])
    if (!isKnown(block, 'number')) throw new RpcRefusal(method, -32000, 'header not found')
  }
  const answer = await rpc.call(
    method,
    params.map((param) => (param === 'latest' ? hex : param)),
  )
  if (method === 'eth_getLogs' && Array.isArray(answer)) {
    return answer.filter((log) => isKnown(log, 'blockNumber'))
  }
  if (method.startsWith('eth_getBlockBy')) return isKnown(answer, 'number') ? answer : null
  if (method === 'eth_getTransactionByHash') return isKnown(answer, 'blockNumber') ? answer : null
  return answer
}

/** Numerical Recipes' generator. */
function chanceOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test.each([1, 2])(
  'AN RPC THAT DROPS, DELAYS, DUPLICATES AND ANSWERS WITH AN OLD STATE (seed %d): nothing is lost, doubled or taken back',
  async (seed) => {
    const ledger = await deployTestLedger(rpc)
    const gateway = startGateway(ledger, { over: unreliable(chanceOf(seed)) })
    let known = 0
    for (let round = 0; round < 6; round++) {
      gateway.seal(3)
      await settle(gateway, () => {
        expect(gateway.follower.log.size, 'no reorg, so nothing goes away').toBeGreaterThanOrEqual(known)
        known = gateway.follower.log.size
      })
    }
    await expectAgreement(ledger, gateway)
  },
)

test('TWO PUBLISHERS AT ONCE: each has its own order, and none waits for the other', async () => {
  const ledger = await deployTestLedger(rpc)
  const second = new Wallet(`0x${'5e'.repeat(32)}`)
  await rpc.call('anvil_setBalance', [second.address, '0xde0b6b3a7640000'])
  await changePublisher({ rpc, signer: adminWallet }, ledger, 'add', second.address.toLowerCase() as Hex)
  const gateways = [startGateway(ledger), startGateway(ledger, { wallet: second })]
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      gateways.map(async (gateway, i) => {
        for (let batch = 0; batch <= i + round; batch++) {
          gateway.seal(1 + i)
          await settle(gateway)
        }
      }),
    )
    await rpc.call('anvil_reorg', [2, []])
    await Promise.all(gateways.map((gateway) => settle(gateway)))
  }
  for (const gateway of gateways) await gateway.follower.step()
  await expectAgreement(ledger, ...gateways)
})
