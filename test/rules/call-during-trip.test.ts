import { describe, expect, test } from 'vitest'
import { callDuringTrip } from '../../src/rules/call-during-trip.ts'
import { breaker, call, findBy, idsOf, MONDAY_MS } from './seen.ts'

const at = (minutes: number) => MONDAY_MS + 60_000 * minutes

describe('a call during a trip', () => {
  test.each(['urn:resource', 'urn:provider', 'urn:consumer', '*'])(
    'of %s is found until the reset',
    (target) => {
      const trip = breaker(at(10), target, 'trip')
      const bad = call(at(20))
      const records = [call(at(5)), trip, bad, breaker(at(30), target, 'reset'), call(at(31))]
      const found = findBy(callDuringTrip, records)
      expect(idsOf(found)).toEqual([bad.id])
      expect(found).toMatchObject([{ evidence: [{ id: trip.id }], values: { target } }])
    },
  )

  test('is none that was refused, was under way, or has to do with something else', () => {
    const records = [
      breaker(at(10), 'urn:resource', 'trip'),
      call(at(10) + 10_000),
      call(at(20), { outcome: 'refused' }),
      call(at(20), { subject: 'urn:other' }),
    ]
    expect(findBy(callDuringTrip, records)).toEqual([])
  })

  test('is found after a second trip too, and a trip during a trip changes nothing', () => {
    const first = breaker(at(0), '*', 'trip')
    const again = breaker(at(5), '*', 'trip')
    const second = breaker(at(20), '*', 'trip')
    const bad = [call(at(6)), call(at(21))] as const
    const records = [first, again, bad[0], breaker(at(10), '*', 'reset'), call(at(11)), second, bad[1]]
    const found = findBy(callDuringTrip, records)
    expect(idsOf(found)).toEqual(bad.map(({ id }) => id))
    expect(found.map(({ evidence }) => evidence[0]?.id)).toEqual([first.id, second.id])
  })
})
