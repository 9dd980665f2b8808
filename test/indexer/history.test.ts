import { truncate } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HistoryRequest } from '../../src/indexer/history.ts'
import { ALWAYS, type HistoryBatch, type JsonHistory, toJsonHistory } from '../../src/proof/index.ts'
import { verifyHistory } from '../../src/verify/index.ts'
import { submissionOf } from '../batch/items.ts'
import { append, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'
import { exampleOf } from '../record/examples.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { sealFor, startIndexer } from './world.ts'

const PERSON = String(exampleOf('tidemark.call.v1').data.person)
/** Records of each batch; every third is a call about the one person, every third has a second of its own. */
const COUNTS = [260, 2, 400, 4]

const sealed = COUNTS.map((count, i) => sealFor(i, submissionOf(`urn:${i}`, i, count)))

let chain: TestChain
beforeAll(async () => {
  chain = await startUnsavedTestChain()
  const headers = sealed.map(({ header }) => header)
  for (const some of [headers.slice(0, 1), headers.slice(1, 2), headers.slice(2)]) {
    await append(chain.rpc, chain.ledger, some)
  }
})
afterAll(() => chain.close())

/** An indexer of a ledger of four batches, the last two of one transaction. */
async function indexed(damage?: (pathOf: (sequence: number, file: string) => string) => Promise<void>) {
  const indexer = startIndexer(await temporaryFolder(), chain.rpc, chain.ledger)
  for (const batch of sealed) await indexer.folder.save(batch)
  await damage?.(indexer.pathOf)
  await indexer.catchUp()
  return indexer
}

const ask = (change: Partial<HistoryRequest> = {}): HistoryRequest => ({
  key: { name: 'person', value: PERSON },
  period: ALWAYS,
  first: undefined,
  end: undefined,
  disclose: [],
  ...change,
})

async function read({ histories }: ReturnType<typeof startIndexer>, request: HistoryRequest) {
  const { head, batches } = histories.open(request)
  const parts: HistoryBatch[] = []
  for await (const batch of batches) parts.push(batch)
  return JSON.parse(JSON.stringify(toJsonHistory({ ...head, batches: parts }))) as JsonHistory
}

test('a history of any key over any part of the ledger is one that a stranger verifies', async () => {
  const indexer = await indexed()
  const verify = async (request: HistoryRequest) =>
    verifyHistory(await read(indexer, request), indexer.chain, { ledger: chain.ledger })
  const calls = COUNTS.map((count) => Math.ceil(count / 3))
  const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0)

  const whole = await verify(ask())
  expect(whole).toMatchObject({ range: { from: 0n, to: 4n }, searched: 4 })
  expect(whole.records).toHaveLength(sum(calls))
  expect(whole.records.every(({ record }) => record.data.person === PERSON)).toBe(true)

  for (const [first, end] of [
    [0n, 1n],
    [1n, 3n],
    [2n, 4n],
  ] as const) {
    const part = await verify(ask({ first, end }))
    expect(part.range).toEqual({ from: first, to: end })
    expect(part.records).toHaveLength(sum(calls.slice(Number(first), Number(end))))
  }

  const late = { from: BigInt(Date.UTC(2026, 2, 1, 9, 36)), to: BigInt(Date.UTC(2026, 2, 1, 9, 37)) }
  expect(await verify(ask({ period: late }))).toMatchObject({ searched: 1, records: { length: 14 } })
  const nobody = await verify(ask({ key: { name: 'person', value: 'nobody' } }))
  expect(nobody).toMatchObject({ searched: 4, records: [] })

  const one = ask({ key: { name: 'record', value: 'urn:2\u00002-300' } })
  const [closed] = (await verify(one)).records
  expect(closed?.record.data).not.toHaveProperty('person')
  const [open] = (await verify({ ...one, disclose: ['person'] })).records
  expect(open).toMatchObject({ ledgerIndex: 2n, position: 300, record: { data: { person: PERSON } } })
}, 60_000)

test('a history ends where the ledger is not verified and final, and is refused beyond', async () => {
  const indexer = await indexed()
  indexer.entries.mark(3n, 'announced')
  expect((await read(indexer, ask())).range).toMatchObject({ from: '0', to: '3', size: '4' })
  const notReady = expect.objectContaining({ name: 'InputError', code: 'NOT_READY' })
  expect(() => indexer.histories.open(ask({ end: 4n }))).toThrow(notReady)
  expect(() => indexer.histories.open(ask({ first: 3n }))).toThrow(notReady)
  expect(() => indexer.histories.open(ask({ first: 2n ** 63n }))).toThrow(notReady)
  expect(() => indexer.histories.open(ask({ first: 2n, end: 2n }))).toThrow(
    expect.objectContaining({ name: 'InputError', code: 'BAD_ARGUMENT' }),
  )
}, 60_000)

test('a batch that is fraud is named, and the ledger beside it still has its histories', async () => {
  const indexer = await indexed((pathOf) => truncate(pathOf(1, 'index.bin'), 40))
  expect(() => indexer.histories.open(ask())).toThrow(
    expect.objectContaining({
      name: 'InputError',
      code: 'HISTORY_INCOMPLETE',
      message: expect.stringContaining('1 (fraud)'),
    }),
  )
  const beside = await verifyHistory(await read(indexer, ask({ first: 2n })), indexer.chain)
  expect(beside.range).toEqual({ from: 2n, to: 4n })
}, 60_000)
