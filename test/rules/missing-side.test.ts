import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { missingSide } from '../../src/rules/missing-side.ts'
import { accountOf, reconcile } from '../../src/rules/reconcile.ts'
import { DEFAULT_SETTINGS as SETTINGS } from '../../src/rules/settings.ts'
import { runs } from '../bytes/runs.ts'
import { call, findBy, idsOf, MONDAY_MS } from './seen.ts'

const told = (seconds: number, change = {}) => call(MONDAY_MS + 1000 * seconds, { requestId: 'q', ...change })

const FACTS = {
  grantOf: () => undefined,
  tripOf: () => undefined,
  sharingOf: () => undefined,
  hasAllGrants: true,
  isWhole: true,
}

describe('a missing side', () => {
  test('is found by the record of the other one, and named', () => {
    const alone = told(0)
    const found = findBy(missingSide, [alone])
    expect(idsOf(found)).toEqual([alone.id])
    expect(found).toMatchObject([{ values: { silent: 'urn:provider', silentSide: 'provider' } }])
  })

  test('is none when both tell the same; both are found when they do not', () => {
    expect(findBy(missingSide, [told(0), told(1, { side: 'provider' })])).toEqual([])
    const found = findBy(missingSide, [told(0, { rows: 1 }), told(1, { side: 'provider', rows: 2 })])
    expect(found).toMatchObject([{ records: [{}, {}], values: { disagreeOn: 'rows' } }])
  })

  test('is found as soon as the other side can no longer come', () => {
    const records = [told(0), call(MONDAY_MS + 61_000, { requestId: 'other' })]
    const watch = missingSide.watch(FACTS, SETTINGS)
    const counts = records.map((record) => [...(watch.record?.(record) ?? [])].length)
    expect(counts).toEqual([0, 1])
  })

  test('property: says of a stream what reconciling everything at once says', () => {
    const account = fc.record({
      seconds: fc.integer({ min: 0, max: 300 }),
      side: fc.constantFrom('consumer', 'provider'),
      requestId: fc.constantFrom('q-1', 'q-2', 'q-3'),
      consumer: fc.constantFrom('urn:a', 'urn:b'),
      rows: fc.constantFrom(1, 1, 2),
    })
    fc.assert(
      fc.property(fc.array(account, { maxLength: 12 }), (accounts) => {
        const records = accounts
          .map(({ seconds, ...rest }) => call(MONDAY_MS + 1000 * seconds, { provider: 'urn:p', ...rest }))
          .sort((a, b) => a.timeMs - b.timeMs)
        const whole = reconcile(records.map(({ record }) => accountOf(record)))
          .filter(({ kind }) => kind === 'orphan' || kind === 'orphan pair')
          .map(({ consumer, provider }) => `${consumer?.id} ${provider?.id}`)
        const streamed = findBy(missingSide, records).map(({ records: broken }) => {
          const sideOf = (side: string) =>
            broken.find(({ id }) => records.find((record) => record.id === id)?.call?.side === side)?.id
          return `${sideOf('consumer')} ${sideOf('provider')}`
        })
        expect(streamed.sort()).toEqual(whole.sort())
      }),
      runs(300),
    )
  })
})
