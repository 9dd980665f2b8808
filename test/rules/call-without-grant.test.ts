import { describe, expect, test } from 'vitest'
import { callWithoutGrant } from '../../src/rules/call-without-grant.ts'
import {
  authorization,
  call,
  DAY_MS,
  findBy,
  GRANT_ID,
  idsOf,
  MONDAY_MS,
  PERSON,
  revocation,
  seen,
} from './seen.ts'

const at = (minutes: number) => MONDAY_MS + 60_000 * minutes
const granted = (timeMs: number, change = {}) =>
  call(timeMs, {
    sharing: 'conditional',
    authorization: GRANT_ID,
    purpose: 'care',
    person: PERSON,
    ...change,
  })

describe('a call without a grant', () => {
  test('is none that has a fitting one, needs none, or was not answered', () => {
    const records = [
      authorization(at(0)),
      granted(at(1)),
      granted(at(2), { side: 'provider' }),
      call(at(3), { sharing: 'unconditional' }),
      call(at(4)),
      call(at(5), { sharing: 'conditional', outcome: 'refused' }),
    ]
    expect(findBy(callWithoutGrant, records)).toEqual([])
  })

  test.each([
    ['no-grant', { authorization: undefined }],
    ['unknown-grant', { authorization: `0x${'99'.repeat(32)}` }],
    ['other-consumer', { consumer: 'urn:other' }],
    ['other-resource', { subject: 'urn:other' }],
    ['other-purpose', { purpose: 'curiosity' }],
    ['other-purpose', { purpose: undefined }],
    ['other-person', { person: `${'A'.repeat(42)}E` }],
    ['prohibited', { sharing: 'prohibited' }],
  ])('is found as %s: %j', (reason, change) => {
    const given = Object.fromEntries(
      Object.entries({
        sharing: 'conditional',
        authorization: GRANT_ID,
        purpose: 'care',
        person: PERSON,
        ...change,
      }).filter(([, value]) => value !== undefined),
    )
    const bad = call(at(1), given)
    const found = findBy(callWithoutGrant, [authorization(at(0)), bad])
    expect(found).toMatchObject([{ severity: 'high', values: { reason } }])
    expect(idsOf(found)).toEqual([bad.id])
  })

  test('is found outside of the time of its grant, but for the grace that clocks get', () => {
    const given = authorization(at(60), {
      notBefore: at(60) / 1000,
      notAfter: at(120) / 1000,
      maxCalls: 9,
    })
    const early = granted(at(50))
    const late = granted(at(120) + 10_001)
    const records = [given, early, granted(at(60) - 9_000), granted(at(120) + 10_000), late]
    const found = findBy(callWithoutGrant, records)
    expect(found.map(({ values }) => values.reason)).toEqual(['not-yet-in-force', 'expired'])
    expect(idsOf(found)).toEqual([early.id, late.id])
  })

  test('is found after a revocation takes effect, which shows it; what was before stays lawful', () => {
    const revoked = revocation(at(10), at(30))
    const bad = granted(at(31))
    const records = [authorization(at(0)), granted(at(5)), revoked, granted(at(29)), bad]
    const found = findBy(callWithoutGrant, records)
    expect(found).toMatchObject([{ values: { reason: 'revoked' } }])
    expect(idsOf(found)).toEqual([bad.id])
    expect(found[0]?.evidence).toContainEqual({ source: revoked.source, id: revoked.id })
  })

  test('is found after a revocation though its grant is recorded once more', () => {
    const records = [authorization(at(0)), revocation(at(10)), authorization(at(0)), granted(at(20))]
    const found = findBy(callWithoutGrant, records)
    expect(found).toMatchObject([{ values: { reason: 'revoked' } }])
  })

  test('is found when it is one more than its grant allows, by each side for itself', () => {
    const sides = [1, 2, 3].flatMap((minute) => [
      granted(at(minute)),
      granted(at(minute), { side: 'provider' }),
    ])
    const found = findBy(callWithoutGrant, [authorization(at(0)), ...sides])
    expect(idsOf(found)).toEqual(sides.slice(4).map(({ id }) => id))
  })

  test('is still found when its grant has long been forgotten', () => {
    const later = MONDAY_MS + 60 * DAY_MS
    const other = seen('tidemark.heartbeat.v1', later, {
      from: new Date(later).toISOString(),
      to: new Date(later).toISOString(),
    })
    const found = findBy(callWithoutGrant, [authorization(at(0)), other, granted(later + 1)])
    expect(found).toMatchObject([{ values: { reason: 'unknown-grant' } }])
  })
})
