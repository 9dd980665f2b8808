import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nameId } from '../../src/record/index.ts'
import { RuleEngine } from '../../src/rules/engine.ts'
import { findAll } from '../../src/rules/find.ts'
import { RULES } from '../../src/rules/index.ts'
import type { KnownFromIndex } from '../../src/rules/known.ts'
import type { Finding, Grant, Seen } from '../../src/rules/rule.ts'
import { DEFAULT_SETTINGS } from '../../src/rules/settings.ts'
import { runs } from '../bytes/runs.ts'
import { labelledMonth } from './month.ts'
import {
  authorization,
  breaker,
  call,
  DAY_MS,
  GRANT_ID,
  HOUR_MS,
  heartbeat,
  idsOf,
  MINUTE_MS,
  MONDAY_MS,
} from './seen.ts'

const settings = { ...DEFAULT_SETTINGS, reorderMs: 5 * MINUTE_MS }
const engineOf = (options: Partial<ConstructorParameters<typeof RuleEngine>[1]> = {}) =>
  new RuleEngine(RULES, { settings, ...options })

const feed = (engine: RuleEngine, ...records: Seen[]): Finding[] =>
  records.flatMap((record) => [...engine.record(record)])

/** What was found, whatever was found first. How long a silence was is known later, if at all. */
const spelled = (findings: Iterable<Finding>) =>
  [...findings]
    .map(({ rule, records, values: { silentMs: _, ...values } }) =>
      [rule, records.length, records[0]?.source, records[0]?.id, JSON.stringify(values)].join(' '),
    )
    .sort()

/** A call that says that it needs a grant and cites none, in office hours; nobody else tells of it. */
const planted = (timeMs: number) => call(timeMs, { sharing: 'conditional', side: 'provider' })
const kinds = (findings: readonly Finding[]) => findings.map(({ rule }) => rule)

