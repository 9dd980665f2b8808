import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Hex, toHex } from '../../src/bytes/hex.ts'
import { uintWord } from '../../src/bytes/typed-data.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import { suggestFees } from '../../src/chain/fees.ts'
import { encodeAppend } from '../../src/chain/ledger-abi.ts'
import { createRpc, type Rpc, RpcRefusal } from '../../src/chain/rpc.ts'
import { broadcast, fetchNonce, signTransaction } from '../../src/chain/send.ts'
import { EvidenceKeeper } from '../../src/indexer/evidence-keeper.ts'
import { EvidenceMaker } from '../../src/indexer/evidence-maker.ts'
import type { Anchor } from '../../src/proof/index.ts'
import { EvidenceStore } from '../../src/store/evidence.ts'
import { blockHashes, evidenceFacts } from '../../src/verify/index.ts'
import {
  append,
  makeHeaders,
  PUBLISHER,
  publisherWallet,
  startUnsavedTestChain,
  type TestChain,
} from '../chain/fixture.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { startIndexer } from './world.ts'

let chain: TestChain
let snapshot: unknown

beforeAll(async () => {
  chain = await startUnsavedTestChain()
})
afterAll(() => chain.close())

const FINALITY = { kind: 'depth', confirmations: 2 } as const

/** A node that refuses some calls. */
function refusing(...methods: string[]): Rpc {
  return {
    url: chain.rpc.url,
    async call(method, params) {
      if (methods.includes(method)) throw new RpcRefusal(method, -32000, 'it was forgotten')
      return await chain.rpc.call(method, params)
    },
  }
}

/** Follows an empty ledger, and captures through a node of its own. */
async function start(node: { rpc: Rpc } = { rpc: chain.rpc }) {
  if (snapshot !== undefined) await chain.rpc.call('evm_revert', [snapshot])
  snapshot = await chain.rpc.call('evm_snapshot', [])
  const indexer = startIndexer(await temporaryFolder(), chain.rpc, chain.ledger, { finality: FINALITY })
  const store = new EvidenceStore(indexer.database)
  const clock = { now: 1_790_000_000_000 }
  const rpc: Rpc = { url: chain.rpc.url, call: (method, params) => node.rpc.call(method, params) }
  const { follower } = indexer
  const keeper = new EvidenceKeeper({
    rpc,
    ledger: chain.ledger,
    store,
    finalBlock: () => follower.state.finalBlock,
    now: () => clock.now,
  })
  const maker = new EvidenceMaker({ rpc, chain: chainFacts(rpc, { finality: FINALITY }), store, follower })
  /** Everything that can be captured now; how many steps that took. */
  async function capture(): Promise<number> {
    await follower.step()
    for (let steps = 0; ; steps++) if (!(await keeper.step())) return steps
  }
  return { ...indexer, store, clock, node, keeper, maker, capture }
}

/** So many transactions of two headers each. */
async function appendAll(count: number, first = 0): Promise<Hex[]> {
  const hashes: Hex[] = []
  for (let i = first; i < first + count; i++) {
    hashes.push(await append(chain.rpc, chain.ledger, makeHeaders(2 * i, 2 * i + 2)))
  }
  return hashes
}

/** As bundles name where the headers of a transaction are, and the size of the log after it. */
function anchorOf({ entries }: Awaited<ReturnType<typeof start>>, transactionHash: Hex) {
  const size = entries.sizeAfter(transactionHash)
  const entry = entries.get(size - 1n)
  if (entry === undefined) throw new Error('it is there')
  const { blockNumber, blockHash, eventIndex } = entry
  const place = { blockNumber, blockHash, transactionHash, logIndex: eventIndex }
  const anchor: Anchor = { chainId: 31337n, ledger: chain.ledger, ...place }
  return { anchor, size }
}

const noSigner = () => undefined

/** The ledger's root of a size is what the evidence shows, and the indexer's own. */
async function expectShown(system: Awaited<ReturnType<typeof start>>, transactionHash: Hex) {
  const anchored = anchorOf(system, transactionHash)
  const evidence = await system.maker.ofAnchor(anchored)
  const facts = evidenceFacts(evidence, { trustedBlocks: blockHashes(evidence), grantSigner: noSigner })
  expect(await facts.chain.ledgerRoot(chain.ledger, anchored.size)).toEqual(
    system.follower.log.root(anchored.size),
  )
  expect((await facts.chain.receipt(transactionHash))?.blockHash).toBe(anchored.anchor.blockHash)
  return evidence
}

