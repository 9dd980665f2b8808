import { describe, expect, test } from 'vitest'
import { calendarOf } from '../../src/rules/calendar.ts'
import { DEFAULT_SETTINGS, parseSettings } from '../../src/rules/settings.ts'

describe('settings', () => {
  test('keep what they do not name', () => {
    const settings = parseSettings({ rateFactor: 5, office: { holidays: ['2026-05-01'] } })
    const { office } = DEFAULT_SETTINGS
    expect(settings).toEqual({
      ...DEFAULT_SETTINGS,
      rateFactor: 5,
      office: { ...office, holidays: ['2026-05-01'] },
    })
    expect(parseSettings({})).toEqual(DEFAULT_SETTINGS)
    expect(parseSettings(DEFAULT_SETTINGS)).toEqual(DEFAULT_SETTINGS)
  })

  test.each([
    [null],
    [[]],
    [{ rate: 5 }],
    [{ toString: 5 }],
    [{ rateFactor: 0 }],
    [{ rateFactor: '5' }],
    [{ office: 5 }],
    [{ office: { holidays: ['May'] } }],
    [{ office: { holidays: '2026-05-01' } }],
    [{ office: { weekend: 1 } }],
  ])('refuse %j', (value) => {
    expect(() => parseSettings(value)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
  })
})

describe('office hours', () => {
  const { isOffice } = calendarOf({
    ...DEFAULT_SETTINGS.office,
    holidays: ['2026-03-03'],
    workdays: ['2026-03-07'],
  })

  test.each([
    ['2026-03-02T07:00:00+08:00', true],
    ['2026-03-02T06:59:59+08:00', false],
    ['2026-03-02T21:59:59+08:00', true],
    ['2026-03-02T22:00:00+08:00', false],
    ['2026-03-03T10:00:00+08:00', false],
    ['2026-03-07T10:00:00+08:00', true],
    ['2026-03-08T10:00:00+08:00', false],
    ['1969-12-31T10:00:00+08:00', true],
  ])('at %s: %s', (time, is) => {
    expect(isOffice(Date.parse(time))).toBe(is)
  })
})
