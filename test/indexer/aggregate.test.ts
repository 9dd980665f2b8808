import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Item } from '../../src/batch/index.ts'
import { Aggregate } from '../../src/indexer/aggregate.ts'
import { factsOf, parseRecord, sealRecord } from '../../src/record/index.ts'
import { submissionOf } from '../batch/items.ts'
import { append, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'
import { exampleOf, type Json } from '../record/examples.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { sealFor, startIndexer } from './world.ts'

let chain: TestChain
const batches = [0, 1].map((i) => sealFor(i, submissionOf('urn:a', i, 60)))

beforeAll(async () => {
  chain = await startUnsavedTestChain()
  for (const { header } of batches) await append(chain.rpc, chain.ledger, [header])
})
afterAll(() => chain.close())

const item = (type: 'tidemark.call.v1' | 'tidemark.authorization.v1', time: string, data: Json = {}) => {
  const example = exampleOf(type)
  const { record, disclosures } = sealRecord(
    parseRecord({ ...example, time, data: { ...example.data, ...data } }),
  )
  return { record, disclosures }
}

function aggregate(items: readonly Item[]) {
  const counted = new Aggregate()
  for (const { record } of items) counted.add(factsOf(record))
  return counted.finish()
}

const HOUR = Date.UTC(2026, 2, 1, 9) / 3_600_000

test('a call counts once for each key, by the side that it is counted from', () => {
  const { volumes } = aggregate([
    item('tidemark.call.v1', '2026-03-01T09:00:00.000Z', { side: 'consumer' }),
    item('tidemark.call.v1', '2026-03-01T09:59:59.999Z', { side: 'provider', rows: 2 }),
    item('tidemark.call.v1', '2026-03-01T09:30:00.000Z', {
      side: 'provider',
      outcome: 'refused',
      rows: 2 ** 53 - 1,
    }),
    item('tidemark.call.v1', '2026-03-01T10:00:00.000Z', { side: 'provider', outcome: 'failed' }),
  ])
  const of = (facet: string) =>
    volumes
      .filter((volume) => volume.facet === facet)
      .map(({ key, hour, calls, refused, failed, rows }) => [key, hour - HOUR, calls, refused, failed, rows])
  expect(of('consumer')).toEqual([['traffic-office', 0, 1, 0, 0, 1]])
  const provided = [
    [0, 2, 1, 0, 2 + 2 ** 40],
    [1, 1, 0, 1, 1],
  ]
  expect(of('provider')).toEqual(provided.map((row) => ['civil-registry', ...row]))
  expect(of('resource')).toEqual(provided.map((row) => ['civil-registry/births', ...row]))
  expect(of('pair')).toEqual(provided.map((row) => ['["traffic-office","civil-registry"]', ...row]))
  expect(of('sharing')).toEqual(provided.map((row) => ['conditional', ...row]))
  expect(of('outcome')).toEqual([
    ['success', 0, 1, 0, 0, 2],
    ['refused', 0, 1, 1, 0, 2 ** 40],
    ['failed', 1, 1, 0, 1, 1],
  ])
  expect(volumes[0]).toMatchObject({ requestBytes: 312, responseBytes: 2048 })
})

test('a grant has the earliest times that the batch knows of it', () => {
  const { grants } = aggregate([
    item('tidemark.call.v1', '2026-03-01T09:00:03.000Z'),
    item('tidemark.authorization.v1', '2026-03-01T09:00:01.000Z'),
    item('tidemark.authorization.v1', '2026-03-01T09:00:00.000Z'),
    item('tidemark.call.v1', '2026-03-01T09:00:02.000Z'),
  ])
  const start = Date.UTC(2026, 2, 1, 9)
  expect(grants).toEqual([{ id: `0x${'a'.repeat(64)}`, authorizedAt: start, firstCallAt: start + 2_000 }])
})

test('what was counted as batches came is what their files give when all is counted again', async () => {
  const { folder, entries, catchUp } = startIndexer(await temporaryFolder(), chain.rpc, chain.ledger)
  for (const batch of batches) await folder.save(batch)
  await catchUp()
  const series = () =>
    entries.stats.series({ facet: 'provider', fromHour: 0, toHour: 1e6, stepHours: 1, limit: 9 })
  const counted = series()
  expect(counted).toMatchObject([{ key: 'civil-registry', calls: 40, start: HOUR * 3_600_000 }])
  entries.recount()
  expect(series()).toEqual([])
  await catchUp()
  expect(series()).toEqual(counted)
  expect(entries.uncounted(9)).toEqual([])
})
