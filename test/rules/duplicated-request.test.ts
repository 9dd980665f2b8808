import { describe, expect, test } from 'vitest'
import { duplicatedRequest } from '../../src/rules/duplicated-request.ts'
import { call, findBy, HOUR_MS, idsOf, MONDAY_MS } from './seen.ts'

const told = (hours: number, change = {}) => call(MONDAY_MS + hours * HOUR_MS, { requestId: 'q', ...change })

describe('a duplicated request', () => {
  test('is found with the one that it repeats', () => {
    const [first, again] = [told(0), told(5)]
    const found = findBy(duplicatedRequest, [first, again])
    expect(idsOf(found)).toEqual([again.id])
    expect(found).toMatchObject([{ evidence: [{ id: first.id }], values: { afterMs: 5 * HOUR_MS } }])
  })

  test('is none when the other side tells it, when it is a new try, or when it is of others', () => {
    expect(findBy(duplicatedRequest, [told(0), told(0, { side: 'provider' })])).toEqual([])
    expect(findBy(duplicatedRequest, [told(0, { outcome: 'failed' }), told(1)])).toEqual([])
    const others = { side: 'provider', consumer: 'urn:other' }
    expect(findBy(duplicatedRequest, [told(0, { side: 'provider' }), told(1, others)])).toEqual([])
  })

  test.each([
    [24, 1],
    [25, 0],
  ])('%i hours later is found %i times, wherever its window began', (hours, count) => {
    for (const before of [0, 3, 20, 30]) {
      const records = [call(MONDAY_MS), told(before), told(before + hours)]
      expect(findBy(duplicatedRequest, records)).toHaveLength(count)
    }
  })
})
