import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SealedBatch } from '../../src/batch/index.ts'
import { Fetcher } from '../../src/indexer/fetcher.ts'
import { submissionOf } from '../batch/items.ts'
import { append, PUBLISHER, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { startPublisherServer } from './publisher-server.ts'
import { sealFor, startIndexer } from './world.ts'

let chain: TestChain
let empty: unknown

beforeAll(async () => {
  chain = await startUnsavedTestChain()
  empty = await chain.rpc.call('evm_snapshot', [])
})
afterAll(() => chain.close())

/** An indexer, and a publisher whose one batch is another after each `publish`, as after a reorg. */
async function start() {
  const batches: SealedBatch[] = []
  const server = await startPublisherServer(batches)
  const path = await temporaryFolder()
  const indexer = startIndexer(path, chain.rpc, chain.ledger, {
    finality: { kind: 'depth', confirmations: 1_000 },
    fetcher: (folder) =>
      new Fetcher({
        publishers: new Map([[PUBLISHER, { url: server.url }]]),
        incomingPath: join(folder, 'incoming'),
        pausesMs: [],
      }),
  })
  const publish = async (batch: SealedBatch) => {
    batches[0] = batch
    await chain.rpc.call('evm_revert', [empty])
    empty = await chain.rpc.call('evm_snapshot', [])
    await append(chain.rpc, chain.ledger, [batch.header])
  }
  return { ...indexer, server, path, publish }
}

test('A REORG GIVES A NUMBER TO ANOTHER BATCH: the files that were open are not asked any more', async () => {
  const { publish, catchUp, finder } = await start()
  const found = async (source: string) =>
    (await finder.find(source, '0-1')).map(({ item, position }) => [item.record.source, position])
  await publish(sealFor(0, submissionOf('urn:a', 0, 5)))
  await catchUp()
  expect(await found('urn:a')).toEqual([['urn:a', 1]])
  await publish(sealFor(0, submissionOf('urn:b', 0, 7)))
  await catchUp()
  expect([await found('urn:a'), await found('urn:b')]).toEqual([[], [['urn:b', 1]]])
})

test('A REORG TAKES AWAY A BATCH OF WHICH SOME FILES HAD COME: they do not stay', async () => {
  const { publish, catchUp, server, path } = await start()
  await publish(sealFor(0, submissionOf('urn:a', 0, 5)))
  server.lie((_request, response, { file }) => {
    if (file === 'records.ndjson.zst') response.writeHead(404).end()
    return file === 'records.ndjson.zst'
  })
  await catchUp()
  expect(await readdir(join(path, 'incoming'))).toHaveLength(1)
  server.lie(() => false)
  await publish(sealFor(0, submissionOf('urn:b', 0, 7)))
  await catchUp()
  await catchUp()
  expect(await readdir(join(path, 'incoming'))).toEqual([])
})
