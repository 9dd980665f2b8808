import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Header } from '../../src/batch/header.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import {
  type Anchor,
  type AnchorPolicy,
  type AnchorState,
  type AnchorStore,
  createAnchor,
  DEFAULT_ANCHOR_POLICY,
  type StoredTransaction,
} from '../../src/chain/anchor.ts'
import { runAnchor } from '../../src/chain/anchor-loop.ts'
import { LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { createLedger } from '../../src/chain/ledger.ts'
import { ledgerInterface } from '../../src/chain/ledger-abi.ts'
import { createRpc, type Rpc, RpcRefusal } from '../../src/chain/rpc.ts'
import { broadcast, signTransaction } from '../../src/chain/send.ts'
import { OperationError } from '../../src/errors.ts'
import {
  adminWallet,
  allAppended,
  deployTestLedger,
  headNumber,
  makeHeader,
  makeHeaders,
  PUBLISHER,
  publisherWallet,
  startUnsavedTestChain,
  type TestChain,
  until,
} from './fixture.ts'

let chain: TestChain
let rpc: Rpc
let ledger: Hex
let store: MemoryStore
let nowMs: number

/** What a store holds; it survives the anchor, as a disk does. */
class MemoryStore implements AnchorStore {
  headers: Header[] = []
  transactions: StoredTransaction[] = []

  headersFrom = (sequence: bigint, limit: number) =>
    this.headers.filter((h) => h.sequence >= sequence).slice(0, limit)
  outstandingTransactions = () => [...this.transactions]
  saveTransaction = (transaction: StoredTransaction) => void this.transactions.push(transaction)
  settleTransactions = (belowNonce: bigint) => {
    this.transactions = this.transactions.filter(({ nonce }) => nonce >= belowNonce)
  }
}

beforeAll(async () => {
  chain = await startUnsavedTestChain()
  rpc = chain.rpc
})
afterAll(() => chain?.close())

beforeEach(async () => {
  // Each test has a ledger of its own on the common chain.
  ledger = await deployTestLedger(rpc)
  store = new MemoryStore()
  nowMs = 1_700_000_000_000
})

const anchorOver = (over: Rpc = rpc, policy: Partial<AnchorPolicy> = {}): Anchor =>
  createAnchor({
    rpc: over,
    signer: publisherWallet,
    ledger,
    chainId: LOCAL_CHAIN_ID,
    store,
    clock: () => nowMs,
    policy: { ...DEFAULT_ANCHOR_POLICY, ...policy },
  })

const size = () => createLedger(rpc, ledger).size()

/** The appended sequences, in order: each must be there exactly once. */
const appended = async () => {
  const events = await allAppended(rpc, ledger, 0n, await headNumber(rpc))
  return events.map((event) => Number(event.appended.header.sequence))
}

const numbers = (to: number) => Array.from({ length: to }, (_, i) => i)

/** Steps until nothing is left to do. */
async function settle(anchor: Anchor): Promise<AnchorState[]> {
  const states: AnchorState[] = []
  await until(async () => {
    const state = await anchor.step()
    states.push(state)
    return state.kind === 'idle'
  })
  return states
}

/** The node, but this method fails before or after it has done its work. */
function failing(method: string, when: 'before' | 'after'): Rpc {
  return {
    url: rpc.url,
    call: async (called, params) => {
      if (called !== method) return rpc.call(called, params)
      if (when === 'after') await rpc.call(called, params)
      throw new OperationError('RPC_UNREACHABLE', 'the power is out')
    },
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

describe('an anchor', () => {
  test('is idle without headers, and brings new ones to the ledger in order', async () => {
    const anchor = anchorOver()
    expect(await anchor.step()).toEqual({ kind: 'idle', nextSequence: 0n })
    store.headers.push(...makeHeaders(0, 3))
    expect(await anchor.step()).toMatchObject({ kind: 'sent', count: 3, nextSequence: 0n, replaces: false })
    await settle(anchor)
    expect(store.transactions).toEqual([])
    store.headers.push(makeHeader(3))
    await settle(anchor)
    expect(await appended()).toEqual(numbers(4))
  })

  test('takes no more headers at once than its policy says', async () => {
    store.headers.push(...makeHeaders(0, 5))
    const states = await settle(anchorOver(rpc, { maxHeadersPerTransaction: 2 }))
    expect(states.flatMap((state) => (state.kind === 'sent' ? [state.count] : []))).toEqual([2, 2, 1])
    expect(await appended()).toEqual(numbers(5))
  })

  test('halves a transaction that the node finds too large', async () => {
    const picky: Rpc = {
      url: rpc.url,
      call: async (method, params) => {
        if (method === 'eth_estimateGas' && JSON.stringify(params).length > 2 * 256 * 3 + 400) {
          throw new RpcRefusal(method, -32000, 'gas required exceeds allowance')
        }
        return rpc.call(method, params)
      },
    }
    store.headers.push(...makeHeaders(0, 9))
    const states = await settle(anchorOver(picky))
    expect(states.flatMap((state) => (state.kind === 'sent' ? [state.count] : []))).toEqual([3, 3, 3])
    expect(await appended()).toEqual(numbers(9))
  })

  test('refuses to go on when the store lacks a header', async () => {
    store.headers.push(makeHeader(1))
    await expect(anchorOver().step()).rejects.toMatchObject({ code: 'STORE_DAMAGED', retryable: false })
  })

  test('loops until it is told to end, and reports failures without ending', async () => {
    store.headers.push(...makeHeaders(0, 2))
    const outcomes: (AnchorState | OperationError)[] = []
    const end = new AbortController()
    let failures = 2
    const flaky: Rpc = {
      url: rpc.url,
      call: (method, params) => {
        if (method === 'eth_call' && failures-- > 0) throw new OperationError('RPC_UNREACHABLE', 'gone')
        return rpc.call(method, params)
      },
    }
    const report = (outcome: AnchorState | OperationError) => {
      outcomes.push(outcome)
      if ('kind' in outcome && outcome.kind === 'idle') end.abort()
    }
    await runAnchor({ anchor: anchorOver(flaky), signal: end.signal, pollMs: 1, report })
    expect(outcomes.slice(0, 2)).toMatchObject([{ code: 'RPC_UNREACHABLE' }, { code: 'RPC_UNREACHABLE' }])
    expect(await appended()).toEqual(numbers(2))
  })
})

describe('an anchor recovers from', () => {
  test('crashBetweenSaveAndBroadcast: the saved transaction is sent', async () => {
    store.headers.push(...makeHeaders(0, 2))
    await expect(anchorOver(failing('eth_sendRawTransaction', 'before')).step()).rejects.toThrow(
      'the power is out',
    )
    expect(await size()).toBe(0n)
    const [saved] = store.transactions
    const restarted = anchorOver()
    expect(await restarted.step()).toMatchObject({ kind: 'waiting', rebroadcast: true, nonce: saved?.nonce })
    await settle(restarted)
    expect(await appended()).toEqual(numbers(2))
    expect(await rpc.call('eth_getTransactionReceipt', [saved?.hash])).toMatchObject({ status: '0x1' })
  })

  test('crashAfterBroadcast: nothing is appended twice', async () => {
    store.headers.push(...makeHeaders(0, 2))
    await expect(anchorOver(failing('eth_sendRawTransaction', 'after')).step()).rejects.toThrow(
      'the power is out',
    )
    await settle(anchorOver())
    expect(await appended()).toEqual(numbers(2))
  })

  test('crashBeforeSave: nothing was sent, and everything is sent again', async () => {
    store.headers.push(...makeHeaders(0, 2))
    const full = new OperationError('STORE_FAILED', 'the disk is full')
    const save = store.saveTransaction
    store.saveTransaction = () => {
      throw full
    }
    await expect(anchorOver().step()).rejects.toBe(full)
    store.saveTransaction = save
    await settle(anchorOver())
    expect(await appended()).toEqual(numbers(2))
  })

  test('lostStore: a store that forgot its transactions appends nothing twice', async () => {
    store.headers.push(...makeHeaders(0, 2))
    await withoutMining(async () => {
      await anchorOver().step()
      store.transactions = []
      nowMs += 1
      // The node holds a transaction with this nonce already and wants more for another one.
      await anchorOver().step()
    })
    await settle(anchorOver())
    expect(await appended()).toEqual(numbers(2))
  })

  test('droppedFromMempool: the saved bytes are sent again', async () => {
    store.headers.push(...makeHeaders(0, 2))
    const anchor = anchorOver()
    await withoutMining(async () => {
      const sent = await anchor.step()
      if (sent.kind !== 'sent') throw new Error(sent.kind)
      await until(async () => (await rpc.call('eth_getTransactionByHash', [sent.hash])) !== null)
      expect(await anchor.step()).toMatchObject({ kind: 'waiting', rebroadcast: false })
      await rpc.call('anvil_dropTransaction', [sent.hash])
      expect(await anchor.step()).toMatchObject({ kind: 'waiting', rebroadcast: true })
      expect(await rpc.call('eth_getTransactionByHash', [sent.hash])).not.toBeNull()
    })
    await settle(anchor)
    expect(await appended()).toEqual(numbers(2))
  })

  test('slowInclusion: fees are bumped, and exactly one of the transactions appends', async () => {
    store.headers.push(...makeHeaders(0, 2))
    const anchor = anchorOver(rpc, { bumpAfterMs: 1000 })
    await withoutMining(async () => {
      await anchor.step()
      nowMs += 999
      expect(await anchor.step()).toMatchObject({ kind: 'waiting' })
      nowMs += 1
      store.headers.push(makeHeader(2))
      expect(await anchor.step()).toMatchObject({ kind: 'sent', replaces: true, count: 3 })
      const [first, second] = store.transactions
      if (first === undefined || second === undefined) throw new Error('two transactions were expected')
      expect(second.nonce).toBe(first.nonce)
      expect(second.maxFeePerGas * 10n).toBeGreaterThanOrEqual(first.maxFeePerGas * 11n)
      expect(second.maxPriorityFeePerGas * 10n).toBeGreaterThanOrEqual(first.maxPriorityFeePerGas * 11n)
      await rpc.call('evm_mine', [])
      expect(await rpc.call('eth_getTransactionReceipt', [first.hash])).toBeNull()
      expect(await rpc.call('eth_getTransactionReceipt', [second.hash])).toMatchObject({ status: '0x1' })
    })
    await settle(anchor)
    expect(await appended()).toEqual(numbers(3))
    expect(store.transactions).toEqual([])
  })

  test('feesAtTheCap: it waits, says that it is stalled, and never pays more', async () => {
    store.headers.push(makeHeader(0))
    const cap = 10n ** 12n
    const anchor = anchorOver(rpc, { bumpAfterMs: 1, stalledAfterMs: 60_000, maxFeePerGas: cap })
    await withoutMining(async () => {
      const kinds: string[] = []
      for (let i = 0; i < 70; i++) {
        kinds.push((await anchor.step()).kind)
        nowMs += 1000
      }
      expect(kinds.at(-1)).toBe('stalled')
      expect(store.transactions.length).toBeGreaterThan(5)
      for (const { maxFeePerGas } of store.transactions) expect(maxFeePerGas).toBeLessThanOrEqual(cap)
    })
    await settle(anchor)
    expect(await appended()).toEqual([0])
  })

  test('reorg: headers that went away are appended again', async () => {
    store.headers.push(...makeHeaders(0, 2))
    const anchor = anchorOver()
    await settle(anchor)
    store.headers.push(...makeHeaders(2, 5))
    await settle(anchor)
    expect(await size()).toBe(5n)
    await rpc.call('anvil_reorg', [1, []])
    expect(await size()).toBe(2n)
    await settle(anchor)
    expect(await appended()).toEqual(numbers(5))
  })

  test('lostBlocks: a chain that fell back to an earlier state gets its headers again', async () => {
    const anchor = anchorOver()
    const snapshot = await rpc.call('evm_snapshot', [])
    for (let i = 0; i < 3; i++) {
      store.headers.push(makeHeader(i))
      await settle(anchor)
    }
    await rpc.call('evm_revert', [snapshot])
    expect(await size()).toBe(0n)
    await settle(anchor)
    expect(await appended()).toEqual(numbers(3))
  })

  test('lostBlocksWhileOneWaits: a saved transaction whose nonce lies ahead does no harm', async () => {
    const anchor = anchorOver()
    const snapshot = await rpc.call('evm_snapshot', [])
    store.headers.push(makeHeader(0))
    await settle(anchor)
    store.headers.push(makeHeader(1))
    await expect(anchorOver(failing('eth_sendRawTransaction', 'before')).step()).rejects.toThrow()
    await rpc.call('evm_revert', [snapshot])
    await settle(anchor)
    expect(await appended()).toEqual(numbers(2))
  })

  test('repeatedTransaction: headers that are there already are skipped', async () => {
    store.headers.push(...makeHeaders(0, 2))
    const lagging: Rpc = {
      url: rpc.url,
      // A node that has not heard of the last blocks yet.
      call: async (method, params) => {
        const answer = await rpc.call(method, params)
        const asked = params[0]
        const data = typeof asked === 'object' && asked !== null && 'data' in asked ? String(asked.data) : ''
        if (
          method !== 'eth_call' ||
          !data.startsWith(ledgerInterface.getFunction('publisher')?.selector ?? '?')
        ) {
          return answer
        }
        return ledgerInterface.encodeFunctionResult('publisher', [0, 1])
      },
    }
    const confused = anchorOver(lagging)
    await confused.step()
    await until(async () => (await size()) === 2n)
    expect(await confused.step()).toMatchObject({ kind: 'sent', nextSequence: 0n })
    await settle(anchorOver())
    expect(await appended()).toEqual(numbers(2))
  })

  test('relayedHeaders: what someone else brought is not sent again', async () => {
    const other = anchorOver()
    store.headers.push(...makeHeaders(0, 2))
    await settle(other)
    const restored = anchorOver()
    store.transactions = []
    store.headers.push(makeHeader(2))
    expect(await restored.step()).toMatchObject({ kind: 'sent', count: 1, nextSequence: 2n })
  })
})

describe('an anchor says', () => {
  const call = async (name: string) => {
    const nonce = BigInt(String(await rpc.call('eth_getTransactionCount', [adminWallet.address, 'latest'])))
    const signed = await signTransaction(adminWallet, {
      chainId: 31337n,
      nonce,
      to: ledger,
      data: ledgerInterface.encodeFunctionData(name, [PUBLISHER]) as Hex, // hex by ethers
      gasLimit: 200_000n,
      maxFeePerGas: 10n ** 11n,
      maxPriorityFeePerGas: 10n ** 9n,
    })
    await broadcast(rpc, signed)
    await until(async () => (await rpc.call('eth_getTransactionReceipt', [signed.hash])) !== null)
  }

  test('that its publisher is suspended, and goes on when it is reinstated', async () => {
    store.headers.push(makeHeader(0))
    await call('suspendPublisher')
    const anchor = anchorOver()
    await expect(anchor.step()).rejects.toMatchObject({
      code: 'CHAIN_FAILED',
      retryable: false,
      message: expect.stringContaining('suspended'),
    })
    await call('reinstatePublisher')
    await settle(anchor)
    expect(await appended()).toEqual([0])
  })

  test("the contract's own reason for a refusal", async () => {
    store.headers.push({ ...makeHeader(0), recordCount: 0 })
    await expect(anchorOver().step()).rejects.toMatchObject({
      code: 'CHAIN_FAILED',
      retryable: false,
      message: expect.stringContaining('Ledger_NoRecords(0)'),
    })
    expect(store.transactions).toEqual([])
  })

  test('that its account is empty', async () => {
    store.headers.push(makeHeader(0))
    const balance = await rpc.call('eth_getBalance', [PUBLISHER, 'latest'])
    await rpc.call('anvil_setBalance', [PUBLISHER, '0x1'])
    await expect(anchorOver().step()).rejects.toMatchObject({
      code: 'CHAIN_FAILED',
      retryable: false,
      message: expect.stringContaining('cannot pay'),
    })
    await rpc.call('anvil_setBalance', [PUBLISHER, balance])
    await settle(anchorOver())
    expect(await appended()).toEqual([0])
  })

  test('that the node is dead, and what is wrong with one that lies', async () => {
    store.headers.push(makeHeader(0))
    // Port 1 of the loopback interface: nobody listens there.
    await expect(anchorOver(createRpc('http://127.0.0.1:1')).step()).rejects.toMatchObject({
      code: 'RPC_UNREACHABLE',
      retryable: true,
    })
    const liar: Rpc = { url: rpc.url, call: async () => '0xno' }
    await expect(anchorOver(liar).step()).rejects.toMatchObject({ code: 'RPC_MALFORMED' })
    const forger: Rpc = {
      url: rpc.url,
      call: (method, params) =>
        method === 'eth_sendRawTransaction'
          ? Promise.resolve(`0x${'00'.repeat(32)}`)
          : rpc.call(method, params),
    }
    await expect(anchorOver(forger).step()).rejects.toMatchObject({ code: 'RPC_MALFORMED' })
    await settle(anchorOver())
    expect(await appended()).toEqual([0])
  })
})
