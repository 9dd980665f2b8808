import { periodOf } from '../src/audit/monthly-report.ts'
import { factsOf, parseRecord, textOf } from '../src/record/index.ts'
import { DepartmentCounts, type SharedResource } from '../src/rules/departments.ts'

const GRANTS = ['11', '22'].map((byte) => `0x${byte.repeat(32)}`)
const TAX = 'urn:example:tax'
const BIRTHS = 'urn:example:civil:births'
const [CIVIL, SCHOOLS] = ['urn:example:civil', 'urn:example:schools']

/** Records around May 2026, in an order of no meaning, and what they give. */
export function reportVectors() {
  const records = RECORDS.map(([type, time, data, subject], i) =>
    parseRecord({
      ...{ specversion: '1.0', id: `r-${i}`, type: `tidemark.${type}.v1`, time: `2026-${time}Z`, data },
      source: data.side === 'provider' ? CIVIL : data.side === 'consumer' ? TAX : 'urn:example:ledger',
      ...(subject !== undefined && { subject }),
    }),
  )
  const shared: SharedResource[] = [BIRTHS, 'urn:example:civil:marriages'].map((resource) => ({
    resource,
    owner: CIVIL,
  }))
  const cases = [
    { month: '2026-05', utcOffset: 480, shared: null },
    { month: '2026-05', utcOffset: 480, shared },
    { month: '2026-05', utcOffset: 0, shared: null },
    { month: '2026-06', utcOffset: 0, shared: null },
  ]
  return {
    about:
      'Section 19.2: records, and the figures that they give for a month, an offset from UTC and a list of what is shared. The order of the records makes no difference.',
    records,
    cases: cases.map((scope) => {
      const served = new Map<string, Set<string>>()
      const counts = new DepartmentCounts(periodOf(scope), (department, requestId) =>
        served.set(department, (served.get(department) ?? new Set()).add(requestId)),
      )
      for (const record of records) counts.add(factsOf(record), (name) => textOf(record, name))
      const distinct = new Map([...served].map(([department, requests]) => [department, requests.size]))
      return { ...scope, figures: counts.finish(distinct, scope.shared ?? undefined) }
    }),
  }
}

type Data = Record<string, unknown>

const call = (side: string, requestId: string, more: Data = {}): Data => ({
  ...{ side, consumer: TAX, provider: CIVIL, operation: 'get', requestId, outcome: 'success' },
  ...more,
})
const refusal = (requestId: string, reason: string): Data => ({
  ...{ side: 'provider', consumer: TAX, provider: CIVIL, operation: 'get', requestId, reason },
})
const incident = (state: string, more: Data = {}): Data => ({
  ...{ severity: 'high', rule: 'missing-side', state },
  ...{ detectedAt: '2026-05-20T08:00:00.000Z', deadline: '2026-05-20T09:00:00.000Z' },
  ...more,
})
const grant = {
  subject: `0x${'ab'.repeat(20)}`,
  ...{ consumer: GRANTS[0], resource: GRANTS[0], purpose: GRANTS[0] },
  ...{ notBefore: 1_777_000_000, notAfter: 1_790_000_000, maxCalls: 9, nonce: '0' },
}
const authorization = (id: string | undefined): Data => ({ authorization: id, grant, signature: '0x00' })

const RECORDS: [type: string, time: string, data: Data, subject?: string][] = [
  [
    'call',
    '05-04T01:00:00.250',
    call('provider', 'a', { rows: 2, responseBytes: 9_007_199_254_740_991 }),
    BIRTHS,
  ],
  ['call', '05-04T01:00:00.000', call('consumer', 'a', { rows: 2 }), BIRTHS],
  ['call', '05-04T01:00:09.000', call('provider', 'a', { responseBytes: 9_007_199_254_740_991 }), BIRTHS],
  ['call', '05-05T01:00:00.000', call('provider', 'b', { outcome: 'refused' }), BIRTHS],
  ['call', '05-05T01:00:00.000', call('consumer', 'c', { consumer: SCHOOLS, outcome: 'failed' }), BIRTHS],
  ['call', '04-30T16:00:00.000', call('provider', 'd'), 'urn:example:civil:deaths'],
  ['call', '05-31T16:00:00.000', call('provider', 'e', { authorization: GRANTS[0] }), BIRTHS],
  ['call', '06-02T00:00:00.000', call('consumer', 'f', { authorization: GRANTS[0] }), BIRTHS],
  ['authorization', '05-31T15:59:59.999', authorization(GRANTS[0])],
  ['authorization', '05-06T00:00:00.000', authorization(GRANTS[1])],
  ['refusal', '05-05T01:00:00.000', refusal('b', 'no-grant'), BIRTHS],
  ['incident', '05-20T08:00:01.000', incident('open')],
  ['incident', '05-20T08:40:00.000', incident('reported', { reportedAt: '2026-05-20T08:30:00.000Z' })],
  ['incident', '05-20T10:00:00.000', incident('closed', { reportedAt: '2026-05-20T08:30:00.000Z' })],
  ['incident', '05-20T08:00:01.000', incident('open'), CIVIL],
]
