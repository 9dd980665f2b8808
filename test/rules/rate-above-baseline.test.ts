import { describe, expect, test } from 'vitest'
import { rateAboveBaseline } from '../../src/rules/rate-above-baseline.ts'
import type { Seen } from '../../src/rules/rule.ts'
import { call, DAY_MS, findBy, HOUR_MS, idsOf, MINUTE_MS, MONDAY_MS } from './seen.ts'

/** So many calls within ten minutes, told by the provider. */
const calls = (day: number, count: number, change = {}): Seen[] =>
  Array.from({ length: count }, (_, i) => {
    const timeMs = MONDAY_MS + day * DAY_MS + 10 * HOUR_MS + Math.floor((10 * MINUTE_MS * i) / count)
    return call(timeMs, { side: 'provider', ...change })
  })

const days = (count: number, callsADay: number) =>
  Array.from({ length: count }, (_, day) => calls(day, callsADay)).flat()

describe('a rate above the baseline', () => {
  test('is one finding with all calls of the burst, and no other', () => {
    const burst = calls(10, 100)
    const found = findBy(rateAboveBaseline, [...days(10, 5), ...burst, ...calls(11, 5)])
    expect(found).toHaveLength(1)
    expect(idsOf(found)).toEqual(burst.map(({ id }) => id))
    expect(found[0]?.values).toMatchObject({ consumer: 'urn:consumer', peak: 100, limit: 30 })
  })

  test('is measured by the usual peak of the same consumer and resource', () => {
    const busy = [...days(10, 40), ...calls(10, 120)]
    expect(findBy(rateAboveBaseline, busy)).toEqual([])
    expect(findBy(rateAboveBaseline, [...days(10, 40), ...calls(10, 121)])).toHaveLength(1)
    const elsewhere = [...days(10, 40), ...calls(10, 31, { subject: 'urn:other' })]
    expect(findBy(rateAboveBaseline, elsewhere)).toHaveLength(1)
  })

  test('is found in the first days too, by what turns out to be usual in them', () => {
    expect(findBy(rateAboveBaseline, days(8, 100))).toEqual([])
    const burst = calls(3, 100)
    const records = [...days(3, 5), ...burst, ...calls(4, 5), ...calls(8, 5)]
    expect(idsOf(findBy(rateAboveBaseline, records))).toEqual(burst.map(({ id }) => id))
  })

  test('changes nothing of what is usual: a second burst is found like the first', () => {
    const records = [...days(10, 5), ...calls(10, 100), ...calls(11, 100)]
    expect(findBy(rateAboveBaseline, records)).toHaveLength(2)
  })

  test('counts neither what consumers tell nor calls that are spread over the day', () => {
    const spread = Array.from({ length: 200 }, (_, i) =>
      call(MONDAY_MS + i * MINUTE_MS, { side: 'provider' }),
    )
    expect(findBy(rateAboveBaseline, [...spread, ...calls(1, 100, { side: 'consumer' })])).toEqual([])
  })
})
