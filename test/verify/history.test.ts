import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBase64url, toBase64url } from '../../src/bytes/base64url.ts'
import { INDEX_NAMES, indexValue, indexValues } from '../../src/lookup/index.ts'
import { ALWAYS, type JsonHistory, parseHistory, toJsonHistory } from '../../src/proof/index.ts'
import { openRecord } from '../../src/record/index.ts'
import { HISTORY_STEPS, verifyHistory } from '../../src/verify/index.ts'
import { runs } from '../bytes/runs.ts'
import { factsOf, LEDGER } from './chain.ts'
import { expectCharactersToMatter, expectMembersToMatter } from './changes.ts'
import { type Call, historyWorld, minutes, personOf } from './history-world.ts'

const call = (person: number | null, minute: number): Call => ({ person, minute })

/** Six batches: person 0 in three of them, in one of them more often than a bucket shows, and one of the evening. */
const world = historyWorld([
  [call(0, 5), call(1, 6), call(null, 7), call(0, 30)],
  [call(1, 10), call(2, 20)],
  Array.from({ length: 40 }, (_, i) => call(i % 2 === 0 ? 0 : 1, 12 + i)),
  [call(2, 15)],
  [call(0, 1_200), call(3, 1_201)],
  [call(null, 40), call(2, 41), call(1, 42)],
])
const chain = factsOf(world.data)
/** Of the first hour: the evening's batch needs no bucket. */
const HOUR = { from: minutes(0), to: minutes(60) }
const good = await world.history('person', personOf(0), { period: HOUR })
const bundle = () => structuredClone(good)
/** Of somebody else, and of all times. */
const other = await world.history('person', personOf(1), { period: HOUR })
const evening = await world.history('person', personOf(0))

const refused = (step: string, code: string) =>
  expect.objectContaining({ name: 'VerificationError', step, code })

/** The batch of a bundle that a test changes. */
function batch(history: JsonHistory, at: number) {
  const found = history.batches[at]
  if (found === undefined) throw new RangeError(`no batch ${at}`)
  return found
}
const foundIn = (history: JsonHistory, at: number) => {
  const { found } = batch(history, at)
  if (found === undefined) throw new RangeError(`nothing found in batch ${at}`)
  return found
}

describe('a good history', () => {
  test('shows the records of its key and period, and no others, in any ledger', async () => {
    const calls = fc.array(
      fc.record({
        person: fc.option(fc.nat(3), { freq: 4 }),
        minute: fc.nat(90),
      }),
      { minLength: 1, maxLength: 25 },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(calls, { minLength: 1, maxLength: 9 }),
        fc.constantFrom(
          ['person', personOf(0)] as const,
          ['person', personOf(9)] as const,
          ['request', 'r-2'] as const,
          ['record', 'urn:test:0\u00000-0'] as const,
          ['resource', 'civil-registry/births'] as const,
        ),
        fc.option(fc.tuple(fc.nat(90), fc.integer({ min: 1, max: 90 }))),
        fc.nat(),
        fc.nat(),
        async (batches, [name, value], minuteRange, first, count) => {
          const { history, naive, data } = historyWorld(batches)
          const from = first % batches.length
          const to = from + 1 + (count % (batches.length - from))
          const period =
            minuteRange === null
              ? ALWAYS
              : { from: minutes(minuteRange[0]), to: minutes(minuteRange[0] + minuteRange[1]) }
          const made = await history(name, value, { period, from, to })
          const json = JSON.parse(JSON.stringify(made))
          expect(toJsonHistory(parseHistory(json))).toEqual(made)
          const verified = await verifyHistory(json, factsOf(data), { ledger: LEDGER })
          const records = verified.records.map(({ ledgerIndex, position, record: { id } }) => ({
            ledgerIndex,
            position,
            id,
          }))
          expect(records).toEqual(naive(name, value, period, from, to))
          expect(verified).toMatchObject({
            key: { name, value },
            period,
            range: { from: BigInt(from), to: BigInt(to) },
          })
        },
      ),
      runs(25),
    )
  })

  test('says how many batches it looked into, and which records are of another time', async () => {
    const verified = await verifyHistory(bundle(), chain)
    expect(verified).toMatchObject({ searched: 5, otherTimes: 0, range: { from: 0n, to: 6n } })
    expect(verified.records).toHaveLength(22)
    const short = await world.history('person', personOf(0), {
      period: { from: minutes(6), to: minutes(31) },
    })
    const { records, otherTimes } = await verifyHistory(short, chain)
    expect([records.length, otherTimes]).toEqual([1 + 10, 1 + 10])
  })

  test('opens the person that it is of, and nothing when it is of something else', async () => {
    const { records } = await verifyHistory(bundle(), chain)
    expect(new Set(records.map(({ record }) => record.data.person))).toEqual(new Set([personOf(0)]))
    const ofRequest = await verifyHistory(await world.history('request', 'r-0'), chain)
    expect(ofRequest.records.map(({ record }) => 'person' in record.data)).toEqual(Array(6).fill(false))
  })

  test('of nothing is as good as one of something', async () => {
    const { records, searched } = await verifyHistory(await world.history('person', personOf(7)), chain)
    expect([records, searched]).toEqual([[], 6])
  })

  test('reads from a record what the index reads', () => {
    for (const { record, disclosures } of world.items.flat()) {
      const values = indexValues(record, disclosures)
      const opened = openRecord(record, disclosures)
      for (const name of INDEX_NAMES) expect(indexValue(opened, name)).toBe(values.get(name))
    }
  })
})

