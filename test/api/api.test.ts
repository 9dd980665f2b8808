import { rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { toHex } from '../../src/bytes/hex.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import { createLedger } from '../../src/chain/ledger.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { verifyProof } from '../../src/verify/index.ts'
import { runs } from '../bytes/runs.ts'
import type { Json } from '../record/examples.ts'
import { eventually } from '../store/temporary.ts'
import {
  type Answer,
  callOf,
  exchange,
  freePort,
  keepAliveAgent,
  NDJSON,
  ndjson,
  startTestSystem,
  type TestSystem,
} from './world.ts'

let world: TestSystem
const agent = keepAliveAgent()

beforeAll(async () => {
  world = await startTestSystem()
  for (let i = 0; i < 3; i++) {
    const records = Array.from({ length: 5 }, (_, k) => callOf('urn:base', `base-${i}-${k}`))
    expect((await post(ndjson(...records))).status).toBe(201)
    await untilFinal('urn:base', String(i))
  }
})
afterAll(async () => {
  agent.destroy()
  await world.close()
})

const get = (path: string) => exchange(world.system.url, 'GET', path, { agent })
const post = (body: string | Uint8Array, headers: Record<string, string> = NDJSON) =>
  exchange(world.system.url, 'POST', '/v1/submissions', { headers, body, agent })

const untilFinal = (source: string, sequence: string) =>
  eventually(async () => {
    const { text } = await get(`/v1/submissions?${new URLSearchParams({ source, sequence })}`)
    return JSON.parse(text).state === 'final' ? JSON.parse(text) : undefined
  })

function expectProblem(answer: Answer, status: number, code: string, more: object = {}): void {
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(JSON.parse(answer.text)).toEqual({
    type: `urn:tidemark:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: expect.stringMatching(/../),
    detail: expect.stringMatching(/../),
    instance: `urn:tidemark:request:${answer.headers['x-request-id']}`,
    status,
    code,
    ...more,
  })
  expect(answer.status).toBe(status)
}

describe('POST /v1/submissions', () => {
  test('answers 201 with the receipt and where to ask for it', async () => {
    const answer = await post(
      ndjson(callOf('urn:post:%C3%A9&x=1+2', 'a'), callOf('urn:post:%C3%A9&x=1+2', 'b')),
    )
    expect(answer.status).toBe(201)
    const { receipt } = JSON.parse(answer.text)
    expect(receipt).toMatchObject({
      format: 'tidemark-receipt/1',
      source: 'urn:post:%C3%A9&x=1+2',
      sequence: '0',
      size: '2',
      ledger: world.system.identity.ledger,
      publisher: world.system.publisher,
      chainId: '31337',
    })
    const { location = '' } = answer.headers
    expect(location).toMatch(/^\/v1\/submissions\?source=/)
    expect(JSON.parse((await get(location)).text).receipt).toMatchObject({
      ...receipt,
      signature: expect.any(String),
    })
  })

  test('takes one event and a batch of events as well', async () => {
    const one = await post(JSON.stringify(callOf('urn:forms', 'a')), {
      'content-type': 'application/cloudevents+json',
    })
    const batch = await post(JSON.stringify([callOf('urn:forms', 'b'), callOf('urn:forms', 'c')]), {
      'content-type': 'application/cloudevents-batch+json; charset=utf-8',
    })
    expect([one.status, batch.status]).toEqual([201, 201])
    expect(JSON.parse(batch.text).receipt).toMatchObject({ sequence: '1', size: '2' })
  })

  test('takes a compressed body', async () => {
    const body = gzipSync(ndjson(callOf('urn:gzip', 'a')))
    expect((await post(body, { ...NDJSON, 'content-encoding': 'gzip' })).status).toBe(201)
  })

  test('under a number is the same submission however often it comes', async () => {
    const headers = { ...NDJSON, 'tidemark-sequence': '0' }
    const answers = [
      await post(ndjson(callOf('urn:again', 'a')), headers),
      await post(ndjson(callOf('urn:again', 'a')), headers),
    ]
    await untilFinal('urn:again', '0')
    answers.push(await post(ndjson(callOf('urn:again', 'a')), headers))
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
    const receipts = answers.map(({ text }) => JSON.parse(text).receipt)
    expect(
      new Set(receipts.map(({ root, receivedAt, sequence }) => `${root} ${receivedAt} ${sequence}`)).size,
    ).toBe(1)
    expectProblem(await post(ndjson(callOf('urn:again', 'b')), headers), 409, 'SEQUENCE_CONFLICT')
    expectProblem(
      await post(ndjson(callOf('urn:again', 'b')), { ...NDJSON, 'tidemark-sequence': '2' }),
      409,
      'SEQUENCE_GAP',
    )
  })

  test.each(['', '-1', '01', '1.0', 'one', '18446744073709551616', '0x1', '0, 0'])(
    'refuses the number %j',
    async (sequence) => {
      const answer = await post(ndjson(callOf('urn:wrong', 'a')), {
        ...NDJSON,
        'tidemark-sequence': sequence,
      })
      expectProblem(answer, 400, 'BAD_ARGUMENT')
    },
  )

  const good = callOf('urn:bad', 'a')
  test.each<[string, string, number, string, object]>([
    ['a line that is no JSON', `${ndjson(good)}{"a`, 400, 'BAD_JSON', { line: 2 }],
    [
      'a wrong member',
      ndjson(good, callOf('urn:bad', 'b', { time: 'noon' })),
      422,
      'BAD_RECORD',
      { line: 2, pointer: '/time' },
    ],
    [
      'another source',
      ndjson(good, callOf('urn:other', 'b')),
      422,
      'MIXED_SOURCES',
      { line: 2, pointer: '/source' },
    ],
    ['an id twice', `\n${ndjson(good, good)}`, 422, 'DUPLICATE_ID', { line: 3, pointer: '/id' }],
    ['no record', '\n\n', 400, 'EMPTY_SUBMISSION', {}],
    [
      'too many records',
      ndjson(...Array.from({ length: 101 }, (_, i) => callOf('urn:bad', `${i}`))),
      413,
      'TOO_LARGE',
      { line: 101 },
    ],
  ])('refuses %s, with the place', async (_, body, status, code, place) => {
    expectProblem(await post(body), status, code, place)
    const { text } = await get('/v1/submissions?source=urn:bad')
    expect(JSON.parse(text), 'nothing was taken').toMatchObject({ nextSequence: '0' })
  })

  test('refuses bodies that it cannot take', async () => {
    const body = ndjson(callOf('urn:bad', 'a'))
    expectProblem(await post(''), 400, 'EMPTY_SUBMISSION')
    expectProblem(await post('x'.repeat(200_001)), 413, 'TOO_LARGE')
    expectProblem(
      await post(gzipSync('x'.repeat(1_000_000)), { ...NDJSON, 'content-encoding': 'gzip' }),
      413,
      'TOO_LARGE',
    )
    for (const type of ['application/json', 'text/plain', 'nonsense', '']) {
      expectProblem(await post(body, { 'content-type': type }), 415, 'UNSUPPORTED_MEDIA_TYPE')
    }
    expectProblem(await post(body, { ...NDJSON, 'content-encoding': 'rot13' }), 415, 'UNSUPPORTED_MEDIA_TYPE')
    expectProblem(await post('not gzip', { ...NDJSON, 'content-encoding': 'gzip' }), 400, 'BAD_BODY')
    expectProblem(await post(Uint8Array.of(0xc3, 0x28)), 400, 'BAD_JSON', { line: 1 })
  })
})

describe('GET', () => {
  test('/v1/submissions says which number is next, and how far one has come', async () => {
    expect(JSON.parse((await get('/v1/submissions?source=urn:base')).text)).toEqual({
      source: 'urn:base',
      nextSequence: '3',
    })
    const found = await untilFinal('urn:base', '1')
    expect(found).toMatchObject({
      state: 'final',
      receipt: { source: 'urn:base', sequence: '1', size: '5' },
      batch: { publisher: world.system.publisher, first: 0 },
      anchor: { ledgerIndex: found.batch.sequence, transactionHash: expect.stringMatching(/^0x/) },
    })
    expectProblem(await get('/v1/submissions?source=urn:base&sequence=3'), 404, 'NOT_FOUND')
    expectProblem(
      await get('/v1/submissions?source=urn:base&sequence=18446744073709551615'),
      404,
      'NOT_FOUND',
    )
  })

  test('/v1/records gives the sealed record and where it is', async () => {
    const answer = await get('/v1/records?source=urn:base&id=base-1-3')
    expect(answer.status).toBe(200)
    const { records } = JSON.parse(answer.text)
    expect(records).toHaveLength(1)
    expect(records[0]).toMatchObject({
      record: { source: 'urn:base', id: 'base-1-3', data: { _sd_alg: 'sha-256' } },
      batch: { publisher: world.system.publisher, position: 3 },
      final: true,
      submission: { sequence: '1', receivedAt: expect.stringMatching(/^\d+$/), signed: false },
    })
    expect((await get('/v1/records?resource=civil-registry/births&limit=1')).text).not.toContain('submission')
    expect(answer.text).not.toContain('clerk 17')
    expectProblem(await get('/v1/records?source=urn:base&id=none'), 404, 'NOT_FOUND')
  })

  test('/v1/records lists what is under a key and in a time, newest first, a page at a time', async () => {
    const places = (text: string) =>
      JSON.parse(text).records.map(
        ({ anchor, batch }: { anchor: { ledgerIndex: string }; batch: { position: number } }) =>
          [Number(anchor.ledgerIndex), batch.position] as const,
      )
    const records = Array.from({ length: 7 }, (_, i) =>
      callOf('urn:pages', `page-${i}`, { subject: 'pages', time: `2026-03-02T0${i}:00:00.000Z` }),
    )
    await post(ndjson(...records.slice(0, 4)))
    await untilFinal('urn:pages', '0')
    await post(ndjson(...records.slice(4)))
    await untilFinal('urn:pages', '1')
    const whole = await get('/v1/records?resource=pages')
    const found = places(whole.text)
    expect(found.map(([, position]: [number, number]) => position)).toEqual([2, 1, 0, 3, 2, 1, 0])
    expect(found[0][0]).toBeGreaterThan(found[3][0])
    const { ledger, searched, cursor } = JSON.parse(whole.text)
    expect(Number(ledger.size)).toBeGreaterThan(found[0][0])
    expect(searched).toBeGreaterThanOrEqual(2)
    expect(cursor).toBeUndefined()

    const paged = []
    for (let query = '', pages = 0; pages < 100; pages++) {
      const page = await get(`/v1/records?resource=pages&limit=2${query}`)
      paged.push(...places(page.text))
      const next = JSON.parse(page.text).cursor
      if (next === undefined) break
      query = `&cursor=${next}`
    }
    expect(paged).toEqual(found)

    const ids = async (query: string) =>
      JSON.parse((await get(`/v1/records?${query}`)).text).records.map(
        ({ record }: { record: { id: string } }) => record.id,
      )
    const range = 'from=2026-03-02T02:00:00.000Z&to=2026-03-02T05:00:00.000Z'
    expect(await ids(`resource=pages&${range}`)).toEqual(['page-4', 'page-3', 'page-2'])
    expect(await ids(`resource=pages&consumer=traffic-office&${range}`)).toHaveLength(3)
    expect(await ids('resource=pages&consumer=nobody')).toEqual([])
  })

  test('/v1/records opens pseudonyms only when asked to, and never private members', async () => {
    const closed = await get('/v1/records?source=urn:base&id=base-1-3')
    expect(closed.text).not.toContain('disclosures')
    const asked = await get('/v1/records?source=urn:base&id=base-1-3&disclose=person')
    expect(JSON.parse(asked.text).records[0].disclosures).toHaveLength(1)
    const privates = await get('/v1/records?source=urn:base&id=base-1-3&disclose=person,agent')
    expectProblem(privates, 400, 'BAD_ARGUMENT')
  })

  test('/v1/stats counts calls by hour and day, resources and grants', async () => {
    const time = (text: string) => ({ time: `2026-04-01T${text}.000Z`, subject: 'stats' })
    await post(
      ndjson(
        callOf('urn:stats', 'a', time('08:10:00')),
        callOf('urn:stats', 'b', time('08:50:00')),
        callOf('urn:stats', 'c', time('11:00:00')),
      ),
    )
    await untilFinal('urn:stats', '0')
    const stats = (query: string) =>
      eventually(async () => {
        const found = JSON.parse((await get(`/v1/stats?by=resource&key=stats${query}`)).text)
        return found.points.length > 0 ? found : undefined
      })
    const { points, resources, grants } = await stats('')
    const volume = { refused: 0, failed: 0 }
    expect(points).toEqual([
      {
        key: 'stats',
        start: '2026-04-01T08:00:00.000Z',
        calls: 2,
        ...volume,
        rows: 2,
        requestBytes: 624,
        responseBytes: 4096,
      },
      expect.objectContaining({ key: 'stats', start: '2026-04-01T11:00:00.000Z', calls: 1 }),
    ])
    expect(resources.used).toBeGreaterThanOrEqual(1)
    expect(resources.shared).toBeGreaterThanOrEqual(resources.used)
    expect(grants).toEqual({ given: 0, called: 0, medianMs: null })
    expect((await stats('&step=day')).points).toMatchObject([{ start: '2026-04-01T00:00:00.000Z', calls: 3 }])
    const later = await stats('&from=2026-04-01T08:00:00.001Z')
    expect(later.points).toHaveLength(1)
    const may = '&from=2026-05-01&to=2026-06-01'
    const { latest } = JSON.parse((await get(`/v1/stats?by=resource&key=stats${may}`)).text)
    expect(latest).toBe('2026-04-01T11:00:00.000Z')
  })

  test('/v1/stats takes the days of a local time, or all that is asked for as one, and knows who calls whom', async () => {
    const time = (text: string) => ({ time: `2026-04-${text}:00:00.000Z`, subject: 'days' })
    const sides = { side: 'provider', consumer: 'urn:"x', provider: 'urn:y' }
    await post(
      ndjson(
        ...['02T15', '02T16', '03T15', '03T16'].map((at) => {
          const { data, ...rest } = callOf('urn:days', at, time(at))
          return { ...rest, data: { ...(data as Json), ...sides } }
        }),
      ),
    )
    await untilFinal('urn:days', '0')
    const stats = async (query: string) => {
      const { text } = await get(
        `/v1/stats?key=${encodeURIComponent('["urn:\\"x","urn:y"]')}&by=pair&${query}`,
      )
      return JSON.parse(text).points.map(({ start, calls }: Json) => [start, calls])
    }
    const points = await eventually(async () => {
      const found = await stats('step=day&utcOffset=480')
      return found.length > 0 ? found : undefined
    })
    expect(points).toEqual([
      ['2026-04-01T16:00:00.000Z', 1],
      ['2026-04-02T16:00:00.000Z', 2],
      ['2026-04-03T16:00:00.000Z', 1],
    ])
    const part = 'from=2026-04-02T16:00:00.000Z&to=2026-04-03T16:00:00.000Z'
    expect(await stats(`step=whole&${part}`)).toEqual([['2026-04-02T16:00:00.000Z', 2]])
    const negative = await stats('step=day&utcOffset=-480')
    expect(negative[0]).toEqual(['2026-04-02T08:00:00.000Z', 2])
  })

  test('/v1/proofs gives a proof that a stranger verifies', async () => {
    const facts = chainFacts(createRpc(world.system.rpcUrl), { finality: { kind: 'tag' } })
    for (const [query, disclosures] of [
      ['id=base-2-4', 0],
      ['id=base-2-4&source=urn:base', 0],
      ['id=base-2-4&disclose=person', 1],
    ] as const) {
      const answer = await get(`/v1/proofs?${query}`)
      expect(answer.status).toBe(200)
      expect(answer.headers['content-type']).toMatch(/^application\/vnd\.tidemark\.proof\+json/)
      const proof = JSON.parse(answer.text)
      expect(proof.disclosures).toHaveLength(disclosures)
      const verified = await verifyProof(proof, facts, { ledger: world.system.identity.ledger })
      expect(verified.record.id).toBe('base-2-4')
    }
    expectProblem(await get('/v1/proofs?id=none'), 404, 'NOT_FOUND')
    expectProblem(await get('/v1/proofs?id=base-2-4&source=urn:none'), 404, 'NOT_FOUND')
  })

  test('/v1/proofs asks for the source when several have the id', async () => {
    for (const source of ['urn:twin:1', 'urn:twin:2']) {
      await post(ndjson(callOf(source, 'twin')))
      await untilFinal(source, '0')
    }
    const answer = await get('/v1/proofs?id=twin')
    expectProblem(answer, 400, 'BAD_ARGUMENT')
    expect(answer.text).toContain('urn:twin:1, urn:twin:2')
    expect((await get('/v1/proofs?id=twin&source=urn:twin:2')).status).toBe(200)
  })

  test('/v1/batches lists the entries of the ledger, newest first, a page at a time', async () => {
    const all = JSON.parse((await get('/v1/batches?limit=500')).text).batches
    expect(all.length).toBeGreaterThanOrEqual(3)
    expect(all.map(({ anchor }: { anchor: { ledgerIndex: string } }) => Number(anchor.ledgerIndex))).toEqual(
      all.map((_: unknown, i: number) => all.length - 1 - i),
    )
    expect(all.at(-1)).toMatchObject({ state: 'verified', final: true, batch: { sequence: '0' } })
    const paged = []
    for (let query = '?limit=2', pages = 0; pages < 100; pages++) {
      const { batches, next } = JSON.parse((await get(`/v1/batches${query}`)).text)
      paged.push(...batches)
      if (next === undefined) break
      query = `?limit=2&before=${next}`
    }
    expect(paged).toEqual(all)
    for (const before of ['0', '18446744073709551615', '9223372036854775808']) {
      expect((await get(`/v1/batches?before=${before}`)).status).toBe(200)
    }
  })

  test('/v1/ledger gives the head that the contract has', async () => {
    const ledger = createLedger(createRpc(world.system.rpcUrl), world.system.identity.ledger)
    const found = await eventually(async () => {
      const answer = JSON.parse((await get('/v1/ledger')).text)
      return answer.size === String(await ledger.size()) ? answer : undefined
    })
    expect(found).toMatchObject({
      chainId: '31337',
      ledger: world.system.identity.ledger,
      authorizations: world.system.rights?.authorizations,
      root: toHex(await ledger.root()),
      peaks: (await ledger.peaks()).map(toHex),
      lagging: false,
    })
  })

  test('/healthz is ok', async () => {
    const answer = await get('/healthz')
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.text)).toMatchObject({ status: 'ok', problems: [] })
  })
})

