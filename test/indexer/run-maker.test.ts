import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { cutRun } from '../../src/indexer/run-cut.ts'
import { RunMaker, type RunRecord, runSource } from '../../src/indexer/run-maker.ts'
import { MOST_RUN_BATCHES } from '../../src/lookup/index.ts'
import { openDatabase } from '../../src/store/database.ts'
import { LedgerEntries } from '../../src/store/ledger-entries.ts'
import { Runs } from '../../src/store/runs.ts'
import { runs as fastCheckRuns } from '../bytes/runs.ts'
import { headerOf, PUBLISHER } from '../store/headers.ts'
import { factsOf, LEDGER, mine } from '../verify/chain.ts'

const HOUR = 3_600
const SOURCE = runSource(PUBLISHER)

/** A catalogue of a ledger, one entry a block, whose blocks have these times in seconds; all is verified and final. */
function ledgerOf(times: readonly number[]) {
  const headers = times.map((_, i) => headerOf(i))
  const { data, places } = mine(headers.map((header) => [[header]]))
  for (const [i, time] of times.entries()) {
    const block = data.blocks[i + 1]
    if (block !== undefined) block.timestamp = String(time)
  }
  const database = openDatabase(':memory:')
  onTestFinished(() => database.close())
  const entries = new LedgerEntries(database)
  entries.add(headers.map((header, i) => ({ ...placeOf(places[i]), logIndex: BigInt(i), header })))
  return { database, entries, chain: factsOf(data) }
}

function placeOf(place: ReturnType<typeof mine>['places'][number] | undefined) {
  if (place === undefined) throw new RangeError('no such header')
  const { blockNumber, blockHash, transactionHash, logIndex } = place
  return { blockNumber, blockHash, transactionHash, eventIndex: logIndex }
}

const ascending = (gaps: readonly number[]) => {
  let time = 1_790_000_000
  return gaps.map((gap) => {
    time += gap
    return time
  })
}

test('runs hold what each closed period has, in any ledger', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.nat(600), fc.nat(3 * HOUR)), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 3 }),
      async (gaps, periodHours) => {
        const times = ascending(gaps)
        const { entries, chain } = ledgerOf(times)
        const periods = times.map((time) => Math.floor(time / (HOUR * periodHours)))
        for (let first = 0; first < times.length; ) {
          const cut = await cutRun({ entries, chain, periodHours }, BigInt(first), BigInt(times.length))
          const same = periods.filter((period) => period === periods[first]).length
          if (periods[first] === periods.at(-1)) {
            expect(cut).toBeUndefined()
            return
          }
          expect(cut).toEqual({ first: BigInt(first), count: Math.min(same, MOST_RUN_BATCHES) })
          first += same
        }
      },
    ),
    fastCheckRuns(50),
  )
})

/** A maker over a ledger, whose records come back only when the test says so. */
function makerOf(times: readonly number[]) {
  const { database, entries, chain } = ledgerOf(times)
  for (let i = 0; i < times.length; i++) entries.mark(BigInt(i), 'verified')
  const runs = new Runs(database)
  const submitted: RunRecord[] = []
  const skipped: string[] = []
  const make = () =>
    new RunMaker({
      runs,
      entries,
      chain,
      identity: { chainId: 31337n, ledger: LEDGER, deploymentBlock: 0n },
      publisher: PUBLISHER,
      periodHours: 1,
      finalBlock: () => BigInt(times.length),
      merge: async ({ count }) => ({ count, indexRoot: new Uint8Array(32), indexSize: 1, entries: 1 }),
      nextSequence: () => BigInt(submitted.length),
      submit: async (record, sequence) => {
        expect(sequence).toBe(BigInt(submitted.length))
        submitted.push(record)
      },
      now: () => 1_790_000_000_000,
      onSkipped: (message) => skipped.push(message),
    })
  /** The record of the last run stands in the last batch of the ledger. */
  const comeBack = () => {
    const { id, data } = submitted.at(-1) as RunRecord
    const { firstIndex, count, indexSize } = data
    const summary = { count, indexRoot: new Uint8Array(32), indexSize, entries: 1 }
    const place = { logIndex: BigInt(times.length - 1), position: submitted.length }
    runs.add({ ...place, source: SOURCE, id, first: BigInt(firstIndex), ...summary })
  }
  return { entries, submitted, skipped, make, comeBack }
}

const AT = HOUR * 500_000

test('a run is said once, whatever is restarted before its record has come back', async () => {
  const { submitted, make, comeBack } = makerOf([AT, AT + 1, AT + 2, AT + HOUR, AT + HOUR + 1, AT + 2 * HOUR])
  const first = make()
  expect(await first.step()).toBe(true)
  expect(await first.step()).toBe(false)
  expect(await make().step()).toBe(false)
  comeBack()
  const second = make()
  expect(await second.step()).toBe(true)
  expect(await second.step()).toBe(false)
  comeBack()
  expect(await make().step()).toBe(false)
  expect(submitted.map(({ id, source }) => [id, source])).toEqual([
    ['run-0-3', SOURCE],
    ['run-3-2', SOURCE],
  ])
})

test('a period with fraud gets no run and says so, one of a single entry none, and one that waits is waited for', async () => {
  const { entries, submitted, skipped, make } = makerOf([
    ...[AT, AT + 1],
    AT + HOUR,
    ...[AT + 2 * HOUR, AT + 2 * HOUR + 1],
    AT + 3 * HOUR,
  ])
  entries.mark(1n, 'fraud', 'bent')
  entries.mark(4n, 'announced')
  const maker = make()
  expect([await maker.step(), await maker.step(), await maker.step()]).toEqual([true, true, false])
  expect(skipped).toEqual(['no run is made of ledger entries 0 up to 2: entry 1 is fraud'])
  expect(maker.skipped).toBe(1)
  entries.mark(4n, 'verified')
  expect(await maker.step()).toBe(true)
  expect(submitted.map(({ id }) => id)).toEqual(['run-3-2'])
})
