import { copyFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MonthCounts } from '../../src/audit/month-counts.ts'
import { logRoot, type MonthlyReport, periodOf, runsOf } from '../../src/audit/monthly-report.ts'
import { differencesOf } from '../../src/audit/report-differences.ts'
import { hashHeader } from '../../src/batch/index.ts'
import { toHex } from '../../src/bytes/hex.ts'
import { sampleRecords } from '../../src/client/sample.ts'
import { SAMPLE_MONTH, sampleMonth } from '../../src/client/sample-month.ts'
import type { FlowRecord } from '../../src/record/index.ts'
import type { Figures } from '../../src/rules/departments.ts'
import { runs } from '../bytes/runs.ts'
import { tidemark } from '../e2e/processes.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { cutAt, saveBatches } from './months.ts'

const MONTH = { month: '2026-05', utcOffset: 480 }
const monthOf = (seed: number) =>
  [...sampleMonth({ ...SAMPLE_MONTH, seed, percent: 5 })].flatMap((item) =>
    item.kind === 'record' ? [item.record] : [],
  )

async function figuresOf(batches: readonly (readonly FlowRecord[])[], mostHeld?: number): Promise<Figures> {
  const { folder, headers } = await saveBatches(batches)
  const work = await temporaryFolder()
  const counts = new MonthCounts(periodOf(MONTH), { folder: work, ...(mostHeld && { mostHeld }) })
  for (const header of headers) await counts.add(folder, header)
  const figures = await counts.figures()
  expect(await counts.figures()).toEqual(figures)
  await counts.close()
  expect(await readdir(work)).toEqual([])
  return figures
}

describe('the figures of batches', () => {
  const records = [
    ...sampleRecords({ seed: 'cuts', count: 300, from: new Date('2026-05-30T00:00:00Z') }),
    ...sampleRecords({ seed: 'more', count: 100, from: new Date('2026-04-30T12:00:00Z') }),
  ]

  test('do not depend on how records are cut into batches, nor on their order, nor on what memory holds', {
    timeout: 60_000,
  }, async () => {
    const expected = await figuresOf([records])
    expect(expected.departments.length).toBeGreaterThan(3)
    const cuts = fc.array(fc.nat(records.length), { maxLength: 6 })
    const shuffled = fc.shuffledSubarray(records, { minLength: records.length })
    await fc.assert(
      fc.asyncProperty(cuts, shuffled, fc.integer({ min: 1, max: 200 }), async (places, all, mostHeld) => {
        expect(await figuresOf(cutAt(all, places), mostHeld)).toEqual(expected)
      }),
      runs(8),
    )
  })

  test('are what a plain count of a made-up month gives', { timeout: 60_000 }, async () => {
    const month = monthOf(11)
    const { total, departments } = await figuresOf(cutAt(month, [500, 2_000, 9_000]))
    const within = month.filter(
      ({ time }) => time >= '2026-04-30T16:00:00.000Z' && time < '2026-05-31T16:00:00.000Z',
    )
    const calls = within.filter(({ type }) => type === 'tidemark.call.v1')
    const sum = (some: readonly FlowRecord[], name: string) =>
      String(some.reduce((all, { data }) => all + Number(data[name] ?? 0), 0))
    const names = new Set(calls.flatMap(({ data }) => [data.provider, data.consumer]))
    expect(departments.map(({ department }) => department)).toEqual([...names].sort())
    for (const { department, ...figures } of departments) {
      for (const [role, member] of [
        ['provider', 'asProvider'],
        ['consumer', 'asConsumer'],
      ] as const) {
        const mine = calls.filter(({ data }) => data[role] === department)
        const own = mine.filter(({ data }) => data.side === role)
        expect(figures[member]).toEqual({
          calls: own.length,
          refused: own.filter(({ data }) => data.outcome === 'refused').length,
          failed: own.filter(({ data }) => data.outcome === 'failed').length,
          rows: sum(own, 'rows'),
          requestBytes: sum(own, 'requestBytes'),
          responseBytes: sum(own, 'responseBytes'),
          toldByOthers: mine.length - own.length,
        })
      }
      const answered = calls.filter(
        ({ data }) => data.provider === department && data.side === 'provider' && data.outcome === 'success',
      )
      expect(figures.applications).toBe(new Set(answered.map(({ data }) => data.requestId)).size)
      expect(figures.resources.used).toBe(new Set(answered.map(({ subject }) => subject)).size)
    }
    const given = month.filter(({ type }) => type === 'tidemark.authorization.v1')
    const firstMs = new Map<unknown, number>()
    for (const { type, time, data } of month) {
      if (type !== 'tidemark.call.v1') continue
      const before = firstMs.get(data.authorization) ?? Number.POSITIVE_INFINITY
      firstMs.set(data.authorization, Math.min(before, Date.parse(time)))
    }
    const delays = given
      .map(({ time, data }) => (firstMs.get(data.authorization) ?? Number.NaN) - Date.parse(time))
      .filter((delay) => delay >= 0)
    delays.sort((a, b) => a - b)
    const [low, high] = [delays[(delays.length - 1) >> 1] ?? 0, delays[delays.length >> 1] ?? 0]
    expect(delays.length).toBeGreaterThan(20)
    expect(total.review).toEqual({ given: given.length, called: delays.length, medianMs: (low + high) / 2 })
  })
})

