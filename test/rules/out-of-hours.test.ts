import { describe, expect, test } from 'vitest'
import { sealRecord } from '../../src/record/index.ts'
import { outOfHours } from '../../src/rules/out-of-hours.ts'
import { seenOf } from '../../src/rules/seen.ts'
import { DEFAULT_SETTINGS } from '../../src/rules/settings.ts'
import { call, DAY_MS, findBy, HOUR_MS, idsOf, MONDAY_MS } from './seen.ts'

/** By somebody, at an hour of a day after a first Monday. */
const byPerson = (day: number, hour: number, change = {}) =>
  call(MONDAY_MS + day * DAY_MS + hour * HOUR_MS, { agent: 'someone', ...change })

/** Three weeks in which people work as they should. */
const usual = (days: number) =>
  Array.from({ length: days }, (_, day) => day)
    .filter((day) => day % 7 < 5)
    .map((day) => byPerson(day, 10))

describe('a person at work out of hours', () => {
  test('is found at night and at the weekend, be it in the first days', () => {
    const records = [
      byPerson(0, 10),
      byPerson(2, 3),
      byPerson(5, 11),
      ...usual(21).slice(5),
      byPerson(21, 23),
    ]
    const odd = [records[1], records[2], records.at(-1)].map((record) => record?.id)
    expect(idsOf(findBy(outOfHours, records))).toEqual(odd)
  })

  test('is not found when it is a job, or told by the provider', () => {
    const records = [call(MONDAY_MS + 3 * HOUR_MS), byPerson(0, 4, { side: 'provider' })]
    expect(findBy(outOfHours, records)).toEqual([])
  })

  test('is found though the record says only that somebody did it', () => {
    const { record, disclosures } = sealRecord(byPerson(0, 3).record)
    expect(JSON.stringify(record)).not.toContain('someone')
    expect(findBy(outOfHours, [seenOf(record, disclosures)])).toHaveLength(1)
  })

  test('is found on a holiday, and not on a Saturday on which people work', () => {
    const office = { ...DEFAULT_SETTINGS.office, holidays: ['2026-03-03'], workdays: ['2026-03-07'] }
    const holiday = byPerson(1, 10)
    const found = findBy(outOfHours, [byPerson(0, 10), holiday, byPerson(5, 10)], { office })
    expect(idsOf(found)).toEqual([holiday.id])
  })

  test('is normal for a consumer whose people work every night, from its first week on', () => {
    const nights = Array.from({ length: 20 }, (_, day) => byPerson(day, 3))
    expect(findBy(outOfHours, nights)).toEqual([])
  })

  test('is found again once nobody has worked at night for a week', () => {
    const nights = Array.from({ length: 7 }, (_, day) => byPerson(day, 3))
    const odd = byPerson(20, 3)
    expect(idsOf(findBy(outOfHours, [...nights, byPerson(14, 10), odd]))).toEqual([odd.id])
  })
})