describe('what shows an anchor', () => {
  test('is captured once its block is final, the newest first, and not before', async () => {
    const system = await start()
    const hashes = await appendAll(3)
    expect(await system.capture()).toBe(2)
    const [first = '0x', , last = '0x'] = hashes
    await expectShown(system, first)
    await expect(system.maker.ofAnchor(anchorOf(system, last))).rejects.toMatchObject({ code: 'NOT_READY' })
    await chain.rpc.call('evm_mine', [])
    expect(await system.capture()).toBe(1)
    const evidence = await expectShown(system, last)
    expect(evidence.blocks).toHaveLength(1)
    expect(system.store.countMissing()).toBe(0)
  })

  test('of several transactions of one block leads from each log to that of the block', async () => {
    const system = await start()
    await chain.rpc.call('evm_setAutomine', [false])
    const nonce = await fetchNonce(chain.rpc, PUBLISHER)
    const fees = await suggestFees(chain.rpc, 10n ** 12n)
    const hashes: Hex[] = []
    for (let i = 0; i < 3; i++) {
      const signed = await signTransaction(publisherWallet, {
        ...fees,
        chainId: 31337n,
        nonce: nonce + BigInt(i),
        to: chain.ledger,
        data: encodeAppend(makeHeaders(2 * i, 2 * i + 2)),
        gasLimit: 1_000_000n,
      })
      await broadcast(chain.rpc, signed)
      hashes.push(signed.hash)
    }
    await chain.rpc.call('evm_mine', [])
    await chain.rpc.call('evm_setAutomine', [true])
    await chain.rpc.call('evm_mine', [])
    expect(await system.capture()).toBe(3)
    const paths = []
    for (const hash of hashes) paths.push((await expectShown(system, hash)).consistency)
    expect(paths.map((path) => path === undefined)).toEqual([false, false, true])
  })

  test('that the node cannot show now is tried again later, and holds up no other', async () => {
    const node = { rpc: refusing('eth_getBlockByHash') }
    const system = await start(node)
    const [first = '0x', second = '0x'] = await appendAll(2)
    await chain.rpc.call('evm_mine', [])
    expect(await system.capture()).toBe(2)
    await expect(system.maker.ofAnchor(anchorOf(system, first))).rejects.toMatchObject({
      code: 'NO_EVIDENCE',
      message: expect.stringContaining('it was forgotten'),
    })
    expect(await system.capture()).toBe(0)
    node.rpc = chain.rpc
    const [third = '0x'] = await appendAll(1, 2)
    await chain.rpc.call('evm_mine', [])
    expect(await system.capture()).toBe(1)
    await expectShown(system, third)
    system.clock.now += 5_000
    expect(await system.capture()).toBe(2)
    await expectShown(system, second)
  })

  test('is not captured while the node says another size of the ledger than its state shows', async () => {
    const lying: Rpc = {
      url: chain.rpc.url,
      call: async (method, params) =>
        method === 'eth_call' ? toHex(uintWord(1n)) : await chain.rpc.call(method, params),
    }
    const system = await start({ rpc: lying })
    const [first = '0x', second = '0x'] = await appendAll(2)
    await chain.rpc.call('evm_mine', [])
    await system.capture()
    await expect(system.maker.ofAnchor(anchorOf(system, second))).rejects.toMatchObject({
      code: 'NO_EVIDENCE',
      message: expect.stringContaining('size of ledger'),
    })
    system.node.rpc = chain.rpc
    await expectShown(system, first)
  })

  test('waits as long as the node cannot be reached', async () => {
    const node = { rpc: createRpc('http://127.0.0.1:1') }
    const system = await start(node)
    const [first = '0x'] = await appendAll(1)
    await chain.rpc.call('evm_mine', [])
    await expect(system.capture()).rejects.toMatchObject({ code: 'RPC_UNREACHABLE' })
    node.rpc = chain.rpc
    expect(await system.capture()).toBe(1)
    await expectShown(system, first)
  })

  test('without the state of its block is shown with that of a later one, and a path', async () => {
    const node = { rpc: refusing('eth_getProof') }
    const system = await start(node)
    const [first = '0x'] = await appendAll(2)
    await chain.rpc.call('evm_mine', [])
    expect(await system.capture()).toBe(2)
    await expect(system.maker.ofAnchor(anchorOf(system, first))).rejects.toMatchObject({
      code: 'NO_EVIDENCE',
      message: expect.stringContaining('eth_getProof'),
    })
    node.rpc = chain.rpc
    const evidence = await expectShown(system, first)
    expect(evidence.blocks).toHaveLength(2)
    expect(evidence.consistency).toBeDefined()
  })

  test('goes with what a reorg takes back', async () => {
    const system = await start()
    await appendAll(2)
    await chain.rpc.call('evm_mine', [])
    await system.capture()
    system.entries.truncate(2n)
    expect(system.store.get(3n)).toEqual({ missing: undefined })
    expect('block' in system.store.get(1n)).toBe(true)
    expect(system.store.countMissing()).toBe(0)
  })
})