describe('the scope of a report', () => {
  test('is a month of local time', () => {
    expect(periodOf({ month: '2026-02', utcOffset: -90 })).toEqual({
      fromMs: Date.parse('2026-02-01T01:30:00Z'),
      toMs: Date.parse('2026-03-01T01:30:00Z'),
    })
    expect(periodOf({ month: '2026-12', utcOffset: 480 }).toMs).toBe(Date.parse('2026-12-31T16:00:00Z'))
    for (const month of ['2026-13', '2026-00', '1969-12', '2026-5', '26-05', 'x']) {
      expect(() => periodOf({ month, utcOffset: 0 })).toThrow('a month is written as')
    }
    expect(() => periodOf({ month: '2026-05', utcOffset: 841 })).toThrow('at most 840 minutes')
  })

  test('names batches as runs, and gives the root of their log with those that were left out', async () => {
    const { headers } = await saveBatches(cutAt(monthOf(1).slice(0, 50), [10, 20, 30]))
    const [first, second, third, fourth] = headers
    if (!first || !second || !third || !fourth) throw new Error('there are four')
    const other = { publisher: `0x${'cd'.repeat(20)}` as const, sequence: 4n }
    expect(runsOf([first, second, other, third])).toEqual([
      { publisher: first.publisher, first: '0', count: 2 },
      { publisher: other.publisher, first: '4', count: 1 },
      { publisher: first.publisher, first: '2', count: 1 },
    ])
    const all = new Map(headers.entries())
    const scope = { ...MONTH, ledger: null, batches: [], leftOut: [], shared: null }
    const root = logRoot(all, scope)
    all.delete(2)
    const leftOut = [{ entry: '2', leaf: toHex(hashHeader(third)) }]
    expect(logRoot(all, { ...scope, leftOut })).toBe(root)
  })
})

describe('differences of reports', () => {
  test('are told by department, reason and rule, whatever the order', () => {
    const claimed = {
      departments: [
        { department: 'b', refusals: [{ role: 'provider', reason: 'x', count: 2 }] },
        { department: 'a', calls: 1 },
        { department: 'a', calls: 1 },
      ],
    }
    const found = {
      departments: [
        { department: 'a', calls: 1 },
        { department: 'b', refusals: [{ role: 'provider', reason: 'x', count: 1 }] },
        { department: 'c' },
      ],
    }
    expect([...differencesOf(claimed, found)]).toEqual([
      { place: 'departments[b].refusals[provider x].count', claimed: 2, found: 1 },
      { place: 'departments[a, again at 2]', claimed: { department: 'a', calls: 1 }, found: undefined },
      { place: 'departments[c]', claimed: undefined, found: { department: 'c' } },
    ])
  })

  test('are none between a value and itself, and some where anything is changed', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        expect([...differencesOf(one, structuredClone(one))]).toEqual([])
        const isSame = JSON.stringify(one) === JSON.stringify(other)
        if (!isSame && typeof one !== 'object') expect([...differencesOf(one, other)]).not.toEqual([])
      }),
      runs(200),
    )
  })
})

