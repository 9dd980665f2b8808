import { describe, expect, test } from 'vitest'
import { RULES } from '../../src/rules/index.ts'
import { findInMonth, labelledMonth, scores } from './month.ts'

/** Those whose rules can be decided, with nothing to be estimated. */
const EXACT = [
  'call-without-grant',
  'call-during-trip',
  'duplicated-request',
  'silent-source',
  'broken-promise',
]

describe('the rules on a labelled month', () => {
  const month = labelledMonth('floor', 10)
  const found = findInMonth(month)
  const scored = scores(found, month.labels)

  test.each(EXACT)('find every record of %s, and nothing else', (rule) => {
    const { labelled, reported, right } = scored.get(rule) ?? { labelled: 0, reported: 0, right: 0 }
    expect({ reported, right }).toEqual({ reported: labelled, right: labelled })
    expect(labelled).toBeGreaterThan(5)
  })

  test.each(['out-of-hours', 'rate-above-baseline', 'missing-side'])(
    'find nearly all of %s, and little else',
    (rule) => {
      const { labelled, reported, right } = scored.get(rule) ?? { labelled: 0, reported: 0, right: 0 }
      expect(right / labelled).toBeGreaterThan(0.9)
      expect(right / reported).toBeGreaterThan(0.9)
      expect(labelled).toBeGreaterThan(20)
    },
  )

  test('justify every finding by records of the month', () => {
    const ids = new Set(month.records.map(({ source, id }) => `${source} ${id}`))
    for (const { records, evidence } of found) {
      expect(records.length).toBeGreaterThan(0)
      for (const { source, id } of [...records, ...evidence]) expect(ids.has(`${source} ${id}`)).toBe(true)
    }
  })
})

describe('every rule', () => {
  test('has a name of its own in lowercase words, and says what it finds in both languages', () => {
    expect(new Set(RULES.map(({ name }) => name)).size).toBe(RULES.length)
    for (const { name, title, description } of RULES) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/)
      for (const text of [title.zh, description.zh]) expect(text).toMatch(/\p{Script=Han}/u)
      for (const text of [title.en, description.en]) expect(text).toMatch(/^[A-Z][ -~]+$/)
    }
  })
})
