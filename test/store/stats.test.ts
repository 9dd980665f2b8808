import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { LedgerEntries } from '../../src/store/ledger-entries.ts'
import { type BatchAggregate, FACETS, partsOf } from '../../src/store/stats.ts'
import { runs } from '../bytes/runs.ts'
import { headerOf } from './headers.ts'
import { temporaryFolder } from './temporary.ts'

const OLD = join(import.meta.dirname, 'catalogue-v1.sqlite')

async function open(path?: string): Promise<{ database: Database; entries: LedgerEntries }> {
  const database = openDatabase(path ?? join(await temporaryFolder(), 'catalogue.sqlite'))
  onTestFinished(() => database.close())
  return { database, entries: new LedgerEntries(database) }
}

const hash = (i: number): Hex => `0x${i.toString(16).padStart(64, '0')}`

function announce(entries: LedgerEntries, logIndex: number): void {
  const place = { blockNumber: 1n, blockHash: hash(1), transactionHash: hash(2), eventIndex: 0 }
  entries.add([{ logIndex: BigInt(logIndex), header: headerOf(logIndex), ...place }])
}

/** As the indexer does it, though a crash or a reorg may come between. */
function verify(entries: LedgerEntries, logIndex: bigint, aggregate: BatchAggregate): void {
  begin(entries, logIndex, aggregate)
  entries.mark(logIndex, 'verified')
  entries.stats.dequeue(logIndex)
}

/** Counts the first of its parts. */
function begin(entries: LedgerEntries, logIndex: bigint, aggregate: BatchAggregate, parts?: number): void {
  for (const [part, document] of partsOf(aggregate, 2).slice(0, parts).entries()) {
    entries.count(logIndex, part, document)
  }
}

const count = fc.oneof(fc.nat(5), fc.nat({ max: 2 ** 40 }))
const aggregates: fc.Arbitrary<BatchAggregate> = fc.record({
  volumes: fc.uniqueArray(
    fc.record({
      facet: fc.constantFrom(...FACETS),
      key: fc.constantFrom('a', 'b', '\0', '\u{1f600}'),
      hour: fc.nat(3),
      calls: fc.integer({ min: 1, max: 9 }),
      refused: fc.nat(3),
      failed: fc.nat(3),
      rows: count,
      requestBytes: count,
      responseBytes: count,
    }),
    { maxLength: 6, selector: ({ facet, key, hour }) => `${facet} ${key} ${hour}` },
  ),
  grants: fc.uniqueArray(
    fc.record(
      { id: fc.nat(3).map(hash), authorizedAt: fc.nat(20), firstCallAt: fc.nat(20) },
      { requiredKeys: ['id'] },
    ),
    { maxLength: 4, selector: ({ id }) => id },
  ),
})

/** All that can be asked. */
const answers = ({ stats }: LedgerEntries) => ({
  series: FACETS.map((facet) => stats.series({ facet, fromHour: 0, toHour: 99, stepHours: 1, limit: 999 })),
  resources: [stats.resources(0, 99), stats.resources(1, 2)],
  delays: [stats.grantDelays(0, 999, 99), stats.grantDelays(5, 15, 99)],
})