describe('the rules at work', () => {
  // Of one time, the order is that of arrival, and a mixed month has another.
  const month = labelledMonth('engine', 2).records.map((seen, i) => ({
    ...seen,
    timeMs: seen.timeMs + i / 1e6,
  }))
  const inOrder = spelled(findAll({ records: month }, RULES, settings))

  test('property: find in records that come a little out of order what they find in order', () => {
    expect(inOrder.length).toBeGreaterThan(20)
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(settings.reorderMs - 1)), (late) => {
        const shuffled = month
          .map((seen) => ({ seen, at: seen.timeMs + Number(late.next().value) }))
          .sort((a, b) => a.at - b.at)
        const engine = engineOf()
        const found = shuffled.flatMap(({ seen, at }) => [...engine.record(seen, at)])
        found.push(...engine.end())
        expect(spelled(found)).toEqual(inOrder)
      }),
      runs(5),
    )
  }, 60_000)

  test('property: find the same, and nothing twice, however time is let pass between', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(500)), (gaps) => {
        const engine = engineOf()
        const found: Finding[] = []
        let next = 0
        for (const [i, seen] of month.entries()) {
          found.push(...engine.record(seen))
          if (i < next) continue
          next = i + Number(gaps.next().value)
          found.push(...engine.tick(seen.timeMs, false))
        }
        expect(spelled([...found, ...engine.end()])).toEqual(inOrder)
      }),
      runs(5),
    )
  }, 60_000)

  test('find nothing wrong with sources that deliver one after the other, whatever time that is of', () => {
    const engine = engineOf()
    const nine = MONDAY_MS + 9 * HOUR_MS
    const times = Array.from({ length: 20 }, (_, i) => nine + i * 10 * MINUTE_MS)
    const consumers = times.map((timeMs) => call(timeMs))
    const providers = consumers.map(({ timeMs, call: told }) =>
      call(timeMs, { side: 'provider', requestId: told?.requestId }),
    )
    const laterMs = MONDAY_MS + 30 * DAY_MS
    const found = [
      ...engine.tick(laterMs),
      ...consumers.flatMap((record) => [...engine.record(record, laterMs)]),
      ...engine.tick(laterMs + MINUTE_MS),
      ...providers.flatMap((record) => [...engine.record(record, laterMs + MINUTE_MS)]),
    ]
    expect([...found, ...engine.tick(laterMs + DAY_MS)]).toEqual([])
  })

  test('judge what comes later than records wait, after them', () => {
    const engine = engineOf()
    const noon = MONDAY_MS + 12 * HOUR_MS
    feed(engine, call(noon))
    expect([...engine.tick(noon + settings.reorderMs, false)]).toEqual([])
    const late = planted(MONDAY_MS + 9 * HOUR_MS)
    const atMs = noon + settings.reorderMs + 1
    expect([...engine.record(late, atMs)]).toEqual([])
    expect([...engine.tick(atMs + settings.reorderMs)]).toContainEqual(
      expect.objectContaining({
        rule: 'call-without-grant',
        records: [{ source: late.source, id: late.id }],
      }),
    )
  })

  test('judge a record when nothing else comes, as soon as it has waited', () => {
    const engine = engineOf()
    const record = planted(MONDAY_MS + 9 * HOUR_MS)
    expect(feed(engine, record)).toEqual([])
    expect([...engine.tick(record.timeMs + settings.reorderMs - 1)]).toEqual([])
    expect(idsOf([...engine.tick(record.timeMs + settings.reorderMs)])).toEqual([record.id])
  })

  test('report a silence while it lasts, and not again when it ends', () => {
    const engine = engineOf()
    const beat = heartbeat(MONDAY_MS)
    feed(engine, beat)
    const overMs = MONDAY_MS + settings.silenceMs + settings.reorderMs
    expect([...engine.tick(overMs)]).toEqual([])
    expect([...engine.tick(overMs + 1)]).toMatchObject([
      { rule: 'silent-source', records: [{ id: beat.id }] },
    ])
    const more = [...engine.tick(overMs + DAY_MS), ...feed(engine, heartbeat(overMs + DAY_MS))]
    expect([...more, ...engine.tick(overMs + DAY_MS + 1)]).toEqual([])
  })

  test('take no late record for the end of a silence, nor a late reset for the end of a trip', () => {
    const engine = engineOf()
    const noon = MONDAY_MS + 12 * HOUR_MS
    feed(engine, heartbeat(noon), breaker(noon, '*', 'trip'))
    expect([...engine.tick(noon + HOUR_MS)]).toEqual([])
    expect(feed(engine, heartbeat(noon - 5 * HOUR_MS), breaker(noon - HOUR_MS, '*', 'reset'))).toEqual([])
    feed(engine, call(noon + 2 * HOUR_MS))
    expect(kinds([...engine.tick(noon + 2.5 * HOUR_MS)])).toContain('call-during-trip')
  })

  test('report a side that is missing when no record moves the time', () => {
    const engine = engineOf()
    const alone = call(MONDAY_MS + 9 * HOUR_MS)
    feed(engine, alone)
    expect([...engine.tick(alone.timeMs + settings.reorderMs)]).toEqual([])
    const found = [...engine.tick(alone.timeMs + settings.reorderMs + MINUTE_MS + 1)]
    expect(found).toMatchObject([{ rule: 'missing-side', records: [{ id: alone.id }] }])
  })

  test('report a promise that is not kept once it is over, and once', () => {
    const engine = engineOf()
    const promised = { source: 'urn:a', sequence: 0n, first: 'r', anchorByMs: MONDAY_MS }
    expect([...engine.submission(promised)]).toEqual([])
    expect([...engine.tick(MONDAY_MS + settings.reorderMs)]).toEqual([])
    expect(kinds([...engine.tick(MONDAY_MS + settings.reorderMs + 1)])).toEqual(['broken-promise'])
    expect([...engine.tick(MONDAY_MS + DAY_MS)]).toEqual([])
  })
})

