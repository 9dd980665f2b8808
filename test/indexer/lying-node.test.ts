import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Header, hashHeader } from '../../src/batch/index.ts'
import { type Rpc, RpcRefusal } from '../../src/chain/rpc.ts'
import { GrowingLog } from '../../src/merkle/index.ts'
import { append, makeHeaders, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'
import { toData } from '../simulation/chain.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { type IndexerOptions, startIndexer } from './world.ts'

let chain: TestChain
let empty: unknown

beforeAll(async () => {
  chain = await startUnsavedTestChain()
  empty = await chain.rpc.call('evm_snapshot', [])
})
afterAll(() => chain.close())

type Json = Record<string, unknown>
type Lie = (method: string, params: readonly unknown[], truth: unknown) => unknown

/** An indexer whose node says what `lie` makes of each answer, over the empty ledger. */
async function start(options: IndexerOptions) {
  await chain.rpc.call('evm_revert', [empty])
  empty = await chain.rpc.call('evm_snapshot', [])
  const node: { lie: Lie } = { lie: (_method, _params, truth) => truth }
  const rpc: Rpc = {
    url: chain.rpc.url,
    call: async (method, params) => node.lie(method, params, await chain.rpc.call(method, params)),
  }
  const path = await temporaryFolder()
  const again = () => startIndexer(path, rpc, chain.ledger, { mayLag: true, ...options })
  const publish = (from: number, to: number) => append(chain.rpc, chain.ledger, makeHeaders(from, to))
  return { ...again(), again, node, publish }
}

const honest: Lie = (_method, _params, truth) => truth
const changeLogs =
  (change: (logs: readonly Json[]) => readonly Json[]): Lie =>
  (method, _params, truth) =>
    method === 'eth_getLogs' ? change(truth as Json[]) : truth

const DEPTH = { finality: { kind: 'depth', confirmations: 4 } } as const

test('A HEAD THAT IS TOO HIGH makes nothing final: a reorg is followed after it', async () => {
  const { follower, entries, node, publish } = await start(DEPTH)
  const before = await chain.rpc.call('evm_snapshot', [])
  await publish(0, 2)
  await follower.step()
  let heads = 0
  // The head that is asked for first is the true one.
  node.lie = (method, _params, truth) => (method === 'eth_blockNumber' && heads++ > 0 ? '0xffff' : truth)
  await follower.step()
  node.lie = honest
  await chain.rpc.call('evm_revert', [before])
  await chain.rpc.call('anvil_mine', ['0x2'])
  await publish(0, 1)
  await follower.step()
  expect(entries.from(0n, 9)).toHaveLength(1)
})

test('A FINAL BLOCK THAT THE CHAIN DOES NOT HAVE is not believed', async () => {
  const { follower, node, publish } = await start({ finality: { kind: 'tag' } })
  await publish(0, 2)
  await follower.step()
  const before = follower.state.finalBlock
  node.lie = (_method, params, truth) => {
    const latest = Object(truth)
    return params[0] === 'finalized' ? { ...latest, number: '0x2', hash: `0x${'77'.repeat(32)}` } : truth
  }
  await expect(follower.step()).rejects.toMatchObject({ code: 'RPC_LAGS' })
  expect(follower.state.finalBlock).toBe(before)
})

test.each(['blockHash', 'transactionHash'])(
  'AN EVENT WHOSE %s ITS BLOCK DOES NOT KNOW is asked for again',
  async (member) => {
    const { follower, entries, node, publish } = await start(DEPTH)
    const hash = await publish(0, 2)
    node.lie = changeLogs((logs) => logs.map((log) => ({ ...log, [member]: `0x${'77'.repeat(32)}` })))
    await expect(follower.step()).rejects.toMatchObject({ code: 'RPC_LAGS' })
    expect(entries.from(0n, 9)).toEqual([])
    node.lie = honest
    await follower.step()
    expect(entries.from(0n, 9).map(({ transactionHash }) => transactionHash)).toEqual([hash, hash])
  },
)

/** The logs as they would be if these were the headers. */
function forge(logs: readonly Json[], headers: readonly Header[]): Json[] {
  const log = new GrowingLog()
  return logs.map((one, index) => {
    const header = headers[index] as Header // one each
    log.append(hashHeader(header))
    return { ...one, data: toData({ index, header, node: log.peaks().at(-1) ?? new Uint8Array() }) }
  })
}

const FALSE_HEADERS = makeHeaders(0, 3).map((header) => ({ ...header, lastTime: header.lastTime + 1n }))

test('EVENTS OF ANOTHER LOG THAT FIT EACH OTHER are held against the root that the ledger has', async () => {
  const { follower, entries, node, publish } = await start(DEPTH)
  await publish(0, 3)
  node.lie = changeLogs((logs) => forge(logs, FALSE_HEADERS))
  await expect(follower.step()).rejects.toMatchObject({ code: 'RPC_MALFORMED' })
  expect(entries.from(0n, 9)).toEqual([])
  node.lie = honest
  await follower.step()
  expect(entries.from(0n, 9).map(({ header }) => header)).toEqual(makeHeaders(0, 3))
})

test('FALSE EVENTS THAT WERE STORED ON THE WAY are taken back when the true ones do not fit, after a restart too', async () => {
  const { follower, entries, node, publish, again } = await start(DEPTH)
  await publish(0, 3)
  await chain.rpc.call('anvil_mine', ['0x8'])
  await publish(3, 5)
  // A node that gives few blocks at a time, and lies about the first that hold anything.
  const fewBlocks = (lies: boolean): Lie => {
    return (method, params, truth) => {
      if (method !== 'eth_getLogs') return truth
      const { fromBlock, toBlock } = Object(params[0])
      if (Number(toBlock) - Number(fromBlock) > 3) throw new RpcRefusal(method, -32005, 'too many blocks')
      const logs = truth as Json[] // as the node gives them
      return lies && logs.length === 3 ? forge(logs, FALSE_HEADERS) : logs
    }
  }
  node.lie = fewBlocks(true)
  await expect(follower.step()).rejects.toMatchObject({ code: 'RPC_MALFORMED' })
  expect(entries.from(0n, 9).map(({ header }) => header)).toEqual(FALSE_HEADERS)
  node.lie = fewBlocks(false)
  const restarted = again()
  // Any of the answers may be the false one: it asks twice before it takes anything back.
  for (let i = 0; i < 2; i++) {
    await expect(restarted.follower.step()).rejects.toMatchObject({ code: 'RPC_MALFORMED' })
  }
  await restarted.follower.step()
  expect(entries.from(0n, 9).map(({ header }) => header)).toEqual(makeHeaders(0, 5))
})