describe('a wrong question', () => {
  test.each([
    '/v1/records',
    '/v1/records?source=a',
    '/v1/records?id=a',
    '/v1/records?source=&id=a',
    '/v1/records?source=a&source=b&id=c',
    '/v1/records?source[]=a&id=b',
    '/v1/records?limit=1',
    '/v1/records?person=a&person=b',
    '/v1/records?person=a&limit=501',
    '/v1/records?person=a&source=b',
    '/v1/records?person=a&cursor=!',
    '/v1/records?person=a&cursor=AAAA',
    `/v1/records?person=a&cursor=${'A'.repeat(400)}`,
    '/v1/records?person=a&from=noon',
    '/v1/records?person=a&from=2026-02-30T00:00:00.000Z',
    '/v1/records?person=a&from=2026-01-02T00:00:00.000Z&to=2026-01-02T00:00:00.000Z',
    '/v1/stats',
    '/v1/stats?by=weather',
    '/v1/stats?by=resource&step=week',
    '/v1/stats?by=resource&utcOffset=30',
    '/v1/stats?by=resource&utcOffset=900',
    '/v1/stats?by=resource&to=1969-01-01T00:00:00.000Z',
    '/v1/submissions',
    '/v1/submissions?source=',
    '/v1/submissions?source=a&source=a',
    '/v1/submissions?source=a&sequence=',
    '/v1/submissions?source=a&sequence=-1',
    '/v1/submissions?source=a&sequence=1e3',
    '/v1/submissions?source=a&sequence=18446744073709551616',
    `/v1/submissions?source=a&sequence=${'9'.repeat(400)}`,
    '/v1/submissions?source=a&sequence=1&sequence=1',
    '/v1/proofs',
    '/v1/proofs?id=',
    '/v1/proofs?id=a&id=b',
    '/v1/proofs?id=a&disclose=',
    '/v1/batches?limit=0',
    '/v1/batches?limit=501',
    '/v1/batches?limit=-1',
    '/v1/batches?limit=',
    `/v1/batches?limit=${'9'.repeat(19)}`,
    '/v1/batches?before=x',
    '/v1/batches?before=1&before=2',
  ])('%s is a 400', async (path) => {
    expectProblem(await get(path), 400, 'BAD_ARGUMENT')
  })

  test.each([
    ['GET', '/assets/none.js'],
    ['GET', '/v1'],
    ['GET', '/v2/records'],
    ['GET', '/v1/records/x'],
    ['GET', '/%zz'],
    ['GET', '/v1/../../etc/passwd'],
    ['DELETE', '/v1/submissions'],
    ['PUT', '/v1/records'],
    ['POST', '/v1/ledger'],
  ])('%s %s is a 404', async (method, path) => {
    expectProblem(await exchange(world.system.url, method, path, { agent }), 404, 'NOT_FOUND')
  })

  test('of whatever kind is never a 500', async () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('urn:base', '0', '9'.repeat(30), '__proto__', '\0'),
    )
    const query = fc.array(
      fc.tuple(
        fc.constantFrom(
          ...['source', 'id', 'sequence', 'limit', 'before', 'disclose', '__proto__', 'source[]'],
          ...['person', 'resource', 'cursor', 'from', 'to', 'by', 'step', 'key'],
        ),
        text,
      ),
      { maxLength: 4 },
    )
    const path = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          '/v1/submissions',
          '/v1/submissions/proof',
          '/v1/records',
          '/v1/stats',
          '/v1/proofs',
          '/v1/batches',
          '/v1/ledger',
          '/healthz',
        ),
      },
      fc.webPath().map((path) => `/${path}`),
    )
    const body = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value)),
      fc.uint8Array({ maxLength: 300 }),
      fc
        .dictionary(
          fc.constantFrom('record', 'disclosures', 'source', 'id', 'data', 'type', '_sd', 'time'),
          fc.jsonValue({ maxDepth: 2 }),
        )
        .map((value) => ndjson({ ...callOf('urn:fuzz', 'a'), ...value })),
      fc.integer({ min: 1, max: 30_000 }).map((depth) => `${'[{"data":'.repeat(depth)}`),
      fc.integer({ min: 1, max: 20_000 }).map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`),
    )
    const headers = fc.record(
      {
        'content-type': fc.constantFrom(
          'application/x-ndjson',
          'application/cloudevents+json',
          'application/cloudevents-batch+json',
          'text/plain',
          ';;',
        ),
        'content-encoding': fc.constantFrom('gzip', 'br', 'zstd', 'identity', 'x'),
        'tidemark-sequence': fc.constantFrom('0', '1', 'x', '18446744073709551615'),
        'tidemark-root': fc.constantFrom('', 'x', `0x${'00'.repeat(32)}`),
        'tidemark-signature': fc.constantFrom('', 'x', `0x${'11'.repeat(64)}1b`, `0x${'ff'.repeat(64)}1c`),
        authorization: fc.constantFrom('Bearer x', 'Bearer', 'Basic x', '', 'bearer __proto__'),
        accept: fc.constantFrom('*/*', 'text/html', ';'),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'),
        path,
        query,
        headers,
        body,
        async (method, at, pairs, given, content) => {
          const search = new URLSearchParams(pairs).toString()
          const hasBody = method !== 'GET' && method !== 'HEAD'
          const answer = await exchange(
            world.system.url,
            method,
            `${at}${search === '' ? '' : `?${search}`}`,
            {
              headers: given,
              ...(hasBody && { body: content }),
              agent,
            },
          )
          expect(answer.status, answer.text).toBeLessThan(500)
          if (answer.status >= 400 && method !== 'HEAD') {
            expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
          }
        },
      ),
      runs(400),
    )
    expect(world.troubles).toEqual([])
  })
})

test('A LOG THAT CANNOT GO ON: submissions are refused, /healthz says why, and it still ends', async () => {
  const own = await startTestSystem()
  onTestFinished(own.close)
  const send = (id: string) =>
    exchange(own.system.url, 'POST', '/v1/submissions', {
      headers: NDJSON,
      body: ndjson(callOf('urn:log', id)),
    })
  // Always full, and it cannot be cut back: what the next segment will be written to.
  await symlink('/dev/full', join(own.dataPath, 'log', '000000000001.wal'))
  expect((await send('a')).status).toBe(201)
  const refused = await eventually(async () => {
    const answer = await send('b')
    return answer.status === 201 ? undefined : answer
  })
  expectProblem(refused, 503, 'STORE_FAILED')
  const health = await exchange(own.system.url, 'GET', '/healthz')
  expect(health.status).toBe(503)
  expect(JSON.parse(health.text)).toMatchObject({
    status: 'degraded',
    problems: [expect.stringMatching(/^write-ahead log: .*restart/)],
  })
  await rm(join(own.dataPath, 'log', '000000000001.wal'))
})

describe('a system that starts or ends', () => {
  test('answers 503 while it starts, so that nobody waits for ever', async () => {
    const port = await freePort()
    const asked: Promise<Answer>[] = []
    const { close } = await startTestSystem({
      port,
      onProgress: () => asked.push(exchange(`http://127.0.0.1:${port}`, 'GET', '/v1/ledger')),
    })
    onTestFinished(close)
    const answers = await Promise.all(asked)
    expect(answers.length).toBeGreaterThan(1)
    for (const answer of answers) {
      expect(answer.status).toBe(503)
      expect(answer.headers['retry-after']).toBe('1')
      expect(JSON.parse(answer.text).detail).toContain('starting')
    }
  })

  test('says of a port that someone else uses that it is in use', async () => {
    const port = Number(new URL(world.system.url).port)
    await expect(startTestSystem({ port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(`port ${port} is in use`),
    })
  })

  test('refuses what comes while it ends, and finishes what it has taken', async () => {
    const own = await startTestSystem({ policy: { sealAfterMs: 60_000 } })
    onTestFinished(own.close)
    const keep = keepAliveAgent()
    onTestFinished(() => keep.destroy())
    const answer = await exchange(own.system.url, 'POST', '/v1/submissions', {
      headers: NDJSON,
      body: ndjson(callOf('urn:last', 'a')),
      agent: keep,
    })
    expect(answer.status).toBe(201)
    await own.system.stop()
    await expect(exchange(own.system.url, 'GET', '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const again = await startTestSystem({ dataPath: own.dataPath })
    onTestFinished(again.close)
    const { text } = await exchange(again.system.url, 'GET', '/v1/submissions?source=urn:last&sequence=0')
    expect(JSON.parse(text).batch).toMatchObject({ sequence: '0', first: 0 })
  })
})