test('the steps have their names and order', () => {
  expect(HISTORY_STEPS).toEqual(['read', 'batches', 'anchor', 'log'])
})

describe('a history is refused', () => {
  test.each<[string, string, string, (history: JsonHistory) => void]>([
    ['without the first batch', 'batches', 'MISSING_BATCH', (h) => h.batches.shift()],
    ['without a batch between', 'batches', 'MISSING_BATCH', (h) => h.batches.splice(3, 1)],
    ['without the last batch', 'batches', 'MISSING_BATCH', (h) => h.batches.pop()],
    ['with a batch twice', 'batches', 'MISSING_BATCH', (h) => h.batches.push(batch(h, 5))],
    [
      'of no batch',
      'batches',
      'MISSING_BATCH',
      (h) => Object.assign(h, { batches: [], range: { ...h.range, to: '0' } }),
    ],
    [
      'with its end before its beginning',
      'batches',
      'MISSING_BATCH',
      (h) => Object.assign(h.range, { from: '6', to: '0' }),
    ],
    [
      'with two batches exchanged',
      'log',
      'ROOT_MISMATCH',
      (h) => h.batches.splice(1, 3, batch(h, 3), batch(h, 2), batch(h, 1)),
    ],
    [
      'with a batch replaced by another of its own ledger',
      'log',
      'ROOT_MISMATCH',
      (h) => h.batches.splice(3, 1, batch(h, 1)),
    ],
    [
      'with a range cut at its beginning, the path left as it is',
      'log',
      'MALFORMED_PATH',
      (h) => {
        h.batches.shift()
        h.range.from = '1'
      },
    ],
    [
      'with a range cut at its end',
      'anchor',
      'HEADER_MISMATCH',
      (h) => {
        h.batches.pop()
        h.range.to = '5'
      },
    ],
    [
      'with a range moved',
      'anchor',
      'HEADER_MISMATCH',
      (h) => Object.assign(h.range, { from: '1', to: '7' }),
    ],
    ['with another size of the log', 'log', 'HEADER_MISMATCH', (h) => Object.assign(h.range, { size: '7' })],
    ['without a bucket', 'batches', 'MISSING_BUCKET', (h) => delete batch(h, 1).lookup],
    [
      'without a bucket where it found nothing',
      'batches',
      'MISSING_BUCKET',
      (h) => delete batch(h, 3).lookup,
    ],
    [
      'with the bucket of another batch',
      'batches',
      'ROOT_MISMATCH',
      (h) => Object.assign(batch(h, 1), { lookup: batch(h, 3).lookup }),
    ],
    [
      'with the bucket of another key',
      'batches',
      'MALFORMED_INDEX',
      (h) => Object.assign(batch(h, 2), { lookup: batch(other, 2).lookup }),
    ],
    ['without the records of a batch', 'batches', 'MISSING_RECORD', (h) => delete batch(h, 0).found],
    ['without one record', 'batches', 'MISSING_RECORD', (h) => foundIn(h, 0).items.pop()],
    ['without one record of many', 'batches', 'MISSING_RECORD', (h) => foundIn(h, 2).items.splice(7, 1)],
    [
      'with a record of somebody else more',
      'batches',
      'FOREIGN_RECORD',
      (h) => foundIn(h, 0).items.push(...foundIn(other, 0).items),
    ],
    [
      'with records where there are none',
      'batches',
      'FOREIGN_RECORD',
      (h) => Object.assign(batch(h, 1), { found: foundIn(other, 1) }),
    ],
    [
      'with an empty list of records',
      'batches',
      'MALFORMED_BUNDLE',
      (h) => Object.assign(batch(h, 1), { found: { items: [], path: '' } }),
    ],
    [
      'with a record of somebody else instead',
      'batches',
      'ROOT_MISMATCH',
      (h) => foundIn(h, 0).items.splice(0, 1, ...foundIn(other, 0).items),
    ],
    ['with two records exchanged', 'batches', 'ROOT_MISMATCH', (h) => foundIn(h, 0).items.reverse()],
    [
      'with a record changed',
      'batches',
      'ROOT_MISMATCH',
      (h) => Object.assign(foundIn(h, 0).items[0]?.record.data ?? {}, { outcome: 'failed' }),
    ],
    [
      'with a person kept closed',
      'batches',
      'FOREIGN_RECORD',
      (h) => Object.assign(foundIn(h, 0).items[0] ?? {}, { disclosures: [] }),
    ],
    [
      'with the disclosure of another record',
      'batches',
      'BAD_DISCLOSURE',
      (h) =>
        Object.assign(foundIn(h, 0).items[0] ?? {}, { disclosures: foundIn(h, 0).items[1]?.disclosures }),
    ],
    [
      'under another person',
      'batches',
      'FOREIGN_RECORD',
      (h) => Object.assign(h.key, { value: personOf(1) }),
    ],
    [
      'with a period made longer',
      'batches',
      'MISSING_BUCKET',
      (h) => Object.assign(h.period, { to: String(minutes(1_300)) }),
    ],
    [
      'with a period made shorter',
      'batches',
      'MALFORMED_BUNDLE',
      (h) => Object.assign(h.period, { to: String(minutes(10)) }),
    ],
    [
      'with a bucket where the time needs none',
      'batches',
      'MALFORMED_BUNDLE',
      (h) => Object.assign(batch(h, 4), batch(evening, 4)),
    ],
    [
      'with a period that ends before it begins',
      'read',
      'MALFORMED_BUNDLE',
      (h) => Object.assign(h.period, { to: h.period.from }),
    ],
    ['with an unknown name', 'read', 'MALFORMED_BUNDLE', (h) => Object.assign(h.key, { name: 'agent' })],
    [
      'with half of a surrogate pair',
      'read',
      'MALFORMED_BUNDLE',
      (h) => Object.assign(h.key, { value: '\ud800' }),
    ],
    ['with a member more', 'read', 'MALFORMED_BUNDLE', (h) => Object.assign(h, { extra: 1 })],
    [
      'with a header of a byte less',
      'read',
      'MALFORMED_HEADER',
      (h) => Object.assign(batch(h, 0), { header: toBase64url(fromBase64url(batch(h, 0).header).slice(1)) }),
    ],
    [
      'with a path of half a hash',
      'read',
      'MALFORMED_BUNDLE',
      (h) => Object.assign(h.range, { path: 'AAAA' }),
    ],
    ['with positions left out', 'batches', 'MALFORMED_INDEX', (h) => delete batch(h, 2).lookup?.positions],
    [
      'of another ledger',
      'anchor',
      'NOT_ANCHORED',
      (h) => Object.assign(h.anchor, { ledger: `0x${'11'.repeat(20)}` }),
    ],
  ])('%s', async (_, step, code, change) => {
    const changed = bundle()
    change(changed)
    await expect(verifyHistory(changed, chain)).rejects.toThrow(refused(step, code))
  })

  test('with headers that say the batch is of another time', async () => {
    const changed = bundle()
    const packed = fromBase64url(batch(changed, 0).header)
    // The last 16 bytes are its first and last time.
    packed.set(fromBase64url(batch(changed, 4).header).subarray(-16), packed.length - 16)
    changed.batches[0] = { header: toBase64url(packed) }
    await expect(verifyHistory(changed, chain)).rejects.toThrow(refused('log', 'ROOT_MISMATCH'))
  })

  test('for a ledger that the verifier does not trust', async () => {
    const trust = { ledger: `0x${'11'.repeat(20)}` } as const
    await expect(verifyHistory(bundle(), chain, trust)).rejects.toThrow(refused('anchor', 'WRONG_LEDGER'))
  })

  test('with any character of any value changed, one more or one less', () =>
    expectCharactersToMatter(good, (changed) => verifyHistory(changed, chain)))

  test('with any member gone, or of another kind', () =>
    expectMembersToMatter(good, (changed) => verifyHistory(changed, chain)))

  test.each([null, 7, {}, { format: 'tidemark-proof/1' }])('as none at all when it is %j', async (value) => {
    await expect(verifyHistory(value, chain)).rejects.toThrow(
      expect.objectContaining({ name: 'InputError', code: 'BAD_BUNDLE' }),
    )
  })
})

describe('nothing is known', () => {
  test('while the block of its last batch is not final', async () => {
    const early = factsOf({ ...world.data, finalBlock: '1' })
    await expect(verifyHistory(bundle(), early)).rejects.toThrow(
      expect.objectContaining({ name: 'OperationError', code: 'NOT_FINAL' }),
    )
  })

  test('where the node does not know the ledger of that size', async () => {
    const behind = factsOf({ ...world.data, ledgerRoots: [] })
    await expect(verifyHistory(bundle(), behind)).rejects.toThrow(
      expect.objectContaining({ name: 'OperationError', code: 'RPC_LAGS' }),
    )
  })
})
