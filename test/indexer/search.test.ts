import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Item, type SealedBatch, sealBatch } from '../../src/batch/index.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import { sampleRecords } from '../../src/client/sample.ts'
import { ALWAYS, type FoundRecord, type Place, Search, type SearchQuery } from '../../src/indexer/search.ts'
import { type IndexName, indexValues } from '../../src/lookup/index.ts'
import { sealRecord, timeOf } from '../../src/record/index.ts'
import { BatchCache } from '../../src/store/batch-cache.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { openDatabase } from '../../src/store/database.ts'
import { LedgerEntries } from '../../src/store/ledger-entries.ts'
import { compress, PUBLISHER } from '../batch/items.ts'
import { runs } from '../bytes/runs.ts'
import { temporaryFolder } from '../store/temporary.ts'

const BATCHES = 6
/** More than a frame holds. */
const RECORDS = 300

let items: Item[][]
let batches: SealedBatch[]

beforeAll(() => {
  const records = sampleRecords({ seed: 'search', count: BATCHES * RECORDS, from: new Date('2026-01-05') })
  items = Array.from({ length: BATCHES }, () =>
    Array.from({ length: RECORDS }, () => {
      const { record, disclosures } = sealRecord(records.next().value as Item['record'])
      return { record, disclosures }
    }),
  )
  batches = items.map((each, i) => {
    const submission = { source: 'any', sequence: BigInt(i), receivedAt: 0, signature: null }
    return sealBatch(PUBLISHER, BigInt(i), [{ ...submission, items: each, vault: [] }], compress)
  })
})

const hash = (i: number): Hex => `0x${i.toString(16).padStart(64, '0')}`

async function world({ sketchBytes = 1_000_000, budget = 8_192, held = BATCHES } = {}) {
  const path = await temporaryFolder()
  const database = openDatabase(join(path, 'catalogue.sqlite'))
  const entries = new LedgerEntries(database)
  const folder = new BatchFolder(join(path, 'batches'))
  const cache = new BatchCache(folder, 2)
  onTestFinished(async () => {
    await cache.close()
    database.close()
  })
  const append = async (from: number, to: number) => {
    for (const [i, batch] of batches.slice(from, to).entries()) {
      const logIndex = BigInt(from + i)
      const place = { blockNumber: logIndex, blockHash: hash(1), transactionHash: hash(2), eventIndex: 0 }
      await folder.save(batch)
      entries.add([{ logIndex, header: batch.header, ...place }])
      entries.mark(logIndex, 'verified')
    }
  }
  await append(0, held)
  const search = new Search({ entries, batches: cache, folder, sketchBytes, budget })
  onTestFinished(() => search.stop())
  return { search, entries, append, path }
}

const NEWEST: Place = { logIndex: BigInt(BATCHES), position: 0 }

/** Turns pages to the end. */
async function all(search: Search, query: Partial<SearchQuery> & Pick<SearchQuery, 'keys'>) {
  const found: FoundRecord[] = []
  let after: Place | undefined = NEWEST
  for (let pages = 0; after !== undefined; pages++) {
    expect(pages).toBeLessThanOrEqual(BATCHES * RECORDS)
    const page = await search.page({ ...ALWAYS, limit: 50, ...query, after })
    expect(page.records.length).toBeLessThanOrEqual(query.limit ?? 50)
    found.push(...page.records)
    after = page.next
  }
  return found.map(({ entry, position }) => [Number(entry.logIndex), position])
}

/** What every record says of itself, one after the other. */
function expected(keys: ReadonlyMap<IndexName, string>, { fromMs, toMs } = ALWAYS): number[][] {
  return items
    .flatMap((each, batch) =>
      each.flatMap(({ record, disclosures }, position) => {
        const values = indexValues(record, disclosures)
        const time = timeOf(record)
        const fits = [...keys].every(([name, value]) => values.get(name) === value)
        return fits && time >= fromMs && time < toMs ? [[batch, position]] : []
      }),
    )
    .reverse()
}

const somewhere = fc.record({
  batch: fc.nat(BATCHES - 1),
  position: fc.nat(RECORDS - 1),
  pick: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
})

/** One to three of the keys that a record is under. */
function keysAt({ batch, position, pick }: { batch: number; position: number; pick: number[] }) {
  const { record, disclosures } = (items[batch] as Item[])[position] as Item
  const values = [...indexValues(record, disclosures)]
  return new Map(pick.map((i) => values[i % values.length] as [IndexName, string]))
}

