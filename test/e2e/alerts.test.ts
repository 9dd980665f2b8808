import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { administerRegistry } from '../../src/chain/administer-registry.ts'
import { breakerTarget } from '../../src/chain/breaker.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import { type ChainLog, fetchLogs } from '../../src/chain/logs.ts'
import { createRegistry } from '../../src/chain/registry.ts'
import { createRpc, type Rpc } from '../../src/chain/rpc.ts'
import { withSources } from '../../src/cli/catalogue.ts'
import { parseRulePolicy } from '../../src/rules/policy.ts'
import { verifyProof } from '../../src/verify/index.ts'
import { exchange, NDJSON, ndjson, startTestSystem } from '../api/world.ts'
import type { Json } from '../record/examples.ts'
import { eventually } from '../store/temporary.ts'

const CONSUMER = 'urn:test:tax'
const PROVIDER = 'urn:test:register'
/** A Monday morning in UTC+8. */
const TIME = '2026-03-02T02:00:00.000Z'

/** A call that both sides tell alike. */
const told = (requestId: string, change: Json = {}, time = TIME) =>
  (['consumer', 'provider'] as const).map((side) => ({
    specversion: '1.0',
    id: `${requestId}-${side}`,
    source: side === 'consumer' ? CONSUMER : PROVIDER,
    type: 'tidemark.call.v1',
    time,
    subject: 'urn:test:register:people',
    data: {
      ...{ side, consumer: CONSUMER, provider: PROVIDER, operation: 'get', requestId },
      ...{ outcome: 'success', ...change },
    },
  }))

async function start(dataPath: string, rules: Json = {}) {
  const { system, troubles } = await startTestSystem({
    dataPath,
    rules: parseRulePolicy({ reorderMs: 0, ...rules }),
  })
  const stop = async () => {
    await system.stop()
    expect(troubles.filter((line) => !/^(alert \d+|the breaker of .* is tripped): /.test(line))).toEqual([])
  }
  const get = async (path: string, query: Record<string, string> = {}) => {
    const { text } = await exchange(system.url, 'GET', `${path}?${new URLSearchParams(query)}`)
    return JSON.parse(text)
  }
  return {
    system,
    stop,
    get,
    alerts: async () => (await get('/v1/alerts')).alerts,
    async send(records: readonly Json[]) {
      for (const of of [CONSUMER, PROVIDER]) {
        const body = ndjson(...records.filter(({ source }) => source === of))
        const { status, text } = await exchange(system.url, 'POST', '/v1/submissions', {
          headers: NDJSON,
          body,
        })
        expect([status, text]).toEqual([201, expect.anything()])
      }
    },
    handle: (id: string, body: unknown, token: string) =>
      exchange(system.url, 'POST', `/v1/alerts/${id}`, {
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      }),
    /** What the ledger says of an incident, each state as often as it is there. */
    states: async (id: string) => {
      const found = await Promise.all(
        ['open', 'reported', 'closed'].map((state) =>
          get('/v1/records', { source: watchOf(system.publisher), id: `incident-${id}-${state}` }),
        ),
      )
      return found.flatMap(({ records = [] }) => records)
    },
  }
}

const watchOf = (publisher: string) => `urn:tidemark:watch:${publisher}`

/** Computed as docs/format.md says. */
async function incidentOf({ rule, records: [first] }: Json & { records: { source: string; id: string }[] }) {
  const text = new TextEncoder().encode(`${rule}\0${first?.source}\0${first?.id}`)
  return Buffer.from(await crypto.subtle.digest('SHA-256', text)).toString('hex', 0, 16)
}

