import { once } from 'node:events'
import { createServer, request as sendRequest } from 'node:http'
import { type AddressInfo, connect as connectSocket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import express, { type Express, Router } from 'express'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type AuditTrailOptions, auditTrail, type RecordInput } from '../../src/client/index.ts'
import { newTraceparent, readTraceparent } from '../../src/client/traceparent.ts'
import { parseRecord } from '../../src/record/index.ts'
import { eventually } from '../store/temporary.ts'
import { connect, finish, startLedger } from './world.ts'

const PARTIES = { consumer: 'traffic-office', provider: 'civil-registry', subject: 'civil-registry/births' }
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

/** A service with an audit trail, and the records that it has made. */
async function serve(build: (app: Express) => void, options: Partial<AuditTrailOptions> = {}) {
  const records: RecordInput[] = []
  const errors: unknown[] = []
  const ledger = {
    record: async (event: RecordInput) => {
      records.push(event)
      parseRecord({
        specversion: '1.0',
        id: 'x',
        source: 'urn:x',
        time: '2026-03-01T09:30:00.125Z',
        ...event,
      })
    },
  }
  const app = express()
  app.use(auditTrail(ledger, { ...PARTIES, onError: (error) => void errors.push(error), ...options }))
  build(app)
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo // it listens on a port
  const url = `http://127.0.0.1:${port}`
  const recorded = () => eventually(() => records.shift())
  return { url, port, records, errors, recorded }
}

test('three lines of set-up record every call of a service on the ledger', async () => {
  const gateway = await startLedger()
  const app = express()
  const receipted: string[] = []
  const { ledger, errors } = await connect({
    url: gateway.url,
    source: 'urn:registry',
    onReceipt: (_, ids) => void receipted.push(...ids),
  })
  app.use(auditTrail(ledger, PARTIES))
  app.get('/persons/:id', (request, response) => void response.json({ id: request.params.id }))
  const server = app.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  for (let i = 0; i < 3; i++) await fetch(`http://127.0.0.1:${port}/persons/${i}`)
  await eventually(() => receipted.length === 3 || undefined)
  await finish(ledger)
  expect(errors).toEqual([])
  expect((await gateway.submissionsOf('urn:registry')).flat()).toEqual(receipted)
})

describe('a recorded call', () => {
  test('names parties, operation and resource, and no path that may name a person', async () => {
    const { url, recorded } = await serve(
      (app) => {
        const router = Router()
        router.get('/persons/:id', (_, response) => void response.send('hello'))
        app.use('/v1', router)
      },
      {
        consumer: (request) => request.get('x-consumer') ?? 'unknown',
        details: () => ({ purpose: 'licence-renewal', agent: 'clerk 17' }),
      },
    )
    await fetch(`${url}/v1/persons/4711?name=Meier`, {
      headers: { 'x-consumer': 'tax-office', 'x-request-id': 'r-1' },
    })
    const event = await recorded()
    expect(event).toEqual({
      type: 'tidemark.call.v1',
      subject: 'civil-registry/births',
      traceparent: expect.any(String),
      data: {
        side: 'provider',
        consumer: 'tax-office',
        provider: 'civil-registry',
        operation: 'GET /persons/:id',
        requestId: 'r-1',
        purpose: 'licence-renewal',
        agent: 'clerk 17',
        outcome: 'success',
        status: '200',
        requestBytes: 0,
        responseBytes: 5,
        durationMs: expect.any(Number),
      },
    })
    expect(JSON.stringify(event)).not.toMatch(/4711|Meier/)
  })

  test.each([
    [200, 'success'],
    [204, 'success'],
    [304, 'success'],
    [401, 'refused'],
    [403, 'refused'],
    [404, 'failed'],
    [429, 'failed'],
    [500, 'failed'],
    [503, 'failed'],
  ])('that is answered %i is a %s', async (status, outcome) => {
    const { url, recorded } = await serve((app) =>
      app.get('/', (_, response) => void response.status(status).end()),
    )
    await fetch(url)
    expect((await recorded()).data).toMatchObject({ outcome, status: String(status) })
  })

  test('is there for routes that throw and for routes that are not there', async () => {
    const { url, recorded } = await serve((app) => {
      app.get('/', () => {
        throw new Error('broken')
      })
      app.use(
        ((_error, _request, response, _next) => void response.sendStatus(500)) as express.ErrorRequestHandler,
      )
    })
    await fetch(url)
    expect((await recorded()).data).toMatchObject({ outcome: 'failed', status: '500' })
    await fetch(`${url}/elsewhere`)
    expect((await recorded()).data).toMatchObject({ outcome: 'failed', status: '404', operation: 'GET' })
  })

  test('measures bodies announced, streamed in and streamed out', async () => {
    const { url, port, recorded } = await serve((app) => {
      app.post('/json', express.json(), (request, response) => void response.json(request.body))
      app.post('/stream', async (request, response) => {
        for await (const chunk of request) response.write(chunk)
        response.end('ü')
      })
      app.get('/parts', (_, response) => {
        response.write('ab')
        response.write(Buffer.from('cd'))
        response.write('6566', 'hex')
        response.end(() => undefined)
      })
      app.get('/head', (_, response) => void response.send('12345'))
    })
    const body = JSON.stringify({ text: 'grün' })
    await fetch(`${url}/json`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    expect((await recorded()).data).toMatchObject({ requestBytes: 16, responseBytes: 16 })
    const sent = sendRequest({ port, host: '127.0.0.1', path: '/stream', method: 'POST' })
    const answered = once(sent, 'response')
    sent.write('first')
    await delay(20)
    sent.end('second')
    const [answer] = await answered
    expect((await answer.setEncoding('utf8').toArray()).join('')).toBe('firstsecondü')
    expect((await recorded()).data).toMatchObject({ requestBytes: 11, responseBytes: 13 })
    expect(await (await fetch(`${url}/parts`)).text()).toBe('abcdef')
    expect((await recorded()).data).toMatchObject({ responseBytes: 6 })
    await fetch(`${url}/head`, { method: 'HEAD' })
    expect((await recorded()).data).toMatchObject({ responseBytes: 0 })
  })

  test('is failed and aborted when its caller hangs up, in the middle of a response or before it', async () => {
    const { port, recorded } = await serve((app) => {
      app.get('/endless', (_, response) => {
        const timer = setInterval(() => response.write('more'), 5)
        response.once('close', () => clearInterval(timer))
      })
      app.get('/silent', () => undefined)
    })
    for (const [path, isDue] of [
      ['/endless', (text: string) => text.includes('more')],
      ['/silent', () => true],
    ] as const) {
      const socket = connectSocket(port, '127.0.0.1')
      let text = ''
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8')
      })
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
      await eventually(() => isDue(text) || undefined)
      await delay(30)
      socket.destroy()
      expect((await recorded()).data).toMatchObject({
        outcome: 'failed',
        status: 'aborted',
        operation: `GET ${path}`,
      })
    }
  })

  test('keeps a valid traceparent and replaces any other, for the record and for calls further on', async () => {
    const seen: unknown[] = []
    const { url, recorded } = await serve((app) =>
      app.get('/', ({ headers }, response) => {
        seen.push([headers.traceparent, headers.tracestate])
        response.end()
      }),
    )
    const call = async (headers: Record<string, string>) => {
      await fetch(url, { headers })
      return (await recorded()).traceparent
    }
    expect(await call({ traceparent: TRACE, tracestate: 'a=1' })).toBe(TRACE)
    expect(seen.pop()).toEqual([TRACE, 'a=1'])
    for (const headers of [
      {},
      { traceparent: 'nonsense', tracestate: 'a=1' },
      { traceparent: TRACE.toUpperCase() },
    ]) {
      const made = await call(headers)
      expect(made).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
      expect(seen.pop()).toEqual([made, undefined])
    }
  })
})

