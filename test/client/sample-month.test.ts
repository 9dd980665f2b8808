import { describe, expect, it } from 'vitest'
import { SAMPLE_MONTH, type SampleMonthItem, sampleMonth } from '../../src/client/sample-month.ts'
import { InputError } from '../../src/errors.ts'
import { canonicalText, parseRecord, parseSealedRecord, sealRecord, timeOf } from '../../src/record/index.ts'

const monthOf = (seed: number, month: string = SAMPLE_MONTH.month): SampleMonthItem[] => [
  ...sampleMonth({ ...SAMPLE_MONTH, seed, month, percent: 5 }),
]

describe('a sample month', () => {
  const items = monthOf(1)
  const records = items.flatMap((item) => (item.kind === 'record' ? [item.record] : []))
  const labels = items.flatMap((item) => (item.kind === 'label' ? [item.label] : []))
  const submissions = items.flatMap((item) => (item.kind === 'submission' ? [item.submission] : []))

  it('is the same for the same seed and another for another', () => {
    expect(monthOf(1)).toEqual(items)
    const [other] = monthOf(2)
    expect(other).not.toEqual(items[0])
  })

  it('is made of valid records of 20 sources, as they come and when sealed, each with an id of its own', () => {
    for (const record of records) {
      expect(canonicalText(parseRecord(record))).toBe(canonicalText(record))
      parseSealedRecord(sealRecord(record).record)
    }
    expect(new Set(records.map(({ source }) => source)).size).toBe(20)
    expect(new Set(records.map(({ id }) => id)).size).toBe(records.length)
    for (const { id, source } of records)
      expect(`${source} ${id}`).toMatch(/^urn:tidemark:sample:[a-z-]+ sample-/)
  })

  it('runs forward through the days of its month, by the time of UTC+8', () => {
    const times = records.map(timeOf)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(times[0]).toBeGreaterThanOrEqual(Date.parse('2026-05-01T00:00:00+08:00') - 5_000)
    expect(times.at(-1)).toBeLessThan(Date.parse('2026-06-01T00:00:00+08:00'))
    const february = monthOf(1, '2028-02')
      .filter(({ kind }) => kind === 'record')
      .at(-1)
    expect(february).toMatchObject({ record: { time: expect.stringMatching(/^2028-02-29/) } })
  })

  it('labels records of eight kinds, each in the month and none twice for one rule', () => {
    expect(new Set(labels.map(({ rule }) => rule)).size).toBe(8)
    const ids = new Set(records.map(({ source, id }) => `${source} ${id}`))
    for (const { source, id } of labels) expect(ids.has(`${source} ${id}`)).toBe(true)
    expect(new Set(labels.map(({ rule, source, id }) => `${rule} ${source} ${id}`)).size).toBe(labels.length)
  })

  it('hands over every record in one submission, in order, and numbers them without gaps but for those it hides', () => {
    const bySource = Map.groupBy(records, ({ source }) => source)
    const gaps = [...Map.groupBy(submissions, ({ source }) => source)].map(([source, handedOver]) => {
      const ids = bySource.get(source)?.map(({ id }) => id) ?? []
      let next = 0
      for (const { first, count } of handedOver) {
        expect(ids[next]).toBe(first)
        next += count
      }
      expect(next).toBe(ids.length)
      return Number(handedOver.at(-1)?.sequence) - (handedOver.length - 1)
    })
    const hidden = gaps.reduce((sum, count) => sum + count)
    expect(hidden).toBeGreaterThan(0)
    expect(hidden).toBeLessThanOrEqual(labels.filter(({ rule }) => rule === 'silent-source').length)
  })

  it.each(['2026-13', '2026', 'May'])('refuses %s before the first record', (month) => {
    expect(() => sampleMonth({ seed: 1, month })).toThrow(InputError)
  })
})