describe('what was before the first record', () => {
  const grant: Grant = {
    ...{ source: 'urn:consumer', id: 'long-ago' },
    ...{ consumer: nameId('urn:consumer'), resource: nameId('urn:resource') },
    ...{ purpose: nameId('care'), person: undefined },
    ...{ notBeforeMs: 0, notAfterMs: MONDAY_MS + DAY_MS, maxCalls: 2 },
  }
  const cited = (timeMs: number) =>
    call(timeMs, { sharing: 'conditional', purpose: 'care', authorization: GRANT_ID })
  const reasons = (engine: RuleEngine, ...records: Seen[]) =>
    [...feed(engine, ...records), ...engine.end()]
      .filter(({ rule }) => rule === 'call-without-grant')
      .map(({ values }) => values.reason)
  const nine = MONDAY_MS + 9 * HOUR_MS
  const indexOf = (grantOf: KnownFromIndex['grantOf']) => ({ grantOf, sharingOf: () => undefined })

  test('is asked for: a grant of long ago is known, and can be used up', () => {
    const asked: string[] = []
    const index = indexOf((id) => {
      asked.push(id)
      return grant
    })
    const engine = engineOf({ startsLate: true, index })
    expect(reasons(engine, cited(nine), cited(nine + 1), cited(nine + 2))).toEqual(['used-up'])
    expect(new Set(asked)).toEqual(new Set([GRANT_ID]))
  })

  test('makes no grant an unknown one where nobody can be asked', () => {
    expect(reasons(engineOf({ startsLate: true }), cited(nine))).toEqual([])
    expect(reasons(engineOf(), cited(nine))).toEqual(['unknown-grant'])
    expect(reasons(engineOf({ startsLate: true, index: indexOf(() => undefined) }), cited(nine))).toEqual([
      'unknown-grant',
    ])
  })

  test('is not held against anybody while batches are withheld', () => {
    const engine = engineOf()
    engine.isWhole = false
    expect(kinds([...feed(engine, cited(nine)), ...engine.end()])).toEqual([])
  })

  test('is withdrawn where the chain says so, whatever records say later', () => {
    const revoked = { effectiveMs: nine + MINUTE_MS }
    const engine = engineOf({ index: indexOf(() => ({ ...grant, maxCalls: 0, revoked })) })
    const later = cited(nine + 2 * MINUTE_MS)
    expect(reasons(engine, authorization(nine), cited(nine), later)).toEqual(['revoked'])
  })

  test('counts as the registry has a resource shared, whatever the call says of itself', () => {
    const [noon, evening] = [nine + 3 * HOUR_MS, nine + 9 * HOUR_MS]
    const sharingOf = (resource: string, timeMs: number) => {
      if (resource !== 'urn:resource' || timeMs < nine) return undefined
      return timeMs < noon ? 'conditional' : timeMs < evening ? 'prohibited' : 'unconditional'
    }
    const told = (timeMs: number, change: Parameters<typeof call>[1]) =>
      reasons(engineOf({ index: { grantOf: () => undefined, sharingOf } }), call(timeMs, change))
    const liar = { sharing: 'unconditional' }
    expect(told(nine + HOUR_MS, liar)).toEqual(['no-grant'])
    expect(told(nine + HOUR_MS, {})).toEqual(['no-grant'])
    expect(told(noon + HOUR_MS, liar)).toEqual(['prohibited'])
    expect(told(evening + HOUR_MS, { sharing: 'conditional' })).toEqual([])
    // Before the registry knew it, of others that it does not know, and at the moment of a change.
    expect(told(nine - HOUR_MS, liar)).toEqual([])
    expect(told(nine + HOUR_MS, { ...liar, subject: 'urn:other' })).toEqual([])
    expect(told(noon, liar)).toEqual([])
  })

  test('that does not say how many calls it allows allows any number', () => {
    const engine = engineOf({ index: indexOf(() => ({ ...grant, maxCalls: 0 })) })
    expect(reasons(engine, cited(nine), cited(nine + 1), cited(nine + 2))).toEqual([])
  })

  test('is revoked by a record of now', () => {
    const engine = engineOf({ startsLate: true, index: indexOf(() => grant) })
    const revoked = authorization(nine).record
    const revocation: Seen = {
      ...{ source: 'urn:consumer', id: 'revoked', timeMs: nine },
      record: {
        ...revoked,
        type: 'tidemark.revocation.v1',
        data: { authorization: GRANT_ID, effectiveAt: new Date(nine).toISOString() },
      },
    }
    expect(reasons(engine, revocation, cited(nine + MINUTE_MS))).toEqual(['revoked'])
  })
})
