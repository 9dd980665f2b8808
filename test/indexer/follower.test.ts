import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLedger } from '../../src/chain/ledger.ts'
import type { Rpc } from '../../src/chain/rpc.ts'
import { append, headNumber, makeHeaders, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { startIndexer } from './world.ts'

let chain: TestChain
let snapshot: unknown

beforeAll(async () => {
  chain = await startUnsavedTestChain()
})
afterAll(() => chain.close())

/** Deep enough for every reorg here. */
const UNFINAL = { finality: { kind: 'depth', confirmations: 1_000 } } as const

/** Every test starts from the empty ledger. */
async function fresh() {
  if (snapshot !== undefined) await chain.rpc.call('evm_revert', [snapshot])
  snapshot = await chain.rpc.call('evm_snapshot', [])
  return { ...chain, path: await temporaryFolder() }
}

async function expectSame(rpc: Rpc, { follower, entries }: ReturnType<typeof startIndexer>): Promise<void> {
  const ledger = createLedger(rpc, chain.ledger)
  expect(BigInt(follower.log.size)).toBe(await ledger.size())
  expect(follower.log.root()).toEqual(await ledger.root())
  expect(follower.log.peaks()).toEqual(await ledger.peaks())
  const all = entries.from(0n, 1_000)
  expect(all.map(({ logIndex }) => logIndex)).toEqual(all.map((_, i) => BigInt(i)))
  expect(all).toHaveLength(follower.log.size)
}

describe('the follower', () => {
  test('knows every header, where it is, and the root that the contract has', async () => {
    const { rpc, ledger, path } = await fresh()
    const indexer = startIndexer(path, rpc, ledger)
    await indexer.follower.step()
    expect(indexer.follower.state.size).toBe(0n)
    const first = await append(rpc, ledger, makeHeaders(0, 3))
    await indexer.follower.step()
    await expectSame(rpc, indexer)
    const second = await append(rpc, ledger, makeHeaders(3, 8))
    await indexer.follower.step()
    await indexer.follower.step()
    await expectSame(rpc, indexer)
    expect(
      indexer.entries.from(0n, 99).map(({ header, transactionHash }) => [header, transactionHash]),
    ).toEqual(makeHeaders(0, 8).map((header, i) => [header, i < 3 ? first : second]))
    expect([first, second].map((hash) => indexer.entries.sizeAfter(hash))).toEqual([3n, 8n])
  })

  test('goes on after a restart from what it had stored', async () => {
    const { rpc, ledger, path } = await fresh()
    const first = startIndexer(path, rpc, ledger)
    await append(rpc, ledger, makeHeaders(0, 5))
    await first.follower.step()
    await append(rpc, ledger, makeHeaders(5, 7))
    const second = startIndexer(path, rpc, ledger)
    expect(second.follower.log.size).toBe(5)
    await second.follower.step()
    await expectSame(rpc, second)
  })

  test('calls final what its chain calls final', async () => {
    const { rpc, ledger, path } = await fresh()
    const { follower, entries } = startIndexer(path, rpc, ledger, {
      finality: { kind: 'depth', confirmations: 3 },
    })
    await append(rpc, ledger, makeHeaders(0, 1))
    const isFinal = async () => {
      await follower.step()
      const [entry] = entries.from(0n, 1)
      return entry !== undefined && follower.isFinal(entry)
    }
    expect(await isFinal()).toBe(false)
    await rpc.call('evm_mine', [])
    expect(await isFinal()).toBe(false)
    await rpc.call('evm_mine', [])
    expect(await isFinal()).toBe(true)
  })
})

describe('a reorg', () => {
  test('takes back exactly the entries whose blocks are gone, and what replaces them comes in their place', async () => {
    const { rpc, ledger, path } = await fresh()
    const indexer = startIndexer(path, rpc, ledger, UNFINAL)
    await append(rpc, ledger, makeHeaders(0, 4))
    const before = await rpc.call('evm_snapshot', [])
    await append(rpc, ledger, makeHeaders(4, 9))
    await indexer.catchUp()
    await expectSame(rpc, indexer)

    await rpc.call('evm_revert', [before])
    await indexer.follower.step()
    await expectSame(rpc, indexer)
    expect(indexer.follower.state.size).toBe(4n)
    expect(
      indexer.entries.from(0n, 9).map(({ state }) => state),
      'the rest keeps its verdict',
    ).toEqual(Array(4).fill('withheld'))

    // Other headers, other grouping, and a higher block than before.
    await rpc.call('evm_mine', [])
    await append(rpc, ledger, makeHeaders(4, 5))
    await append(rpc, ledger, makeHeaders(5, 12))
    await indexer.follower.step()
    await expectSame(rpc, indexer)
  })

  test('of the whole ledger leaves nothing', async () => {
    const { rpc, ledger, path } = await fresh()
    const indexer = startIndexer(path, rpc, ledger, UNFINAL)
    const before = await rpc.call('evm_snapshot', [])
    await append(rpc, ledger, makeHeaders(0, 3))
    await indexer.follower.step()
    await rpc.call('evm_revert', [before])
    await indexer.follower.step()
    expect(indexer.follower.state).toMatchObject({ size: 0n, lagging: false })
    expect(indexer.entries.from(0n, 9)).toEqual([])
  })

  test('that puts the same headers into other blocks moves the entries', async () => {
    const { rpc, ledger, path } = await fresh()
    const indexer = startIndexer(path, rpc, ledger, UNFINAL)
    await append(rpc, ledger, makeHeaders(0, 2))
    await append(rpc, ledger, makeHeaders(2, 3))
    await append(rpc, ledger, makeHeaders(3, 6))
    await indexer.follower.step()
    const before = indexer.entries.from(0n, 9)
    await rpc.call('anvil_reorg', [2, []])
    await append(rpc, ledger, makeHeaders(2, 6))
    await indexer.follower.step()
    await expectSame(rpc, indexer)
    const after = indexer.entries.from(0n, 9)
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2))
    expect(after.map(({ header }) => header)).toEqual(before.map(({ header }) => header))
    for (const i of [2, 3, 4, 5]) expect(after[i]?.blockHash).not.toBe(before[i]?.blockHash)
  })

  test('while it was down is noticed at the next start', async () => {
    const { rpc, ledger, path } = await fresh()
    const first = startIndexer(path, rpc, ledger, UNFINAL)
    await append(rpc, ledger, makeHeaders(0, 2))
    await append(rpc, ledger, makeHeaders(2, 6))
    await first.follower.step()
    await rpc.call('anvil_reorg', [1, []])
    await append(rpc, ledger, makeHeaders(2, 4))
    const second = startIndexer(path, rpc, ledger, UNFINAL)
    expect(second.follower.log.size, 'what it had stored').toBe(6)
    await second.follower.step()
    await expectSame(rpc, second)
    expect(second.follower.state.size).toBe(4n)
  })

  test('is told from a node that lags: nothing is taken back, and it is said', async () => {
    const { rpc, ledger, path } = await fresh()
    const indexer = startIndexer(path, rpc, ledger, { ...UNFINAL, mayLag: true })
    const before = await rpc.call('evm_snapshot', [])
    await append(rpc, ledger, makeHeaders(0, 3))
    await indexer.follower.step()
    await rpc.call('evm_revert', [before])
    await indexer.follower.step()
    expect(indexer.follower.state).toMatchObject({ size: 3n, lagging: true })
    expect(indexer.entries.from(0n, 9)).toHaveLength(3)
    // It catches up, on another history after all.
    await append(rpc, ledger, makeHeaders(0, 1))
    await append(rpc, ledger, makeHeaders(1, 2))
    await indexer.follower.step()
    expect(indexer.follower.state.lagging).toBe(false)
    await expectSame(rpc, indexer)
  })
})

