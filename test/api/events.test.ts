import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import express from 'express'
import { expect, onTestFinished, test } from 'vitest'
import { createEvents } from '../../src/api/events.ts'
import { problemHandler } from '../../src/api/problems.ts'
import { startIndexerSystem } from '../../src/cli/indexer-system.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'
import { type EventStream, followEvents, readEvents } from './event-stream.ts'
import { callOf, exchange, NDJSON, ndjson, startTestSystem } from './world.ts'

type Options = Partial<Parameters<typeof createEvents>[1]>

/** Nothing but the events, of whatever `overview` says. */
async function serve(overview: () => unknown, options: Options = {}) {
  const faults: unknown[] = []
  const events = createEvents(overview, { lookMs: 5, onFault: (error) => faults.push(error), ...options })
  const app = express()
    .get('/v1/events', events.handler)
    .use(problemHandler(() => undefined))
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    events.close()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, events, faults, server }
}

const overviews = ({ events }: EventStream) =>
  events.filter(({ event }) => event === 'overview').map(({ data }) => JSON.parse(data ?? ''))

test('a reader hears how it is at once, and again when it has changed, under ids that grow', async () => {
  let count = 0
  const { url } = await serve(() => ({ count }))
  const stream = await followEvents(url)
  onTestFinished(stream.leave)
  expect(stream.response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
  })
  await eventually(() => stream.events.length > 0 || undefined)
  expect(stream.events[0]).toEqual({ retry: '2000', event: 'overview', id: '1', data: '{"count":0}' })
  count = 7
  await eventually(() => stream.events.length > 1 || undefined)
  expect(stream.events[1]).toEqual({ event: 'overview', id: '2', data: '{"count":7}' })
  // Another one hears the same, and the first nothing twice.
  expect(await readEvents(url, 1)).toMatchObject([{ id: '2' }])
  expect(stream.events).toHaveLength(2)
})

test('while there is nothing to tell, a line is kept open by heartbeats', async () => {
  const { url } = await serve(() => 'as ever', { heartbeatMs: 5 })
  const stream = await followEvents(url)
  onTestFinished(stream.leave)
  await eventually(() => stream.events.length > 3 || undefined)
  expect(stream.events.slice(1, 3)).toEqual([
    { event: 'heartbeat', data: '{}' },
    { event: 'heartbeat', data: '{}' },
  ])
})

test('nobody looks while nobody reads', async () => {
  let looks = 0
  const { url } = await serve(() => ++looks)
  const stream = await followEvents(url)
  await eventually(() => looks > 2 || undefined)
  stream.leave()
  await eventually(async () => {
    const before = looks
    await new Promise((resolve) => setTimeout(resolve, 30))
    return looks === before || undefined
  })
})

test('one reader too many is sent away, until another leaves', async () => {
  const { url } = await serve(() => 0, { mostReaders: 2 })
  const streams = [await followEvents(url), await followEvents(url)]
  onTestFinished(() => {
    for (const { leave } of streams) leave()
  })
  const refused = await exchange(url, 'GET', '/v1/events')
  expect(refused.status).toBe(503)
  expect(refused.headers['retry-after']).toBe('1')
  expect(JSON.parse(refused.text).code).toBe('OVERLOADED')
  streams[0]?.leave()
  const another = await eventually(async () => {
    const stream = await followEvents(url)
    return stream.response.statusCode === 200 ? stream : undefined
  })
  streams.push(another)
})

test('who does not read is cut off, and the others go on', async () => {
  let turn = 0
  const { url, port, server } = await serve(() => `${++turn} ${'x'.repeat(50_000)}`)
  const stuck = connect(port, '127.0.0.1')
  onTestFinished(() => void stuck.destroy())
  stuck.pause().write('GET /v1/events HTTP/1.1\r\nHost: here\r\n\r\n')
  const stream = await followEvents(url)
  onTestFinished(stream.leave)
  const connections = () =>
    new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)))
  await eventually(async () => (await connections()) === 1 || undefined)
  const heard = stream.events.length
  await eventually(() => stream.events.length > heard + 2 || undefined)
})

test('HEAD is answered, and does not follow', async () => {
  const { url } = await serve(() => 0)
  const { status, headers } = await exchange(url, 'HEAD', '/v1/events')
  expect([status, headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
})

test('when there is no looking any more, the streams end and somebody is told', async () => {
  let broken = false
  const { url, faults } = await serve(() => {
    if (broken) throw new Error('the disk is gone')
    return 0
  })
  const stream = await followEvents(url)
  broken = true
  await stream.ended
  expect(faults).toEqual([new Error('the disk is gone')])
})

test('records are followed from their acceptance to the end of the chain, and a stop ends the stream', async () => {
  const world = await startTestSystem({ policy: { sealAfterMs: 100 } })
  onTestFinished(world.close)
  const { url } = world.system
  const stream = await followEvents(url)
  await eventually(() => overviews(stream).length > 0 || undefined)
  expect(overviews(stream)[0]).toMatchObject({
    gateway: { accepted: { records: 0 }, waiting: { records: 0, bytes: 0 }, sealed: 0, anchored: 0 },
    ledger: { size: 0, records: 0, final: 0 },
    alerts: { open: 0, high: 0 },
    problems: [],
  })
  const body = ndjson(callOf('urn:events', 'a'), callOf('urn:events', 'b'))
  expect((await exchange(url, 'POST', '/v1/submissions', { headers: NDJSON, body })).status).toBe(201)
  const last = await eventually(() => overviews(stream).find(({ ledger }) => ledger.final === 1))
  expect(last).toMatchObject({
    gateway: {
      accepted: { submissions: 1, records: 2 },
      sealed: 1,
      anchored: 1,
      notAnchored: { batches: 0 },
    },
    ledger: { size: 1, records: 2, fraud: 0, withheld: 0 },
  })
  await eventually(() => overviews(stream).find(({ ledger }) => ledger.verified === 1))
  await eventually(() => overviews(stream).find(({ rate }) => Math.max(...rate) > 0))
  // It says nothing of what is in them.
  expect(JSON.stringify(stream.events)).not.toContain('urn:')

  await world.system.stop()
  await stream.ended
  expect(world.troubles).toEqual([])
})

test('an indexer tells of the ledger and the chain, and of nothing that only a gateway has', async () => {
  const world = await startTestSystem()
  onTestFinished(world.close)
  const { url, rpcUrl, identity } = world.system
  const indexer = await startIndexerSystem({
    rpcUrl,
    ledger: identity.ledger,
    finality: { kind: 'depth', confirmations: 1 },
    dataPath: await temporaryFolder(),
    batches: { folder: join(world.dataPath, 'batches') },
    host: '127.0.0.1',
    port: 0,
    pollMs: 20,
    reading: 'open',
    onTrouble: (message, error) => world.troubles.push(`${message}: ${String(error)}`),
  })
  onTestFinished(indexer.stop)
  const stream = await followEvents(indexer.url)
  const body = ndjson(callOf('urn:events', 'a'), callOf('urn:events', 'b'))
  await exchange(url, 'POST', '/v1/submissions', { headers: NDJSON, body })
  const last = await eventually(() => overviews(stream).find(({ ledger }) => ledger.verified === 1))
  expect(last).toMatchObject({ ledger: { size: 1, records: 2 }, problems: [] })
  expect(last.gateway).toBeUndefined()
  await eventually(() => overviews(stream).find(({ rate }) => Math.max(...rate) > 0))
  await indexer.stop()
  await stream.ended
  expect(world.troubles).toEqual([])
})