describe('a service', () => {
  test('never waits for its record, and notices nothing of what goes wrong with it', async () => {
    const errors: unknown[] = []
    const app = express()
    const never = new Promise<void>(() => undefined)
    app.use(auditTrail({ record: () => never }, PARTIES))
    const onError = (error: unknown) => void errors.push(error)
    app.use(auditTrail({ record: () => Promise.reject(new Error('away')) }, { ...PARTIES, onError }))
    app.use(
      auditTrail(
        { record: () => never },
        {
          ...PARTIES,
          onError,
          subject: () => {
            throw new Error('no subject')
          },
        },
      ),
    )
    app.get('/', (_, response) => void response.send('hello'))
    const server = app.listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // it listens on a port
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello')
    await eventually(() => errors.length === 2 || undefined)
    expect(errors.map((error) => (error as Error).message).sort()).toEqual(['away', 'no subject'])
  })

  test('goes on when even its error callback throws', async () => {
    const warnings: string[] = []
    const listen = ({ message }: Error) => void warnings.push(message)
    process.on('warning', listen)
    onTestFinished(() => void process.off('warning', listen))
    const { url } = await serve((app) => app.get('/', (_, response) => void response.send('hello')), {
      subject: '',
      onError: () => {
        throw new Error('no log')
      },
    })
    expect(await (await fetch(url)).text()).toBe('hello')
    await eventually(() => warnings.some((text) => text.includes('no log')) || undefined)
  })
})

describe('a traceparent', () => {
  test.each([
    [TRACE, TRACE],
    [
      '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff',
      '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff',
    ],
    ['cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-what-the-future-will-be', TRACE],
    [`${TRACE}-more`, undefined],
    [TRACE.replace('00-', 'ff-'), undefined],
    [TRACE.replace('4bf92f3577b34da6a3ce929d0e0e4736', '0'.repeat(32)), undefined],
    [TRACE.replace('00f067aa0ba902b7', '0'.repeat(16)), undefined],
    [TRACE.toUpperCase(), undefined],
    [`${TRACE}, ${TRACE}`, undefined],
    [undefined, undefined],
  ])('%s is read as %s', (header, read) => {
    expect(readTraceparent(header)).toBe(read)
  })

  test('that is new is valid, even when chance gives nothing but zeros', () => {
    for (const made of [newTraceparent(), newTraceparent((sizeBytes) => Buffer.alloc(sizeBytes))]) {
      expect(readTraceparent(made)).toBe(made)
    }
  })
})
