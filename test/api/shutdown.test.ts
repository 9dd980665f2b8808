import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../store/temporary.ts'
import { connectTo, postHead } from './raw.ts'
import { callOf, exchange, ndjson, startTestSystem } from './world.ts'

test('requests in flight when it ends are answered, and what was acknowledged is sealed and final', async () => {
  const world = await startTestSystem({ policy: { sealAfterMs: 600_000 } })
  onTestFinished(world.close)
  const { url } = world.system
  const bodies = Array.from({ length: 40 }, (_, i) => ndjson(callOf('urn:flight', `${i}`.padStart(3, '0'))))
  const clients = await Promise.all(bodies.map(() => connectTo(url)))
  for (const [i, client] of clients.entries()) {
    const body = bodies[i] ?? ''
    client.send(`${postHead(body.length)}${body.slice(0, -1)}`)
  }
  // Nothing is in flight before the server has begun to read it.
  const held = bodies.reduce((sum, body) => sum + body.length - 1, 0)
  await eventually(async () => {
    const { text } = await exchange(url, 'GET', '/metrics')
    return text.includes(`tidemark_body_bytes_in_flight ${held}\n`) || undefined
  })
  for (const client of clients.slice(0, 20)) client.send('\n')
  await eventually(() => clients.some((client) => client.received() !== '') || undefined)
  const stopped = world.system.stop()
  for (const client of clients.slice(20)) client.send('\n')

  const answers = await Promise.all(clients.map(({ ended }) => ended))
  const taken = answers.filter((answer) => answer.startsWith('HTTP/1.1 201 ')).length
  expect(taken).toBeGreaterThan(0)
  for (const answer of answers.filter((one) => !one.startsWith('HTTP/1.1 201 '))) {
    expect(answer).toMatch(/^HTTP\/1\.1 503 /)
    expect(answer).toMatch(/\r\nretry-after: 1\r\n/i)
    expect(answer).toContain('SHUTTING_DOWN')
  }
  expect(taken, 'what came after the end began').toBeLessThanOrEqual(20)
  await stopped

  const again = await startTestSystem({ dataPath: world.dataPath })
  onTestFinished(again.system.stop)
  const ask = async (query: string) => JSON.parse((await exchange(again.system.url, 'GET', query)).text)
  expect(await ask('/v1/submissions?source=urn:flight')).toMatchObject({ nextSequence: String(taken) })
  // All of it was final before it ended: the new one has sent nothing.
  const last = `/v1/submissions?source=urn:flight&sequence=${taken - 1}`
  await eventually(async () => (await ask(last)).state === 'final' || undefined)
  const { text } = await exchange(again.system.url, 'GET', '/metrics')
  expect(text).toContain('tidemark_transactions_sent_total{kind="first"} 0\n')
})
