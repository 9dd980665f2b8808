import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../../src/api/listen.ts'
import { connectTo, postHead } from './raw.ts'
import { callOf, exchange, ndjson, startTestSystem } from './world.ts'

const TIMEOUTS = { headersMs: 200, requestMs: 400, keepAliveMs: 300, idleMs: 60_000 }

async function startImpatient() {
  const world = await startTestSystem({ timeouts: TIMEOUTS })
  onTestFinished(world.close)
  return world
}

test('SLOW CLIENTS are answered 408 and cut off, in the head and in the body, and others are served meanwhile', async () => {
  const { system } = await startImpatient()
  const body = ndjson(callOf('urn:slow', 'a'))
  const inHead = await connectTo(system.url)
  const inBody = await connectTo(system.url)
  inBody.send(postHead(body.length))
  let sent = 0
  let open = true
  const trickle = (async () => {
    // Always a byte before it is idle: only the whole can be too slow.
    for (; open && sent < body.length; sent++) {
      if (inHead.socket.writable) inHead.send(sent === 0 ? 'GET / HTTP/1.1\r\nX: ' : 'x')
      if (inBody.socket.writable) inBody.send(body.slice(sent, sent + 1))
      await delay(20)
    }
  })()
  const quick = await fetch(`${system.url}/v1/ledger`)
  expect(quick.status).toBe(200)
  for (const answer of await Promise.all([inHead.ended, inBody.ended])) {
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ status: 408, code: 'TOO_SLOW' })
  }
  open = false
  await trickle
  expect(sent, 'it was cut off in the middle').toBeLessThan(body.length)
  const { nextSequence } = (await (await fetch(`${system.url}/v1/submissions?source=urn:slow`)).json()) as {
    nextSequence: string
  }
  expect(nextSequence).toBe('0')
})

test('A CLIENT THAT SAYS NOTHING is cut off too', async () => {
  const { system } = await startImpatient()
  expect(await (await connectTo(system.url)).ended).toMatch(/^HTTP\/1\.1 408 /)
})

test.each([
  ['what is not HTTP', 'hello\r\n\r\n', 400],
  ['a head that is too long', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
])('%s is refused with a problem', async (_, text, status) => {
  const { system } = await startImpatient()
  const client = await connectTo(system.url)
  client.send(text)
  const answer = await client.ended
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ status })
  expect(answer).toContain("\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n")
  expect(answer).toContain('\r\nX-Content-Type-Options: nosniff\r\n')
})

test('A SERVER THAT STARTS says so at every path, in what can neither be run nor framed nor kept', async () => {
  const listening = await listen('127.0.0.1', 0)
  onTestFinished(() => listening.closeAll())
  for (const path of ['/', '/verify', '/v1/records']) {
    const { status, headers, text } = await exchange(listening.url, 'GET', path)
    expect([status, JSON.parse(text).code]).toEqual([503, 'STARTING'])
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'retry-after': '1',
    })
  }
})