describe('behind one address with several nodes, one of which lags', () => {
  test('a block that it does not have yet takes nothing back', async () => {
    const { rpc, ledger, path } = await fresh()
    await append(rpc, ledger, makeHeaders(0, 3))
    const known = await headNumber(rpc)
    let behind = false
    // The newest block comes from a node that is up to date, every earlier one from one that has none of them.
    const late: Rpc = {
      url: rpc.url,
      call: async (method, params) =>
        behind && method === 'eth_getBlockByNumber' && BigInt(String(params[0])) <= known
          ? null
          : rpc.call(method, params),
    }
    const indexer = startIndexer(path, late, ledger, { mayLag: true })
    await indexer.follower.step()
    await rpc.call('evm_mine', [])
    behind = true
    await indexer.follower.step()
    expect(indexer.follower.state).toMatchObject({ size: 3n, lagging: true })
    expect(indexer.entries.from(0n, 9)).toHaveLength(3)
    behind = false
    await indexer.follower.step()
    expect(indexer.follower.state.lagging).toBe(false)
    await expectSame(rpc, indexer)
  })

  test('events that it does not have yet are not skipped', async () => {
    const { rpc, ledger, path } = await fresh()
    let behind = false
    const late: Rpc = {
      url: rpc.url,
      call: async (method, params) => (behind && method === 'eth_getLogs' ? [] : rpc.call(method, params)),
    }
    const indexer = startIndexer(path, late, ledger, { mayLag: true })
    await append(rpc, ledger, makeHeaders(0, 3))
    await indexer.follower.step()
    await append(rpc, ledger, makeHeaders(3, 5))
    behind = true
    await expect(indexer.follower.step()).rejects.toMatchObject({ code: 'RPC_LAGS' })
    expect(indexer.follower.state.size).toBe(3n)
    behind = false
    await indexer.follower.step()
    await expectSame(rpc, indexer)
    expect(indexer.follower.state.size).toBe(5n)
  })
})

