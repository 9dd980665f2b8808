import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type FlowRecord, factsOf, textOf } from '../../src/record/index.ts'
import { DepartmentCounts, type Figures, type SharedResource } from '../../src/rules/departments.ts'
import { runs } from '../bytes/runs.ts'
import { authorization, call, DAY_MS, GRANT_ID, HOUR_MS, MONDAY_MS, seen } from './seen.ts'

const PERIOD = { fromMs: MONDAY_MS, toMs: MONDAY_MS + DAY_MS }

/** The figures of records, one after the other. */
function figuresOf(records: readonly FlowRecord[], shared?: readonly SharedResource[]): Figures {
  const served = new Map<string, Set<string>>()
  const counts = new DepartmentCounts(PERIOD, (department, requestId) => {
    served.set(department, (served.get(department) ?? new Set()).add(requestId))
  })
  for (const record of records) counts.add(factsOf(record), (name) => textOf(record, name))
  return counts.finish(new Map([...served].map(([name, requests]) => [name, requests.size])), shared)
}

const departmentOf = ({ departments }: Figures, name: string) =>
  departments.find(({ department }) => department === name)

const called = (timeMs: number, change: Record<string, unknown> = {}) => call(timeMs, change).record
const refused = (timeMs: number, reason: string, side = 'provider') =>
  seen('tidemark.refusal.v1', timeMs, {
    ...{ side, consumer: 'urn:consumer', provider: 'urn:provider', operation: 'get', requestId: 'q', reason },
  }).record
const incident = (timeMs: number, change: Record<string, unknown> = {}, subject?: string) =>
  seen(
    'tidemark.incident.v1',
    timeMs,
    {
      ...{ severity: 'high', rule: 'missing-side', state: 'open' },
      detectedAt: new Date(MONDAY_MS).toISOString(),
      deadline: new Date(MONDAY_MS + HOUR_MS).toISOString(),
      ...change,
    },
    { source: 'urn:ledger', subject },
  ).record

