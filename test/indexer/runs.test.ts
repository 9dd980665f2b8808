import { existsSync } from 'node:fs'
import { readdir, truncate, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SealedBatch } from '../../src/batch/index.ts'
import {
  buildRun,
  IndexReader,
  MOST_RUN_BATCHES,
  type RunSummary,
  toRunData,
} from '../../src/lookup/index.ts'
import { ALWAYS, type HistoryPart, type JsonRunHistory, toJsonRunHistory } from '../../src/proof/index.ts'
import { parseRecord, sealRecord } from '../../src/record/index.ts'
import { verifyHistory } from '../../src/verify/index.ts'
import { submissionOf } from '../batch/items.ts'
import { append, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'
import { exampleOf } from '../record/examples.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { sealFor, startIndexer } from './world.ts'

const PERSON = String(exampleOf('tidemark.call.v1').data.person)
const SOURCE = 'urn:somebody'

let chain: TestChain
beforeAll(async () => {
  chain = await startUnsavedTestChain()
})
afterAll(() => chain.close())

/** Batches of two records each; the first record of every batch is a call about the person. */
const plain = (sequence: number) => sealFor(sequence, submissionOf(`urn:${sequence}`, sequence, 2))

/** A batch of records that claim runs. */
function claiming(
  sequence: number,
  ...claims: { first: number; summary: RunSummary; ledger?: string }[]
): SealedBatch {
  const sealed = claims.map(({ first, summary, ledger }, i) => {
    const data = toRunData({ chainId: 31337n, ledger: chain.ledger, first: BigInt(first), ...summary })
    return sealRecord(
      parseRecord({
        ...exampleOf('tidemark.index-run.v1'),
        source: SOURCE,
        id: `run-${sequence}-${i}`,
        data: { ...data, ...(ledger !== undefined && { ledger }) },
      }),
    )
  })
  return sealFor(sequence, {
    source: SOURCE,
    sequence: BigInt(sequence),
    receivedAt: 1_790_000_000_000,
    signature: null,
    items: sealed.map(({ record, disclosures }) => ({ record, disclosures })),
    vault: sealed.map(() => []),
  })
}

async function summaryOf(batches: readonly SealedBatch[]): Promise<RunSummary> {
  const readers = batches.map(({ files }) => {
    const file = files['index.bin']
    return IndexReader.open(async (offset, length) => file.slice(offset, offset + length))
  })
  return buildRun(await Promise.all(readers), async () => undefined)
}

/** A ledger of its own with these batches, and an indexer that has read all of it. */
async function indexed(
  batches: readonly SealedBatch[],
  before: (indexer: ReturnType<typeof startIndexer>) => Promise<void> = async () => undefined,
) {
  const indexer = startIndexer(await temporaryFolder(), chain.rpc, chain.ledger)
  for (const batch of batches) await indexer.folder.save(batch)
  await before(indexer)
  await indexer.catchUp()
  return indexer
}

async function read({ histories }: ReturnType<typeof startIndexer>, person = PERSON, end?: bigint) {
  const { head, parts, path } = histories.openRuns({
    key: { name: 'person', value: person },
    period: ALWAYS,
    first: undefined,
    end,
    disclose: [],
  })
  const all: HistoryPart[] = []
  for await (const part of parts) all.push(part)
  return JSON.parse(JSON.stringify(toJsonRunHistory({ ...head, parts: all, path: path() }))) as JsonRunHistory
}

/** Everything of this file stands in one ledger, as a chain takes long to start. */
const ledger: SealedBatch[] = []
beforeAll(async () => {
  for (let i = 0; i < 5; i++) ledger.push(plain(i))
  const [whole, part, other] = [
    await summaryOf(ledger.slice(0, 4)),
    await summaryOf(ledger.slice(1, 3)),
    await summaryOf(ledger.slice(1, 5)),
  ]
  ledger.push(
    claiming(
      5,
      { first: 1, summary: part },
      { first: 0, summary: whole },
      { first: 1, summary: whole },
      { first: 0, summary: { ...whole, entries: whole.entries + 1 } },
      { first: 3, summary: whole },
      { first: 2 ** 52, summary: whole },
      { first: 0, summary: { ...whole, count: 0 } },
      { first: 0, summary: { ...whole, count: MOST_RUN_BATCHES + 1 } },
      { first: 0, summary: { ...whole, entries: 1 }, ledger: `0x${'11'.repeat(20)}` },
      { first: 1, summary: other },
    ),
  )
  await append(
    chain.rpc,
    chain.ledger,
    ledger.map(({ header }) => header),
  )
})

test('every claim is merged again: a false one raises an alert that names what differs, a true one is kept', async () => {
  const indexer = await indexed(ledger)
  const told = indexer.told.filter(({ kind }) => kind === 'false-run')
  expect(told.map(({ positions }) => positions)).toEqual([[4], [5], [6], [7], [2], [3]])
  expect(told.every(({ anchor }) => anchor.ledgerIndex === '5')).toBe(true)
  const [beyond, , none, many, shifted, more] = told
  expect(beyond?.found).toContain('its record stands in entry 5')
  expect(none?.found).toContain('this one says 0')
  expect(many?.found).toContain('this one says 16385')
  expect(shifted?.found).toContain(`record run-5-2 of ${SOURCE} is false`)
  expect(more).toMatchObject({
    expected: 'the merged index of ledger entries 0 up to 4',
    found: expect.stringMatching(/the run says entries \d+, its batches say \d+/),
  })
  expect(indexer.runs.counts()).toEqual({ claimed: 0, true: 2, kept: 1, false: 2 })
  // Of those that overlap the longest is kept, and the first of equal ones.
  expect(await readdir(indexer.runsPath)).toEqual(['0-4.idx'])
}, 60_000)

test('a history over runs is one that a stranger verifies, with the records of one batch by batch', async () => {
  const indexer = await indexed(ledger)
  const history = await read(indexer)
  expect(history.parts.map((part) => ('run' in part ? part.batches.length : 'batch'))).toEqual([
    4,
    'batch',
    'batch',
  ])
  const verified = await verifyHistory(history, indexer.chain, { ledger: chain.ledger })
  expect(verified.records.map(({ ledgerIndex }) => Number(ledgerIndex))).toEqual([0, 1, 2, 3, 4])
  expect(verified.runs).toEqual([{ source: SOURCE, id: 'run-5-1', entry: 5n, first: 0n, end: 4n }])

  const nobody = await read(indexer, 'nobody')
  expect(nobody.parts[0]).toMatchObject({ batches: [] })
  expect(await verifyHistory(nobody, indexer.chain)).toMatchObject({ records: [], searched: 2 })

  // A run at the end of the range: its record comes after.
  expect(await verifyHistory(await read(indexer, PERSON, 4n), indexer.chain)).toMatchObject({
    range: { from: 0n, to: 4n },
    records: { length: 4 },
  })
}, 60_000)

test('nothing is said of a run while a batch of it is not verified, nor when our own disk has changed one', async () => {
  const withheld = await indexed(ledger.toSpliced(1, 1))
  expect(withheld.runs.counts()).toEqual({ claimed: 5, true: 0, kept: 0, false: 0 })
  expect(withheld.told.filter(({ kind }) => kind === 'false-run')).toHaveLength(4)

  const damaged = await indexed(ledger.toSpliced(1, 1))
  const missing = ledger[1]
  if (missing === undefined) throw new RangeError('there are six batches')
  await damaged.folder.save(missing)
  damaged.pass(10_000)
  await damaged.checker.step()
  await truncate(damaged.pathOf(2, 'index.bin'), 100)
  await expect(damaged.runKeeper.step()).rejects.toThrow(
    expect.objectContaining({ name: 'OperationError', code: 'STORE_DAMAGED' }),
  )
  expect(damaged.told.filter(({ kind }) => kind === 'false-run')).toHaveLength(4)
}, 60_000)

test('what a crash left behind is removed, and what somebody removed is merged again', async () => {
  const path = await temporaryFolder()
  const first = startIndexer(path, chain.rpc, chain.ledger)
  for (const batch of ledger) await first.folder.save(batch)
  await first.catchUp()
  const { rename } = await import('node:fs/promises')
  await rename(`${first.runsPath}/0-4.idx`, `${first.runsPath}/0-4.idx.tmp`)
  await writeFile(`${first.runsPath}/1-2.idx`, 'of a run that is no longer kept')
  const second = startIndexer(path, chain.rpc, chain.ledger)
  await second.catchUp()
  expect(await readdir(second.runsPath)).toEqual(['0-4.idx'])
  expect(existsSync(`${second.runsPath}/0-4.idx`)).toBe(true)
  await verifyHistory(await read(second), second.chain)
}, 60_000)