test('a call without a grant becomes an alert that can be proven, an incident of the ledger, and is handled', {
  timeout: 120_000,
}, async () => {
  const dataPath = await mkdtemp(join(tmpdir(), 'tidemark-alerts-'))
  onTestFinished(() => rm(dataPath, { recursive: true, force: true }))
  const first = await start(dataPath)
  await first.send([...told('good'), ...told('bad', { sharing: 'conditional' })])
  const raised = await eventually(async () => {
    const alerts = await first.alerts()
    return alerts.length === 2 ? alerts : undefined
  })
  // Both sides tell of it.
  expect(raised.flatMap(({ alert }: Json & { alert: Json }) => alert.records)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ source: CONSUMER, id: 'bad-consumer' }),
      expect.objectContaining({ source: PROVIDER, id: 'bad-provider' }),
    ]),
  )
  const [{ id, raisedAt, deadline, state, alert }] = raised
  expect(alert).toMatchObject({
    format: 'tidemark-alert/2',
    kind: 'rule',
    rule: 'call-without-grant',
    severity: 'high',
    affected: 1,
    values: { reason: 'no-grant', consumer: CONSUMER, provider: PROVIDER },
  })
  expect([state, Number(deadline) - Number(raisedAt)]).toEqual(['open', 3_600_000])

  // Every record of it can be proven, and is where the alert says.
  const [{ source, id: recordId, batch }] = alert.records
  const bundle = await first.get('/v1/proofs', { source, id: recordId })
  const rpc = createRpc(first.system.rpcUrl)
  const { ledger } = first.system.identity
  await verifyProof(bundle, chainFacts(rpc, { finality: { kind: 'depth', confirmations: 1 } }), { ledger })
  expect(batch).toEqual({
    publisher: bundle.batch.publisher,
    sequence: bundle.batch.sequence,
    position: bundle.inclusion.index,
  })

  // It is said in the ledger.
  const incident = await incidentOf(alert)
  const [open] = await eventually(async () => {
    const found = await first.states(incident)
    return found.length === 1 ? found : undefined
  })
  expect(open.record.data).toMatchObject({
    ...{ severity: 'high', rule: 'call-without-grant', affected: 1, state: 'open' },
    ...{ detectedAt: new Date(Number(raisedAt)).toISOString() },
    deadline: new Date(Number(deadline)).toISOString(),
  })

  // Nobody handles it without a token for that; who has one does it once, whatever is sent again.
  const secret = 'tidemark_of-a-test'
  await withSources(dataPath, 'existing', (sources) =>
    sources.addToken(secret, { role: 'handler' }, 'duty', 0),
  )
  expect((await first.handle(id, { state: 'closed' }, 'another')).status).toBe(401)
  for (let i = 0; i < 2; i++) {
    const { status, text } = await first.handle(
      id,
      { state: 'reported', note: 'called the tax office' },
      secret,
    )
    expect([status, JSON.parse(text)]).toEqual([200, expect.objectContaining({ id, state: 'reported' })])
  }
  expect((await first.handle(id, { state: 'gone' }, secret)).status).toBe(400)
  expect((await first.handle('4711', { state: 'closed' }, secret)).status).toBe(404)
  await eventually(async () => ((await first.states(incident)).length === 2 ? true : undefined))
  await first.stop()

  // A restart raises nothing twice, and says nothing twice.
  const second = await start(dataPath)
  onTestFinished(() => second.stop())
  const closed = JSON.parse((await second.handle(id, { state: 'closed' }, secret)).text)
  expect(closed).toMatchObject({
    state: 'closed',
    reportedAt: expect.any(String),
    closedAt: expect.any(String),
  })
  expect((await second.handle(id, { state: 'reported' }, secret)).status).toBe(409)
  await second.send(told('later', { sharing: 'prohibited' }))
  await eventually(async () => ((await second.alerts()).length === 4 ? true : undefined))
  const said = await eventually(async () => {
    const found = await second.states(incident)
    return found.length === 3 ? found : undefined
  })
  expect(said.map(({ record }: { record: Json & { data: Json } }) => record.data.state)).toEqual([
    'open',
    'reported',
    'closed',
  ])
  // Who did it and the note are sealed.
  expect(said[1].record.data._sd).toHaveLength(2)
  expect(JSON.stringify(said)).not.toContain('tax office')
  const health = await second.get('/healthz')
  expect(health).toMatchObject({ alertsToReport: 3, alertsOverdue: 0, openAlerts: 3 })
})

test('a rule trips the breaker; the chain says so, the ledger says so, and calls that go on are found', {
  timeout: 120_000,
}, async () => {
  const dataPath = await mkdtemp(join(tmpdir(), 'tidemark-trips-'))
  onTestFinished(() => rm(dataPath, { recursive: true, force: true }))
  const running = await start(dataPath, { graceMs: 0, trip: { 'call-without-grant': 'consumer' } })
  onTestFinished(() => running.stop())
  const { rpcUrl, publisher, rights } = running.system
  if (rights === undefined) throw new Error('the embedded chain has a registry')
  const rpc = createRpc(rpcUrl)
  const registrar = administerRegistry({ rpc, signer: devWallet('admin', LOCAL_CHAIN_ID) }, rights.registry)
  await registrar.addSource(CONSUMER)
  await running.send(told('bad', { sharing: 'conditional' }))

  const target = breakerTarget('source', CONSUMER)
  const registry = createRegistry(rpc, rights.registry)
  await eventually(async () => ((await registry.trippedAt(target)) > 0n ? true : undefined))
  const [logged] = await logsOf(rpc, rights.registry)
  const source = watchOf(publisher)
  const id = `breaker-${logged?.transactionHash.slice(2)}-${logged?.logIndex}`
  const trip = await eventually(async () => (await running.get('/v1/records', { source, id })).records?.[0])
  expect(trip.record.data).toMatchObject({ target: CONSUMER, action: 'trip', reason: 'call-without-grant' })

  await running.send(told('on', {}, new Date().toISOString()))
  const found = await eventually(async () =>
    (await running.alerts()).find(({ alert }: { alert: Json }) => alert.rule === 'call-during-trip'),
  )
  expect(found.alert).toMatchObject({
    evidence: [{ source, id }],
    values: { target: CONSUMER },
  })
  expect(await logsOf(rpc, rights.registry)).toHaveLength(1)
})

/** Trips that the chain has seen. */
async function logsOf(rpc: Rpc, registry: Hex) {
  const all: ChainLog[] = []
  const topics = ['0xbdfa409927b4a02226d44e757a8ae898b56d8f27efb983800ab12ab5f5e15fbc'] as const
  for await (const { logs } of fetchLogs(rpc, { address: registry, topics }, 0n, await fetchBlock(rpc)))
    all.push(...logs)
  return all
}

const fetchBlock = async (rpc: Rpc) => BigInt(String(await rpc.call('eth_blockNumber', [])))