describe('the figures of departments', () => {
  test('count a call that both sides tell once in each role', () => {
    const told = { requestId: 'q', rows: 3, requestBytes: 5, responseBytes: 7 }
    const figures = figuresOf([called(MONDAY_MS, told), called(MONDAY_MS + 9, { ...told, side: 'provider' })])
    const volume = {
      ...{ calls: 1, refused: 0, failed: 0, toldByOthers: 1 },
      ...{ rows: '3', requestBytes: '5', responseBytes: '7' },
    }
    expect(departmentOf(figures, 'urn:provider')).toMatchObject({ asProvider: volume, applications: 1 })
    expect(departmentOf(figures, 'urn:consumer')).toMatchObject({ asConsumer: volume, applications: 0 })
    expect(figures.total).toMatchObject({ asProvider: volume, asConsumer: volume, applications: 1 })
  })

  test('show a side that keeps no records by what the other side tells', () => {
    const figures = figuresOf([called(MONDAY_MS), called(MONDAY_MS, { outcome: 'failed' })])
    expect(departmentOf(figures, 'urn:provider')?.asProvider).toMatchObject({ calls: 0, toldByOthers: 2 })
    expect(departmentOf(figures, 'urn:consumer')?.asConsumer).toMatchObject({ calls: 2, failed: 1 })
  })

  test('take what lies within the period, its first millisecond and not its last bound', () => {
    const { fromMs, toMs } = PERIOD
    const times = [fromMs - 1, fromMs, toMs - 1, toMs]
    const figures = figuresOf(times.map((timeMs) => called(timeMs, { side: 'provider' })))
    expect(figures.total.asProvider.calls).toBe(2)
    expect(figuresOf([called(toMs), refused(fromMs - 1, 'late')]).departments).toEqual([])
  })

  test('count a request that is answered twice as one application', () => {
    const again = { side: 'provider', requestId: 'q' }
    const others = [
      { side: 'provider', requestId: 'r' },
      { ...again, outcome: 'refused' },
    ]
    const figures = figuresOf([again, again, ...others].map((change) => called(MONDAY_MS, change)))
    expect(departmentOf(figures, 'urn:provider')).toMatchObject({
      applications: 2,
      asProvider: { calls: 4, refused: 1 },
    })
  })

  test('hold used resources against those of a registry, or without one against those seen so far', () => {
    const to = (subject: string, timeMs: number, outcome = 'success') =>
      called(timeMs, { side: 'provider', subject, outcome })
    const records = [
      to('urn:a', MONDAY_MS),
      to('urn:b', MONDAY_MS, 'refused'),
      to('urn:c', PERIOD.fromMs - 1),
      to('urn:d', PERIOD.toMs),
    ]
    expect(departmentOf(figuresOf(records), 'urn:provider')?.resources).toEqual({ shared: 3, used: 1 })
    const shared = ['urn:a', 'urn:x', 'urn:y', 'urn:y'].map((resource) => ({
      resource,
      owner: 'urn:provider',
    }))
    const elsewhere = { resource: 'urn:z', owner: 'urn:other' }
    const figures = figuresOf(records, [...shared, elsewhere])
    expect(departmentOf(figures, 'urn:provider')?.resources).toEqual({ shared: 3, used: 1 })
    expect(departmentOf(figures, 'urn:other')?.resources).toEqual({ shared: 1, used: 0 })
    expect(figures.total.resources).toEqual({ shared: 4, used: 1 })
  })

  test('tell refusals by role and reason', () => {
    const figures = figuresOf([
      refused(MONDAY_MS, 'no-grant'),
      refused(MONDAY_MS, 'no-grant'),
      refused(MONDAY_MS, 'expired'),
      refused(MONDAY_MS, 'expired', 'consumer'),
    ])
    expect(departmentOf(figures, 'urn:provider')?.refusals).toEqual([
      { role: 'provider', reason: 'expired', count: 1 },
      { role: 'provider', reason: 'no-grant', count: 2 },
    ])
    expect(departmentOf(figures, 'urn:consumer')?.refusals).toEqual([
      { role: 'consumer', reason: 'expired', count: 1 },
    ])
  })

  test('measure a review from the grant to its first call, which may come after the period', () => {
    const cited = (timeMs: number, authorizationId: string) =>
      called(timeMs, { authorization: authorizationId })
    const other = `0x${'33'.repeat(32)}`
    const granted = (timeMs: number, id: string) => {
      const { record } = authorization(timeMs)
      return { ...record, data: { ...record.data, authorization: id } }
    }
    const figures = figuresOf([
      granted(MONDAY_MS, GRANT_ID),
      cited(PERIOD.toMs + 5, GRANT_ID),
      cited(PERIOD.toMs + 4, GRANT_ID),
      granted(MONDAY_MS + 10, other),
      cited(MONDAY_MS + 30, other),
      granted(MONDAY_MS, `0x${'44'.repeat(32)}`),
      granted(MONDAY_MS - 1, `0x${'55'.repeat(32)}`),
    ])
    const medianMs = (DAY_MS + 4 + 20) / 2
    expect(figures.total.review).toEqual({ given: 3, called: 2, medianMs })
    expect(departmentOf(figures, 'urn:provider')?.review).toEqual({ called: 2, medianMs })
  })

  test('join the records of an incident, and measure how long it stayed open', () => {
    const atMs = (ms: number) => new Date(MONDAY_MS + ms).toISOString()
    const figures = figuresOf([
      called(MONDAY_MS),
      incident(MONDAY_MS + 1),
      incident(MONDAY_MS + 50, { state: 'reported', reportedAt: atMs(40) }),
      incident(MONDAY_MS + 90, { state: 'closed', reportedAt: atMs(40) }),
      incident(MONDAY_MS + 95, { state: 'closed', reportedAt: atMs(40) }),
      incident(MONDAY_MS + 1, { detectedAt: atMs(1) }),
      incident(MONDAY_MS + 1, { detectedAt: atMs(-1) }),
      incident(MONDAY_MS + 7, {}, 'urn:consumer'),
    ])
    const kind = { rule: 'missing-side', severity: 'high' }
    expect(departmentOf(figures, 'urn:ledger')?.alerts).toEqual([
      {
        ...{ ...kind, detected: 2, reported: 1, closed: 1 },
        ...{ medianToReportMs: 40, medianToCloseMs: 90, longestToCloseMs: 90 },
      },
    ])
    expect(departmentOf(figures, 'urn:consumer')?.alerts).toMatchObject([{ ...kind, detected: 1, closed: 0 }])
    expect(figures.total.alerts).toMatchObject([{ ...kind, detected: 3 }])
  })

  test('do not depend on the order of the records', () => {
    const party = fc.constantFrom('urn:a', 'urn:b', 'urn:c')
    const timeMs = fc.integer({ min: PERIOD.fromMs - 3, max: PERIOD.toMs + 3 })
    const grant = fc.constantFrom(GRANT_ID, `0x${'33'.repeat(32)}`)
    const anyCall = fc
      .record({
        side: fc.constantFrom('consumer', 'provider'),
        outcome: fc.constantFrom('success', 'refused', 'failed'),
        consumer: party,
        provider: party,
        subject: fc.constantFrom('urn:x', 'urn:y'),
        requestId: fc.constantFrom('p', 'q', 'r'),
        authorization: grant,
        rows: fc.maxSafeNat(),
      })
      .chain((change) => timeMs.map((ms) => called(ms, change)))
    const anyGrant = fc.tuple(timeMs, grant).map(([ms, id]) => {
      const { record } = authorization(ms)
      return { ...record, data: { ...record.data, authorization: id } }
    })
    const anyIncident = fc
      .tuple(timeMs, fc.constantFrom('open', 'reported', 'closed'), fc.option(party, { nil: undefined }))
      .map(([ms, state, subject]) => incident(ms, { state }, subject))
    const records = fc.array(fc.oneof({ weight: 5, arbitrary: anyCall }, anyGrant, anyIncident))
    const shuffled = records.chain((all) =>
      fc.shuffledSubarray(all, { minLength: all.length }).map((other) => [all, other] as const),
    )
    fc.assert(
      fc.property(shuffled, ([all, other]) => {
        expect(figuresOf(other)).toEqual(figuresOf(all))
      }),
      runs(100),
    )
  })
})