describe('a search', () => {
  test.each([
    ['with sketches of all batches', { sketchBytes: 1_000_000 }],
    ['with room for a few sketches', { sketchBytes: 10_000 }],
    ['without sketches', { sketchBytes: 0 }],
    ['whose pages may cost next to nothing', { budget: 1 }],
  ])('%s finds what is under its keys in its time, all of it, newest first', async (_, options) => {
    const { search } = await world(options)
    const timeAt = (place: number) => timeOf((items.flat()[place] as Item).record)
    const place = fc.nat(BATCHES * RECORDS - 1)
    await fc.assert(
      fc.asyncProperty(
        somewhere,
        fc.option(fc.tuple(place, place)),
        fc.constantFrom(1, 7, 500),
        async (at, span, limit) => {
          const [fromMs, toMs] = span === null ? [0, ALWAYS.toMs] : span.map(timeAt).sort((a, b) => a - b)
          const range = { fromMs: fromMs ?? 0, toMs: toMs ?? 0 }
          const keys = keysAt(at)
          expect(await all(search, { keys, ...range, limit })).toEqual(expected(keys, range))
        },
      ),
      runs(15),
    )
  })

  test('for what is nowhere finds nothing, whatever it is', async () => {
    const { search } = await world()
    for (const name of ['person', 'request', 'resource'] as const) {
      for (const value of ['', 'none', '\0', '\u{1f600}']) {
        expect(await all(search, { keys: new Map([[name, value]]) })).toEqual([])
      }
    }
  })

  test('does not open batches of another time', async () => {
    const { search, path } = await world()
    await rm(join(path, 'batches', PUBLISHER, '000000000002'), { recursive: true })
    const keys = new Map([['consumer', 'none'] as const])
    const { firstTime } = (batches[4] as SealedBatch).header
    expect(await all(search, { keys, fromMs: Number(firstTime) })).toEqual([])
    await expect(all(search, { keys })).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })

  test('shows nothing of a batch that is not verified', async () => {
    const { search, entries } = await world()
    const keys = keysAt({ batch: 3, position: 7, pick: [0] })
    expect(await all(search, { keys })).toEqual([[3, 7]])
    entries.mark(3n, 'fraud', 'says so')
    expect(await all(search, { keys })).toEqual([])
  })

  test('goes on where it was when new batches have come meanwhile', async () => {
    const { search, append } = await world({ held: 4 })
    const { keys } = mostCommon()
    const before = expected(keys).filter(([batch = 0]) => batch < 4)
    const found: number[][] = []
    let after: Place | undefined = { logIndex: 4n, position: 0 }
    for (let held = 4; after !== undefined; held++) {
      const page = await search.page({ keys, ...ALWAYS, limit: 10, after })
      found.push(...page.records.map(({ entry, position }) => [Number(entry.logIndex), position]))
      after = page.next
      await append(held, held + 1)
    }
    expect(found).toEqual(before)
  })

  test('ends a page that has cost enough, and says where to go on', async () => {
    const { search } = await world({ sketchBytes: 0, budget: 16 })
    const page = await search.page({
      keys: new Map([['person', 'none']]),
      ...ALWAYS,
      limit: 5,
      after: NEWEST,
    })
    expect(page).toEqual({ records: [], searched: 2, next: { logIndex: 4n, position: 0 } })
  })

  test('of a place that a reorg has given to another batch finds what is there now', async () => {
    const { search, entries } = await world()
    const keys = keysAt({ batch: 5, position: 3, pick: [0] })
    expect(await all(search, { keys })).toEqual([[5, 3]])
    const [four, five] = batches.slice(4) as [SealedBatch, SealedBatch]
    entries.truncate(4n)
    const place = { blockNumber: 9n, blockHash: hash(8), transactionHash: hash(9), eventIndex: 0 }
    entries.add([
      { logIndex: 4n, header: five.header, ...place },
      { logIndex: 5n, header: four.header, ...place },
    ])
    entries.mark(4n, 'verified')
    entries.mark(5n, 'verified')
    expect(await all(search, { keys })).toEqual([[4, 3]])
  })
})

/** The consumer that most records name. */
function mostCommon() {
  const counts = new Map<string, number>()
  for (const { record } of items.flat()) {
    const name = record.data.consumer
    if (typeof name === 'string') counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const [consumer = ''] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? []
  return { keys: new Map([['consumer', consumer] as const]) }
}