const LEDGER = 6
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ verify: fc.nat(LEDGER - 1) }) },
  {
    weight: 1,
    arbitrary: fc.record({ reorg: fc.nat(LEDGER), fresh: fc.array(aggregates, { maxLength: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ begin: fc.nat(LEDGER - 1), parts: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ blame: fc.nat(LEDGER - 1) }) },
  { weight: 1, arbitrary: fc.constant({ recount: true }) },
)

describe('counts by hour', () => {
  test('are after any history what the verified batches give that are left', async () => {
    const path = await temporaryFolder()
    let world = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(aggregates, { minLength: LEDGER, maxLength: LEDGER }),
        fc.array(step, { maxLength: 12 }),
        async (first, steps) => {
          const { entries } = await open(join(path, `kept-${world}.sqlite`))
          const chain = [...first]
          for (let i = 0; i < chain.length; i++) announce(entries, i)
          const count = (i: number) => {
            const what = chain[i]
            if (what !== undefined) verify(entries, BigInt(i), what)
          }
          const begun = new Set<number>()
          for (const one of steps) {
            if ('verify' in one) count(one.verify)
            else if ('begin' in one) {
              const what = chain[one.begin]
              if (what !== undefined) begin(entries, BigInt(one.begin), what, one.parts)
              begun.add(one.begin)
            } else if ('blame' in one) entries.mark(BigInt(one.blame), 'fraud', 'says so')
            else if ('recount' in one) entries.recount()
            else {
              const kept = Math.min(one.reorg, chain.length)
              entries.truncate(BigInt(kept))
              chain.splice(kept, chain.length, ...one.fresh)
              for (let i = kept; i < chain.length; i++) announce(entries, i)
            }
          }
          // As the checker does it.
          for (const { logIndex } of entries.uncounted(99)) count(Number(logIndex))
          for (const i of begun) count(i)
          const { entries: rebuilt } = await open(join(path, `rebuilt-${world++}.sqlite`))
          for (const { logIndex } of entries.inState('verified', 99)) {
            announce(rebuilt, Number(logIndex))
            verify(rebuilt, logIndex, chain[Number(logIndex)] as BatchAggregate)
          }
          expect(answers(entries)).toEqual(answers(rebuilt))
          expect(entries.uncounted(99)).toEqual([])
        },
      ),
      runs(25),
    )
  })

  const one = (change: Partial<BatchAggregate['volumes'][number]> = {}): BatchAggregate => ({
    volumes: [
      {
        facet: 'resource',
        key: 'births',
        hour: 10,
        calls: 3,
        refused: 1,
        failed: 1,
        rows: 5,
        requestBytes: 6,
        responseBytes: 7,
        ...change,
      },
    ],
    grants: [{ id: hash(1), authorizedAt: 100, firstCallAt: 160 }],
  })

  test.each([
    [
      'counting',
      'BEFORE INSERT ON counted',
      (entries: LedgerEntries) => verify(entries, 1n, one()),
      'announced',
    ],
    ['undoing', 'BEFORE DELETE ON entries', (entries: LedgerEntries) => entries.truncate(0n), 'announced'],
  ])('and states change together: %s that dies halfway has done nothing', async (_, when, work, state) => {
    const { database, entries } = await open()
    announce(entries, 0)
    announce(entries, 1)
    verify(entries, 0n, one())
    const before = answers(entries)
    database.exec(`CREATE TRIGGER dies ${when} BEGIN SELECT RAISE(ABORT, 'halfway'); END`)
    expect(() => work(entries)).toThrow('halfway')
    expect(answers(entries)).toEqual(before)
    expect([entries.get(0n)?.state, entries.get(1n)?.state]).toEqual(['verified', state])
    database.exec('DROP TRIGGER dies')
    work(entries)
    expect(answers(entries)).not.toEqual(before)
  })

  test('are not counted twice when a batch is verified twice', async () => {
    const { entries } = await open()
    announce(entries, 0)
    verify(entries, 0n, one())
    const once = answers(entries)
    verify(entries, 0n, one())
    expect(answers(entries)).toEqual(once)
  })

  test('of a batch that is long go on after a crash with the parts that lack', async () => {
    const { entries } = await open()
    const { volumes } = one()
    const long: BatchAggregate = {
      volumes: Array.from({ length: 400 }, (_, hour) => ({
        ...volumes[0],
        hour,
      })) as BatchAggregate['volumes'],
      grants: [],
    }
    const parts = partsOf(long)
    expect(parts.length).toBeGreaterThan(2)
    announce(entries, 0)
    parts.slice(0, 2).forEach((document, part) => {
      entries.count(0n, part, document)
    })
    expect(entries.get(0n)?.state).toBe('announced')
    parts.forEach((document, part) => {
      entries.count(0n, part, document)
    })
    const series = entries.stats.series({
      facet: 'resource',
      fromHour: 0,
      toHour: 999,
      stepHours: 1,
      limit: 999,
    })
    expect(series.map(({ calls }) => calls)).toEqual(Array(400).fill(3))
    entries.mark(0n, 'withheld', 'after all')
    expect(answers(entries).series.flat()).toEqual([])
  })

  test('add up by day, for one key or all, within the hours asked for', async () => {
    const { entries } = await open()
    const hours = [23, 24, 25, 47, 48]
    hours.forEach((hour, i) => {
      announce(entries, i)
      verify(entries, BigInt(i), one({ hour, ...(hour === 25 && { key: 'deaths' }) }))
    })
    const series = (key?: string) =>
      entries.stats
        .series({ facet: 'resource', key, fromHour: 24, toHour: 48, stepHours: 24, limit: 9 })
        .map(({ key, start, calls, rows }) => [key, start / 3_600_000, calls, rows])
    expect(series()).toEqual([
      ['births', 24, 6, 10],
      ['deaths', 24, 3, 5],
    ])
    expect(series('deaths')).toEqual([['deaths', 24, 3, 5]])
    expect(entries.stats.hoursOf({ facet: 'resource', fromHour: 24, toHour: 48 }, 9)).toBe(3)
    expect(entries.stats.resources(25, 26)).toEqual({ shared: 2, used: 1 })
  })

  test('of sources that lie about their size stop at a limit, and break nothing', async () => {
    const { entries } = await open()
    for (let i = 0; i < 4; i++) {
      announce(entries, i)
      verify(entries, BigInt(i), one({ rows: 2 ** 62 }))
    }
    const [point] = entries.stats.series({
      facet: 'resource',
      fromHour: 0,
      toHour: 99,
      stepHours: 1,
      limit: 9,
    })
    expect(point).toMatchObject({ calls: 12, rows: 2 ** 62 })
    entries.truncate(0n)
    expect(answers(entries).series.flat()).toEqual([])
  })

  test('of a call before its grant are no time to the first call, and one without a call has none', async () => {
    const { entries } = await open()
    announce(entries, 0)
    const grants = [
      { id: hash(1), authorizedAt: 100, firstCallAt: 160 },
      { id: hash(2), authorizedAt: 100, firstCallAt: 90 },
      { id: hash(3), authorizedAt: 100 },
      { id: hash(4), firstCallAt: 100 },
    ]
    verify(entries, 0n, { volumes: [], grants })
    expect(new Set(entries.stats.grantDelays(0, 200, 9))).toEqual(new Set([60, -10, undefined]))
  })
})

test('the verified batches of an older catalogue wait to be counted', async () => {
  const path = join(await temporaryFolder(), 'catalogue.sqlite')
  await copyFile(OLD, path)
  const old = new DatabaseSync(path)
  old.exec("UPDATE entries SET state = 'verified'")
  old.close()
  const { entries } = await open(path)
  expect(entries.uncounted(99)).toEqual(entries.inState('verified', 99))
  expect(entries.uncounted(99)).not.toEqual([])
})
