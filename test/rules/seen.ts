import { nameId, parseRecord } from '../../src/record/index.ts'
import { findAll } from '../../src/rules/find.ts'
import type { Finding, Rule, Seen, SeenSubmission } from '../../src/rules/rule.ts'
import { seenOf } from '../../src/rules/seen.ts'
import { DEFAULT_SETTINGS, type Settings } from '../../src/rules/settings.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** A Monday, midnight in UTC+8. */
export const MONDAY_MS = Date.parse('2026-03-02T00:00:00+08:00')

let made = 0

/** A record of some type; each has an id of its own. */
export function seen(
  type: string,
  timeMs: number,
  data: Record<string, unknown>,
  { source = 'urn:consumer', subject = 'urn:resource' as string | undefined } = {},
): Seen {
  const record = { specversion: '1.0', id: `r-${made++}`, source, type, data }
  const time = new Date(timeMs).toISOString()
  return seenOf(parseRecord({ ...record, time, ...(subject !== undefined && { subject }) }))
}

/** An answered call, as its consumer tells it, to what anybody may see. */
export function call(timeMs: number, change: Record<string, unknown> = {}): Seen {
  const data = {
    side: 'consumer',
    consumer: 'urn:consumer',
    provider: 'urn:provider',
    operation: 'get',
    requestId: `q-${made}`,
    outcome: 'success',
    ...change,
  }
  const source = data.side === 'consumer' ? data.consumer : data.provider
  const subject = typeof change.subject === 'string' ? change.subject : 'urn:resource'
  const { subject: _, ...rest } = data as Record<string, unknown>
  return seen('tidemark.call.v1', timeMs, rest, { source, subject })
}

export const breaker = (timeMs: number, target: string, action: 'trip' | 'reset') =>
  seen('tidemark.breaker.v1', timeMs, { target, action, reason: 'test' }, { source: 'urn:guardian' })

export const GRANT_ID = `0x${'11'.repeat(32)}`
export const PERSON = `${'A'.repeat(43)}`

/** A grant for calls of `urn:consumer` to `urn:resource` for `care`, from its time on. */
export const authorization = (timeMs: number, change: Record<string, unknown> = {}) =>
  seen('tidemark.authorization.v1', timeMs, {
    authorization: GRANT_ID,
    signature: '0x00',
    person: PERSON,
    grant: {
      subject: `0x${'22'.repeat(20)}`,
      consumer: nameId('urn:consumer'),
      resource: nameId('urn:resource'),
      purpose: nameId('care'),
      notBefore: Math.floor(timeMs / 1000),
      notAfter: Math.floor((timeMs + 10 * DAY_MS) / 1000),
      maxCalls: 2,
      nonce: '0',
      ...change,
    },
  })

export const revocation = (timeMs: number, effectiveMs = timeMs) =>
  seen('tidemark.revocation.v1', timeMs, {
    authorization: GRANT_ID,
    effectiveAt: new Date(effectiveMs).toISOString(),
  })

export const heartbeat = (timeMs: number) => {
  const at = new Date(timeMs).toISOString()
  return seen('tidemark.heartbeat.v1', timeMs, { from: at, to: at }, { subject: undefined })
}

/** What one rule finds, the records in the order given. */
export const findBy = (
  rule: Rule,
  records: readonly Seen[],
  settings: Partial<Settings> = {},
  submissions: readonly SeenSubmission[] = [],
): Finding[] => [...findAll({ records, submissions }, [rule], { ...DEFAULT_SETTINGS, ...settings })]

/** The ids of the records that break a rule. */
export const idsOf = (findings: readonly Finding[]): string[] =>
  findings.flatMap(({ records }) => records.map(({ id }) => id))
