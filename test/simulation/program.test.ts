import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { SealedBatch } from '../../src/batch/index.ts'
import { createLedger } from '../../src/chain/ledger.ts'
import { Chance } from '../../src/client/sample-chance.ts'
import { submissionOf } from '../batch/items.ts'
import { append, PUBLISHER, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'
import { type RpcFault, startProxy } from '../chaos/proxy.ts'
import { end, startIndexerProgram } from '../e2e/indexer-process.ts'
import { startPublisherServer } from '../indexer/publisher-server.ts'
import { sealFor } from '../indexer/world.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'

let chain: TestChain
let empty: unknown

beforeAll(async () => {
  chain = await startUnsavedTestChain()
  empty = await chain.rpc.call('evm_snapshot', [])
})
afterAll(() => chain.close())

const ROUNDS = 5
const BATCHES = 14
const CONFIRMATIONS = 8

/** What can be asked of an indexer and does not tell when it was found. */
async function stateOf(url: string): Promise<unknown> {
  const get = async (path: string) => {
    const response = await fetch(`${url}${path}`)
    expect(response.status, path).toBe(200)
    return JSON.parse(await response.text())
  }
  const { size, root } = await get('/v1/ledger')
  const { batches } = await get('/v1/batches')
  const { alerts } = await get('/v1/alerts')
  const records = await get('/v1/records?source=urn:a&id=3-1')
  const found = await get('/v1/records?consumer=traffic-office')
  const stats = await get('/v1/stats?by=consumer&from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z')
  return {
    size,
    root,
    batches,
    open: alerts.filter((one: { closedAt?: string }) => one.closedAt === undefined),
    records,
    found,
    stats,
  }
}

const FAULTS: RpcFault[] = [
  { kind: 'cut', when: 'after', times: 3 },
  { kind: 'old', blocks: 3, mixed: true, times: 8 },
  { kind: 'refuse', times: 3 },
  { kind: 'delay', delayMs: 200, times: 4 },
]

test.each([1, 2])(
  'seed %i: a program that is killed, on a chain with reorgs, ends as a quiet one',
  {
    timeout: 300_000,
  },
  async (seed) => {
    const chance = new Chance(`tidemark simulated program ${seed}`)
    await chain.rpc.call('evm_revert', [empty])
    empty = await chain.rpc.call('evm_snapshot', [])
    const versions = Array.from({ length: BATCHES }, (_, i) => [
      sealFor(i, submissionOf('urn:a', i, 5 + (i % 3))),
      sealFor(i, submissionOf('urn:a', i, 9)),
    ])
    const given: SealedBatch[] = []
    const server = await startPublisherServer(given)
    const proxy = await startProxy(chain.rpc.url)
    onTestFinished(() => proxy.close())
    const folder = await temporaryFolder()
    const start = (name: string) =>
      startIndexerProgram([
        ...['--rpc', proxy.url, '--ledger', chain.ledger, '--finality', String(CONFIRMATIONS)],
        ...['--data', join(folder, name), '--publisher', `${PUBLISHER}=${server.url}`],
      ])
    const ledger = createLedger(chain.rpc, chain.ledger)
    const publish = async (count: number) => {
      const next = Number((await ledger.publisher(PUBLISHER)).nextSequence)
      for (let i = next; i < Math.min(next + count, BATCHES); i++) {
        const batch = (versions[i] as SealedBatch[])[chance.below(2)] as SealedBatch // two versions each
        given[i] = batch
        await append(chain.rpc, chain.ledger, [batch.header])
      }
    }
    const sizeAt = async (url: string) =>
      Number(JSON.parse(await (await fetch(`${url}/v1/ledger`)).text()).size)

    await publish(2)
    let indexer = await start('troubled')
    let depth = 0
    for (let round = 0; round < ROUNDS; round++) {
      if (chance.happens(60)) proxy.arm(chance.pick(FAULTS as [RpcFault, ...RpcFault[]]))
      let times = chance.below(4)
      server.lie((_request, response) => {
        if (times-- <= 0) return false
        response.writeHead(503).end()
        return true
      })
      await publish(chance.between(1, 3))
      const size = Number(await ledger.size())
      await eventually(async () => ((await sizeAt(indexer.url)) === size ? true : undefined), 60_000)
      if (chance.happens(70)) {
        // All that is taken back together stays above what was ever final.
        const blocks = chance.between(1, CONFIRMATIONS - 2)
        depth += blocks
        await chain.rpc.call('anvil_reorg', [blocks, []])
        await publish(chance.between(0, 2))
      }
      if (chance.happens(70)) {
        await end(indexer.child, 'SIGKILL')
        indexer = await start('troubled')
      }
    }
    proxy.arm(undefined)
    server.lie(() => false)
    await publish(BATCHES)
    const quiet = await start('quiet')
    for (const { url } of [quiet, indexer]) {
      await eventually(async () => {
        const { batches } = JSON.parse(await (await fetch(`${url}/v1/batches`)).text())
        const verified = batches.filter(({ state }: { state: string }) => state === 'verified')
        return verified.length === BATCHES || undefined
      }, 120_000)
    }
    expect(depth).toBeGreaterThan(0)
    expect(await stateOf(indexer.url)).toEqual(await stateOf(quiet.url))
    expect(await end(indexer.child, 'SIGINT')).toBe(0)
    expect(await end(quiet.child, 'SIGINT')).toBe(0)
  },
)
