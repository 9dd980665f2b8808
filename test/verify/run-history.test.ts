import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ALWAYS,
  type JsonHistoryBatch,
  type JsonHistoryRun,
  type JsonRunHistory,
  parseRunHistory,
  toJsonRunHistory,
} from '../../src/proof/index.ts'
import { verifyHistory } from '../../src/verify/index.ts'
import { runs } from '../bytes/runs.ts'
import { factsOf, LEDGER } from './chain.ts'
import { expectCharactersToMatter, expectMembersToMatter } from './changes.ts'
import { type Call, minutes, personOf, type Run, runWorld } from './history-world.ts'

const call = (person: number | null, minute: number): Call => ({ person, minute })

/** Two runs, of four batches and of three, and a batch that no run has. Person 0 is in entries 0, 2, 5 and 8. */
const world = await runWorld([
  [call(0, 5), call(1, 6), call(0, 8)],
  [call(1, 10), call(2, 20)],
  [call(0, 30), call(null, 31)],
  [call(2, 15)],
  { first: 0, count: 4 },
  [call(0, 1_200), call(1, 1_201)],
  [call(3, 40), call(1, 42)],
  { first: 4, count: 3 },
  [call(0, 50)],
])
const chain = factsOf(world.data)
const good = await world.runHistory('person', personOf(0))
const bundle = () => structuredClone(good)
const other = await world.runHistory('person', personOf(1))
const lone = await world.history('person', personOf(0))

const refused = (step: string, code: string) =>
  expect.objectContaining({ name: 'VerificationError', step, code })

function run(history: JsonRunHistory, at: number): JsonHistoryRun {
  const part = history.parts[at]
  if (part === undefined || !('run' in part)) throw new RangeError(`part ${at} is no run`)
  return part
}
function batch(history: JsonRunHistory, at: number, within: number): JsonHistoryBatch {
  const found = run(history, at).batches[within]
  if (found === undefined) throw new RangeError(`run ${at} shows no batch ${within}`)
  return found
}
const data = (history: JsonRunHistory, at: number) => run(history, at).run.record.data

