import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseXroad, xroadAccount } from '../../src/client/xroad.ts'
import { type CallAccount, type Reconciled, reconcile } from '../../src/rules/reconcile.ts'

const FOLDER = new URL('../../../shared/data/xroad/', import.meta.url)
const present = existsSync(FOLDER)
if (!present) console.warn('SKIPPED: ../shared/data/xroad is not there; see ../shared/README.md')

type Row = Record<string, unknown>

const load = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8')

/** X-Road's names for the two sides of a result. */
const DURATIONS = {
  totalDuration: ['client', 'responseOutTs', 'client', 'requestInTs'],
  clientSsRequestDuration: ['client', 'requestOutTs', 'client', 'requestInTs'],
  clientSsResponseDuration: ['client', 'responseOutTs', 'client', 'responseInTs'],
  producerDurationClientView: ['client', 'responseInTs', 'client', 'requestOutTs'],
  producerDurationProducerView: ['producer', 'responseOutTs', 'producer', 'requestInTs'],
  producerSsRequestDuration: ['producer', 'requestOutTs', 'producer', 'requestInTs'],
  producerSsResponseDuration: ['producer', 'responseOutTs', 'producer', 'responseInTs'],
  producerIsDuration: ['producer', 'responseInTs', 'producer', 'requestOutTs'],
  requestNwDuration: ['producer', 'requestInTs', 'client', 'requestOutTs'],
  responseNwDuration: ['client', 'responseInTs', 'producer', 'responseOutTs'],
} as const

/** X-Road's corrector writes null for these where a row lacks them. */
const ALWAYS = [
  ...['securityServerInternalIp', 'requestInTs', 'requestOutTs', 'responseInTs', 'responseOutTs'],
  ...['clientXRoadInstance', 'clientMemberClass', 'clientMemberCode', 'clientSubsystemCode'],
  ...['serviceXRoadInstance', 'serviceMemberClass', 'serviceMemberCode', 'serviceSubsystemCode'],
  ...['serviceCode', 'serviceVersion', 'representedPartyClass', 'representedPartyCode', 'messageId'],
  ...['messageUserId', 'messageIssue', 'messageProtocolVersion', 'clientSecurityServerAddress'],
  ...['serviceSecurityServerAddress', 'requestSize', 'requestMimeSize', 'requestAttachmentCount'],
  ...[
    'responseSize',
    'responseMimeSize',
    'responseAttachmentCount',
    'faultCode',
    'faultString',
    'serviceType',
  ],
]

/** A result in the form of X-Road's clean data. */
function toXroad(
  { kind, consumer, provider }: Reconciled,
  rowOf: (account?: CallAccount) => Row | null,
): Row {
  const client = rowOf(consumer)
  const producer = rowOf(provider)
  const sides = { client, producer }
  const text = (name: string) => client?.[name] ?? producer?.[name] ?? ''
  const durations = Object.entries(DURATIONS).map(([name, [end, endField, start, startField]]) => {
    const [to, from] = [sides[end]?.[endField], sides[start]?.[startField]]
    return [name, typeof to === 'number' && typeof from === 'number' ? to - from : null]
  })
  return {
    client,
    producer,
    xRequestId: text('xRequestId'),
    messageId: text('messageId'),
    ...Object.fromEntries(durations),
    clientRequestSize: sizeOf(client, 'request'),
    producerRequestSize: sizeOf(producer, 'request'),
    clientResponseSize: sizeOf(client, 'response'),
    producerResponseSize: sizeOf(producer, 'response'),
    // It goes on looking for the other side of an orphan, but not when it names no request.
    correctorStatus: kind === 'orphan' && text('xRequestId') !== '' ? 'processing' : 'done',
    matchingType: kind.replace(' ', '_'),
  }
}

function toXroadRow(row: Row): Row {
  const missing = ALWAYS.filter((field) => !(field in row)).map((field) => [field, null])
  // What varies in a path may be personal, and X-Road's corrector masks it.
  const path = typeof row.restPath === 'string' && { restPath: row.restPath.replaceAll(/\/\d+/g, '/*') }
  return { ...row, ...path, ...Object.fromEntries(missing) }
}

function sizeOf(row: Row | null, message: 'request' | 'response'): unknown {
  const attachments = row?.[`${message}AttachmentCount`] ?? 0
  return row?.[attachments === 0 ? `${message}Size` : `${message}MimeSize`] ?? null
}

describe.skipIf(!present)('the operational monitoring of a real X-Road', () => {
  test('is reconciled exactly as by its own corrector', () => {
    const rows = parseXroad(load('reconcile-raw-1.json')) as { line: number; value: Row }[]
    const known = new Map<string, Row>()
    const accounts = rows.map(({ line, value }) => {
      const account = xroadAccount(value, line)
      known.set(account.id, toXroadRow(value))
      return account
    })
    expect(known.size).toBe(17)
    const results = reconcile(accounts).map((result) =>
      toXroad(result, (account) => (account === undefined ? null : (known.get(account.id) ?? null))),
    )
    // When the corrector ran is no result.
    const expected = (JSON.parse(load('reconcile-expected-1.json')) as Row[]).map(
      ({ correctorTime, ...result }) => {
        expect(correctorTime).toBeTypeOf('number')
        return result
      },
    )
    expect(expected).toHaveLength(12)
    expect(byTime(results)).toEqual(byTime(expected))
  })

  test('of 2020 is 2,615 pairs, in which both sides agree', () => {
    const accounts = parseXroad(load('opmon-2020.ndjson')).map(({ line, value }) => xroadAccount(value, line))
    const results = reconcile(accounts)
    expect(results).toHaveLength(2_615)
    expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(['regular pair']))
  })

  test('of 2020 loses exactly the pairs whose other side is left out or moved', () => {
    const accounts = parseXroad(load('opmon-2020.ndjson')).map(({ line, value }) => xroadAccount(value, line))
    const providers = accounts.filter(({ side }) => side === 'provider')
    const [hidden, moved] = [providers.at(3), providers.at(500)]
    const results = reconcile(
      accounts
        .filter((account) => account !== hidden)
        .map((account) => (account === moved ? { ...account, timeMs: account.timeMs + 120_000 } : account)),
    )
    const orphans = results.filter(({ kind }) => kind === 'orphan')
    expect(results).toHaveLength(2_613 + 3)
    expect(orphans.map(({ requestId }) => requestId).sort()).toEqual(
      [hidden, moved, moved].map((account) => account?.requestId).sort(),
    )
  })
})

const byTime = (results: readonly Row[]) =>
  [...results].sort(
    (a, b) => timeOf(a) - timeOf(b) || JSON.stringify(a.messageId).localeCompare(JSON.stringify(b.messageId)),
  )
const timeOf = ({ client, producer }: Row) =>
  Number(((client ?? producer) as { requestInTs: number }).requestInTs)
