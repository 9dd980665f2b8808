import { describe, expect, test } from 'vitest'
import { DEFAULT_POLICY, parseRulePolicy } from '../../src/rules/policy.ts'

describe('the rules file', () => {
  test('keeps what it does not name, and has thresholds, deadlines and trips', () => {
    expect(parseRulePolicy({})).toEqual(DEFAULT_POLICY)
    const policy = parseRulePolicy({
      rateFactor: 5,
      deadlineMinutes: { high: 30 },
      trip: { 'call-without-grant': 'resource', 'silent-source': 'everything' },
    })
    expect(policy.settings).toEqual({ ...DEFAULT_POLICY.settings, rateFactor: 5 })
    expect(policy.deadlineMinutes).toEqual({ high: 30, medium: 120, low: 240 })
    expect([...policy.trip]).toEqual([
      ['call-without-grant', 'resource'],
      ['silent-source', 'everything'],
    ])
  })

  test.each([
    [null],
    [[]],
    [{ rate: 5 }],
    [{ deadlineMinutes: 60 }],
    [{ deadlineMinutes: { highest: 60 } }],
    [{ deadlineMinutes: { toString: 60 } }],
    [{ deadlineMinutes: { high: 0 } }],
    [{ deadlineMinutes: { high: 1.5 } }],
    [{ deadlineMinutes: { high: '60' } }],
    [{ trip: 'everything' }],
    [{ trip: { 'no-rule': 'everything' } }],
    [{ trip: { 'silent-source': 'consumer' } }],
    [{ trip: { 'call-without-grant': 'somebody' } }],
  ])('refuses %j', (value) => {
    expect(() => parseRulePolicy(value)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
  })
})