describe('a good history over runs', () => {
  test('shows the records that a history batch by batch shows, however the ledger is cut into runs', async () => {
    const calls = fc.array(fc.record({ person: fc.option(fc.nat(3)), minute: fc.nat(90) }), {
      minLength: 1,
      maxLength: 8,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(calls, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(
          ['person', personOf(0)] as const,
          ['person', personOf(9)] as const,
          ['request', 'r-2'] as const,
          ['resource', 'civil-registry/births'] as const,
        ),
        fc.option(fc.tuple(fc.nat(90), fc.integer({ min: 1, max: 90 }))),
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        fc.nat(),
        fc.nat(),
        async (days, [name, value], minuteRange, wanted, first, count) => {
          const batches: (Call[] | Run)[] = []
          for (const day of days) {
            const start = batches.length
            batches.push(...day)
            batches.push({ first: start, count: day.length })
          }
          const { runHistory, naive, data } = await runWorld(batches)
          const from = first % batches.length
          const to = from + 1 + (count % (batches.length - from))
          const period =
            minuteRange === null
              ? ALWAYS
              : { from: minutes(minuteRange[0]), to: minutes(minuteRange[0] + minuteRange[1]) }
          const used = days.flatMap((_, i) => (wanted[i] === true ? [i] : []))
          const made = await runHistory(name, value, { period, from, to, used })
          const json = JSON.parse(JSON.stringify(made))
          expect(toJsonRunHistory(parseRunHistory(json))).toEqual(made)
          const verified = await verifyHistory(json, factsOf(data), { ledger: LEDGER })
          const records = verified.records.map(({ ledgerIndex, position, record: { id } }) => ({
            ledgerIndex,
            position,
            id,
          }))
          expect(records).toEqual(naive(name, value, period, from, to))
          expect(verified.range).toEqual({ from: BigInt(from), to: BigInt(to) })
          for (const one of verified.runs) expect(one.source).toBe('urn:test:runs')
        },
      ),
      runs(25),
    )
  })

  test('says whose word was taken, for which batches', async () => {
    const verified = await verifyHistory(bundle(), chain)
    expect(verified.records.map(({ ledgerIndex }) => ledgerIndex)).toEqual([0n, 0n, 2n, 5n, 8n])
    expect(verified).toMatchObject({
      searched: 5,
      runs: [
        { source: 'urn:test:runs', id: 'run-0-4', entry: 4n, first: 0n, end: 4n },
        { source: 'urn:test:runs', id: 'run-4-3', entry: 7n, first: 4n, end: 7n },
      ],
    })
    expect((await verifyHistory(lone, chain)).runs).toEqual([])
  })

  test('may end with a run, whose record comes later', async () => {
    const made = await world.runHistory('person', personOf(0), { to: 4 })
    expect(await verifyHistory(made, chain)).toMatchObject({ range: { to: 4n }, records: { length: 3 } })
  })
})

describe('a history over runs is refused', () => {
  test.each<[string, string, string, (history: JsonRunHistory) => void]>([
    ['without its first run', 'batches', 'MISSING_BATCH', (h) => h.parts.shift()],
    ['without a run between', 'batches', 'MISSING_BATCH', (h) => h.parts.splice(1, 1)],
    ['without the batch at its end', 'batches', 'MISSING_BATCH', (h) => h.parts.pop()],
    ['with no part', 'batches', 'MISSING_BATCH', (h) => Object.assign(h, { parts: [] })],
    ['with a run twice', 'batches', 'MISSING_BATCH', (h) => h.parts.splice(1, 0, run(h, 0))],
    [
      'with runs that overlap, the range made longer',
      'batches',
      'MISSING_BATCH',
      (h) => {
        h.parts.splice(1, 0, run(h, 0))
        h.range.to = '13'
      },
    ],
    ['with the runs exchanged', 'batches', 'MISSING_BATCH', (h) => h.parts.reverse()],
    ['without a batch that the run names', 'batches', 'MISSING_BATCH', (h) => run(h, 0).batches.pop()],
    [
      'with a batch that the run does not name',
      'batches',
      'MISSING_BATCH',
      (h) => run(h, 0).batches.push(batch(other, 0, 1)),
    ],
    [
      'with another batch of the run in place of one with the key',
      'log',
      'ROOT_MISMATCH',
      (h) => {
        run(h, 0).batches[0] = batch(h, 0, 1)
      },
    ],
    ['with two batches of a run exchanged', 'log', 'ROOT_MISMATCH', (h) => run(h, 0).batches.reverse()],
    ['without the bucket of a batch', 'batches', 'MISSING_BUCKET', (h) => delete batch(h, 0, 0).lookup],
    ['without the records of a batch', 'batches', 'MISSING_RECORD', (h) => delete batch(h, 0, 0).found],
    ['without one record', 'batches', 'MISSING_RECORD', (h) => batch(h, 0, 0).found?.items.pop()],
    [
      'with the bucket of another run',
      'batches',
      'MALFORMED_PATH',
      (h) => Object.assign(run(h, 0), { lookup: run(h, 1).lookup }),
    ],
    [
      'with a bucket of the run for another key',
      'batches',
      'FOREIGN_RECORD',
      (h) => Object.assign(h.key, { value: personOf(1) }),
    ],
    [
      'with the claim on fewer batches',
      'batches',
      'MISSING_BATCH',
      (h) => Object.assign(data(h, 0), { count: 3 }),
    ],
    [
      'with the root of the run changed',
      'batches',
      'ROOT_MISMATCH',
      (h) => Object.assign(data(h, 0), { indexRoot: data(h, 1).indexRoot }),
    ],
    [
      'with the number of its keys changed',
      'batches',
      'ROOT_MISMATCH',
      (h) => Object.assign(data(h, 0), { entries: 7 }),
    ],
    [
      'with a run of another ledger',
      'batches',
      'WRONG_LEDGER',
      (h) => Object.assign(data(h, 0), { ledger: `0x${'11'.repeat(20)}` }),
    ],
    [
      'with a run of another chain',
      'batches',
      'WRONG_CHAIN',
      (h) => Object.assign(data(h, 0), { chainId: '1' }),
    ],
    ['with a run of no batch', 'batches', 'BATCH_MISMATCH', (h) => Object.assign(data(h, 0), { count: 0 })],
    [
      'with a run of more batches than a run has',
      'batches',
      'BATCH_MISMATCH',
      (h) => {
        Object.assign(data(h, 0), { count: 16_385 })
        run(h, 0).run.entry = '20000'
      },
    ],
    [
      'with a run that reaches beyond its own record',
      'batches',
      'BATCH_MISMATCH',
      (h) => Object.assign(run(h, 0).run, { entry: '3' }),
    ],
    [
      'with the record of a run in another entry',
      'log',
      'ROOT_MISMATCH',
      (h) => Object.assign(run(h, 0).run, { entry: '6' }),
    ],
    [
      'with the record of the other run',
      'batches',
      'MISSING_BATCH',
      (h) => Object.assign(run(h, 0), { run: run(h, 1).run }),
    ],
    [
      'with a record of another type',
      'batches',
      'FOREIGN_RECORD',
      (h) => {
        const record = batch(h, 0, 0).found?.items[0]?.record
        if (record !== undefined) run(h, 0).run.record = record
      },
    ],
    [
      'with the header of another batch over the record of a run',
      'batches',
      'MALFORMED_PATH',
      (h) => Object.assign(run(h, 0).run, { header: batch(h, 0, 1).header }),
    ],
    [
      'with two headers for one entry',
      'batches',
      'MALFORMED_BUNDLE',
      (h) => Object.assign(run(h, 0).run, { entry: '8' }),
    ],
    ['with a path of the headers cut off', 'log', 'MALFORMED_PATH', (h) => Object.assign(h, { path: '' })],
    [
      'with a size of the log that is not it',
      'log',
      'HEADER_MISMATCH',
      (h) => Object.assign(h.range, { size: '8' }),
    ],
    ['with a range path as well', 'read', 'MALFORMED_BUNDLE', (h) => Object.assign(h.range, { path: '' })],
    ['with a member more', 'read', 'MALFORMED_BUNDLE', (h) => Object.assign(run(h, 0), { extra: 1 })],
  ])('%s', async (_, step, code, change) => {
    const changed = bundle()
    change(changed)
    await expect(verifyHistory(changed, chain)).rejects.toThrow(refused(step, code))
  })

  test('with a run whose index puts the key into a batch that lacks it', async () => {
    // Made over entries 2 and 3, and given out as the run of entries 0 and 1.
    const { runHistory, data } = await runWorld([
      ...[[call(0, 1)], [call(1, 2)], [call(1, 3)], [call(0, 4)]],
      { first: 2, count: 2, claim: { firstIndex: '0' } },
    ])
    const made = await runHistory('person', personOf(0), { to: 4 })
    const [, second, lying] = made.parts
    const parts = [{ ...lying, batches: [second] }]
    const bundle = { ...made, parts, range: { ...made.range, to: '2' } }
    await expect(verifyHistory(bundle, factsOf(data))).rejects.toThrow(refused('batches', 'BATCH_MISMATCH'))
  })

  test('with any character of any value changed, one more or one less', () =>
    expectCharactersToMatter(good, (changed) => verifyHistory(changed, chain)))

  test('with any member gone, or of another kind', () =>
    expectMembersToMatter(good, (changed) => verifyHistory(changed, chain)))
})
