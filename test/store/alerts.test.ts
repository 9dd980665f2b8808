import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AlertFilter, Alerts, SEVERITIES, type StoredAlert } from '../../src/store/alerts.ts'
import { openDatabase } from '../../src/store/database.ts'
import { Incidents } from '../../src/store/incidents.ts'
import { runs } from '../bytes/runs.ts'
import { temporaryFolder } from './temporary.ts'

const departments = fc.constantFrom('urn:a', 'urn:b', `urn:'"\u{1f600}`)
const rules = fc.constantFrom('out-of-hours', 'missing-side')
const kinds = fc.constantFrom('fraud', 'sequence-gap')
const raised = fc.oneof(
  fc.record({
    rule: rules,
    severity: fc.constantFrom(...SEVERITIES),
    consumer: departments,
    source: departments,
    closed: fc.boolean(),
  }),
  fc.record({ kind: kinds, source: departments, closed: fc.boolean() }),
)
const filters: fc.Arbitrary<AlertFilter> = fc.record(
  {
    open: fc.boolean(),
    severity: fc.constantFrom(...SEVERITIES),
    rule: fc.oneof(rules, kinds),
    department: departments,
  },
  { requiredKeys: [] },
)

/** All pages of them. */
function all(alerts: Alerts, filter: AlertFilter, limit: number, most: number): StoredAlert[] {
  const found: StoredAlert[] = []
  let before: bigint | undefined = 2n ** 62n
  while (before !== undefined) {
    const page = alerts.search(before, limit, filter, most)
    expect(page.alerts.length).toBeLessThanOrEqual(limit)
    found.push(...page.alerts)
    before = page.next
  }
  return found
}

test('a search gives the alerts that are meant, each once, newest first, however long its pages are', async () => {
  const path = await temporaryFolder()
  let world = 0
  fc.assert(
    fc.property(
      fc.array(raised, { maxLength: 12 }),
      filters,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 6 }),
      (all_, filter, limit, most) => {
        const database = openDatabase(join(path, `${world++}.sqlite`))
        try {
          const alerts = new Alerts(database)
          const incidents = new Incidents(database)
          const meant: number[] = []
          all_.forEach((one, i) => {
            const isRule = 'rule' in one
            const document = isRule
              ? { values: { consumer: one.consumer }, records: [{ source: one.source, id: `${i}` }] }
              : { submission: { source: one.source, sequence: '0' } }
            if (isRule) {
              const { rule, severity } = one
              const times = { raisedAt: i, deadline: i + 1 }
              const found = { rule, severity, subject: `${i}`, records: [], ...times }
              const stored = incidents.raise({ ...found, document: JSON.stringify(document) })
              if (one.closed && stored !== undefined) incidents.close(stored.id, 1)
            } else {
              const key = { logIndex: BigInt(i), kind: one.kind, subject: '' }
              alerts.raise(key, JSON.stringify(document), i)
              if (one.closed) alerts.close(key, 1)
            }
            const named: string[] = isRule ? [one.consumer, one.source] : [one.source]
            const isMeant =
              (filter.open === undefined || filter.open !== one.closed) &&
              (filter.severity === undefined || (isRule && one.severity === filter.severity)) &&
              (filter.rule === undefined || filter.rule === (isRule ? one.rule : one.kind)) &&
              (filter.department === undefined || named.includes(filter.department))
            if (isMeant) meant.unshift(i)
          })
          expect(all(alerts, filter, limit, most).map(({ raisedAt }) => raisedAt)).toEqual(meant)
        } finally {
          database.close()
        }
      },
    ),
    runs(20),
  )
})
