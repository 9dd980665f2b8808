import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../store/temporary.ts'
import { connectTo, postHead } from './raw.ts'
import { type Answer, callOf, exchange, NDJSON, ndjson, startTestSystem, type TestSystem } from './world.ts'

const BODY_BYTES = 200_000
const IN_FLIGHT_BYTES = 1_000_000

let world: TestSystem
beforeAll(async () => {
  world = await startTestSystem({
    limits: { bodyBytes: BODY_BYTES, submissionRecords: 100, inFlightBytes: IN_FLIGHT_BYTES },
  })
})
afterAll(() => world.close())

const post = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
  exchange(world.system.url, 'POST', '/v1/submissions', { headers: { ...NDJSON, ...headers }, body })

const inFlight = async () => {
  const { text } = await exchange(world.system.url, 'GET', '/metrics')
  return Number(/^tidemark_body_bytes_in_flight (\d+)$/m.exec(text)?.[1])
}

const problemOf = ({ status, text }: Answer) => ({ status, code: JSON.parse(text).code })

const compressors = { gzip: gzipSync, zstd: zstdCompressSync }

describe.each(['gzip', 'zstd'] as const)('a body compressed with %s', (encoding) => {
  const compress = compressors[encoding]
  const headers = { 'content-encoding': encoding }

  test('is taken, however its name is spelt', async () => {
    for (const name of [encoding, encoding.toUpperCase(), `x-${encoding}`]) {
      const answer = await post(compress(ndjson(callOf(`urn:${name}`, 'a'))), { 'content-encoding': name })
      expect(answer.status, name).toBe(201)
    }
  })

  test('of exactly the limit is read, one byte more is a 413', async () => {
    expect(problemOf(await post(compress(' '.repeat(BODY_BYTES)), headers))).toEqual({
      status: 400,
      code: 'EMPTY_SUBMISSION',
    })
    expect(problemOf(await post(compress(' '.repeat(BODY_BYTES + 1)), headers))).toEqual({
      status: 413,
      code: 'TOO_LARGE',
    })
  })

  test('that would expand to 100 MB is refused, and not expanded', async () => {
    const bomb = compress(Buffer.alloc(100_000_000))
    expect(bomb.length).toBeLessThan(BODY_BYTES)
    const before = process.memoryUsage().rss
    let most = before
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss)
    }, 1)
    const answers = await Promise.all(Array.from({ length: 4 }, () => post(bomb, headers)))
    clearInterval(watch)
    expect(answers.map(problemOf)).toEqual(answers.map(() => ({ status: 413, code: 'TOO_LARGE' })))
    expect(most - before, 'bytes more at most').toBeLessThan(50_000_000)
  })

  test('that is cut off, empty or something else is a 400', async () => {
    const body = compress(ndjson(callOf('urn:cut', 'a')))
    for (const bad of [body.subarray(0, -3), 'not compressed', ndjson(callOf('urn:cut', 'a'))]) {
      expect(problemOf(await post(bad, headers))).toEqual({ status: 400, code: 'BAD_BODY' })
    }
  })
})

test('a second gzip member is read, a second zstd frame is refused: neither is left out in silence', async () => {
  const [a, b] = [ndjson(callOf('urn:two', 'a')), ndjson(callOf('urn:two', 'b'))]
  const gzip = await post(Buffer.concat([gzipSync(a), gzipSync(b)]), { 'content-encoding': 'gzip' })
  expect(JSON.parse(gzip.text).receipt).toMatchObject({ size: '2' })
  const zstd = await post(Buffer.concat([zstdCompressSync(a), zstdCompressSync(b)]), {
    'content-encoding': 'zstd',
  })
  expect(problemOf(zstd)).toEqual({ status: 400, code: 'BAD_BODY' })
})

test('a zstd window beyond the 8 MiB of RFC 9659 is refused', async () => {
  const body = zstdCompressSync(Buffer.alloc(40_000_000), { params: { [constants.ZSTD_c_windowLog]: 25 } })
  expect(problemOf(await post(body, { 'content-encoding': 'zstd' }))).toEqual({
    status: 400,
    code: 'BAD_BODY',
  })
})

test.each(['br', 'deflate', 'gzip, gzip', 'rot13', ''])(
  'content encoding %j is a 415 that says what is taken',
  async (encoding) => {
    const answer = await post('x', { 'content-encoding': encoding })
    expect(problemOf(answer)).toEqual({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' })
    expect(answer.headers['accept-encoding']).toBe('gzip, zstd')
  },
)

test('a body that announces too much is refused before it comes', async () => {
  const client = await connectTo(world.system.url)
  client.send(postHead(BODY_BYTES + 1))
  await eventually(() => client.received().includes('TOO_LARGE') || undefined)
  expect(client.received()).toMatch(/^HTTP\/1\.1 413 /)
})

test('more bytes than may be in flight are refused with Retry-After, and taken when there is room', async () => {
  const clients = await Promise.all(Array.from({ length: 5 }, () => connectTo(world.system.url)))
  for (const client of clients) client.send(`${postHead(BODY_BYTES)}${' '.repeat(BODY_BYTES - 1)}`)
  await eventually(async () => (await inFlight()) === 5 * (BODY_BYTES - 1) || undefined)
  const body = ndjson(callOf('urn:room', 'a'))
  const refused = await post(body)
  expect(problemOf(refused)).toEqual({ status: 503, code: 'OVERLOADED' })
  expect(refused.headers['retry-after']).toBe('1')
  for (const client of clients.slice(1)) client.socket.destroy()
  const last = clients[0]
  last?.send(' ')
  await eventually(() => last?.received().includes('EMPTY_SUBMISSION') || undefined)
  await eventually(async () => (await inFlight()) === 0 || undefined)
  expect((await post(body)).status).toBe(201)
})
