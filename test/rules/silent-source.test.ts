import { describe, expect, test } from 'vitest'
import { silentSource } from '../../src/rules/silent-source.ts'
import { call, findBy, HOUR_MS, heartbeat, idsOf, MONDAY_MS } from './seen.ts'

const at = (hours: number) => MONDAY_MS + hours * HOUR_MS
const submission = (sequence: bigint, source = 'urn:consumer') => ({
  source,
  sequence,
  first: `first-${sequence}`,
})

describe('a silent source', () => {
  test('is found by its last record before the silence, and shown by the first after it', () => {
    const [last, next] = [heartbeat(at(1)), call(at(5))]
    const found = findBy(silentSource, [heartbeat(at(0)), last, next])
    expect(idsOf(found)).toEqual([last.id])
    expect(found).toMatchObject([{ evidence: [{ id: next.id }], values: { silentMs: 4 * HOUR_MS } }])
  })

  test('is found when it never comes back, while others go on', () => {
    const last = heartbeat(at(0))
    const found = findBy(silentSource, [last, call(at(9), { consumer: 'urn:other' })])
    expect(idsOf(found)).toEqual([last.id])
    expect(found[0]?.evidence).toEqual([])
  })

  test('is none that has never sent a heartbeat, or says something often enough', () => {
    expect(findBy(silentSource, [call(at(0)), call(at(9))])).toEqual([])
    expect(
      findBy(
        silentSource,
        [0, 3, 5, 8].map((hours) => heartbeat(at(hours))),
      ),
    ).toEqual([])
  })

  test('is found by the first record after missing numbers, each source by itself', () => {
    const numbers = [
      submission(4n),
      submission(5n),
      submission(5n),
      submission(8n),
      submission(2n, 'urn:other'),
    ]
    const found = findBy(silentSource, [], {}, numbers)
    expect(found).toMatchObject([
      {
        records: [{ source: 'urn:consumer', id: 'first-8' }],
        values: { firstMissing: '6', lastMissing: '7' },
      },
    ])
  })
})