test('a dead node is an OperationError, and what was known stays', async () => {
  const { rpc, ledger, path } = await fresh()
  let dead = false
  const mortal: Rpc = {
    url: rpc.url,
    call: (method, params) =>
      dead
        ? Promise.reject(Object.assign(new Error('dead'), { code: 'RPC_UNREACHABLE' }))
        : rpc.call(method, params),
  }
  const indexer = startIndexer(path, mortal, ledger)
  await append(rpc, ledger, makeHeaders(0, 3))
  await indexer.follower.step()
  dead = true
  await expect(indexer.follower.step()).rejects.toMatchObject({ code: 'RPC_UNREACHABLE' })
  expect(indexer.follower.state.size).toBe(3n)
  dead = false
  await append(rpc, ledger, makeHeaders(3, 4))
  await indexer.follower.step()
  await expectSame(rpc, indexer)
})

test('A NODE LEAVES OUT THE NEWEST EVENTS AND SAYS NOTHING: they are found when it is asked again', async () => {
  const { rpc, ledger, path } = await fresh()
  let behind = true
  const forgetful: Rpc = {
    url: rpc.url,
    call: async (method, params) => (behind && method === 'eth_getLogs' ? [] : rpc.call(method, params)),
  }
  const indexer = startIndexer(path, forgetful, ledger, { mayLag: true })
  await append(rpc, ledger, makeHeaders(0, 3))
  await expect(indexer.follower.step()).rejects.toMatchObject({ code: 'RPC_LAGS' })
  expect(indexer.follower.log.size).toBe(0)
  behind = false
  await indexer.follower.step()
  await expectSame(rpc, indexer)
})

test('THE DISK IS FULL: entries that could not be stored are stored once there is room', async () => {
  const { rpc, ledger, path } = await fresh()
  const indexer = startIndexer(path, rpc, ledger)
  await append(rpc, ledger, makeHeaders(0, 40))
  const { page_count: pages } = indexer.database.prepare('PRAGMA page_count').get() ?? {}
  indexer.database.exec(`PRAGMA max_page_count = ${pages}`)
  await expect(indexer.follower.step()).rejects.toMatchObject({ code: 'STORE_FAILED' })
  expect(indexer.follower.log.size).toBe(0)
  indexer.database.exec('PRAGMA max_page_count = 100000')
  await indexer.follower.step()
  await expectSame(rpc, indexer)
})