describe('tidemark report', () => {
  const args = (root: string) => ['report', '--batches', root]

  test('computes a report again, and tells whatever differs', { timeout: 120_000 }, async () => {
    const { root, folder } = await saveBatches(cutAt(monthOf(2).slice(0, 400), [100, 200]))
    const made = await tidemark([...args(root), '--month', '2026-05', '--json'])
    expect(made.code, made.stderr).toBe(0)
    const report = JSON.parse(made.stdout) as MonthlyReport
    expect(report).toMatchObject({ format: 'tidemark-report/1', ...MONTH, ledger: null, shared: null })
    const file = join(await temporaryFolder(), 'report.json')
    const compare = async (change: (report: MonthlyReport) => unknown) => {
      const altered = structuredClone(report)
      change(altered)
      await writeFile(file, JSON.stringify(altered))
      return tidemark([...args(root), '--compare', file, '--json'])
    }
    expect(await compare(() => undefined)).toMatchObject({
      code: 0,
      stdout: '{"verdict":"equal","differences":[]}\n',
    })
    const [first] = report.departments
    const place = `departments[${first?.department}]`
    const number = await compare(
      ({ departments: [tax] }) => tax && Object.assign(tax.asProvider, { calls: tax.asProvider.calls + 1 }),
    )
    expect(number.code).toBe(1)
    const calls = first?.asProvider.calls ?? 0
    expect(JSON.parse(number.stdout).differences).toEqual([
      { place: `${place}.asProvider.calls`, claimed: calls + 1, found: calls },
    ])
    const missing = await compare(({ departments }) => departments.shift())
    expect(missing.code).toBe(1)
    expect(JSON.parse(missing.stdout).differences).toEqual([{ place, found: first }])
    expect((await compare((altered) => Object.assign(altered, { month: '2026-04' }))).code).toBe(1)
    expect((await compare(({ batches }) => batches[0] && batches[0].count--)).code).toBe(1)
    expect((await compare((altered) => Object.assign(altered, { month: 'May' }))).code).toBe(2)
    expect((await compare((altered) => Object.assign(altered, { format: 'tidemark-report/2' }))).code).toBe(2)
    expect((await compare(({ batches }) => batches[0] && batches[0].count++)).code).toBe(3)
    await writeFile(file, '{')
    expect((await tidemark([...args(root), '--compare', file])).code).toBe(2)

    await writeFile(file, made.stdout)
    const other = await tidemark([...args(root), '--compare', file, '--month', '2026-06'])
    expect(other).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('month: the report says "2026-05"'),
    })
    const { publisher } = report.batches[0] ?? {}
    const [one, two] = [1n, 2n].map((sequence) =>
      join(folder.pathOf(publisher ?? '0x', sequence), 'records.ndjson.zst'),
    )
    await copyFile(one ?? '', two ?? '')
    expect(await tidemark([...args(root), '--compare', file])).toMatchObject({ code: 1, stdout: '' })
  })

  test('holds used resources against those that it is given', { timeout: 60_000 }, async () => {
    const records = monthOf(2).slice(0, 400)
    const { root } = await saveBatches([records])
    const shared = join(await temporaryFolder(), 'shared.json')
    const used = records.find(({ data }) => data.side === 'provider' && data.outcome === 'success')
    const owner = String(used?.data.provider)
    const resources = [used?.subject, `${owner}:never-called`].map((resource) => ({ resource, owner }))
    await writeFile(shared, JSON.stringify(resources))
    const made = await tidemark([...args(root), '--month', '2026-05', '--shared', shared, '--json'])
    const report = JSON.parse(made.stdout) as MonthlyReport
    expect(report.shared).toEqual(resources)
    expect(report.total.resources).toEqual({ shared: 2, used: 1 })
    const text = await tidemark([...args(root), '--month', '2026-05', '--shared', shared])
    expect(text.stdout).toContain('1 of 2 shared resources used (by the registry)')
  })

  test('needs a month and what to read', async () => {
    expect((await tidemark(['report', '--batches', 'none'])).code).toBe(2)
    expect((await tidemark(['report', '--month', '2026-05', '--compare', 'x'])).code).toBe(2)
  })
})
