import { expect, onTestFinished, test } from 'vitest'
import type { RequestSummary } from '../../src/api/requests.ts'
import { eventually } from '../store/temporary.ts'
import { callOf, exchange, NDJSON, ndjson, startTestSystem, type TestSystem } from './world.ts'

/** Samples by name and labels, as Prometheus' text format spells them. */
async function scrape({ system }: TestSystem): Promise<Map<string, number>> {
  const answer = await exchange(system.url, 'GET', '/metrics')
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  const samples = answer.text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    samples.map((line) => {
      const end = line.lastIndexOf(' ')
      return [line.slice(0, end), Number(line.slice(end + 1).replace('+Inf', 'Infinity'))]
    }),
  )
}

const post = ({ system }: TestSystem, ...records: unknown[]) =>
  exchange(system.url, 'POST', '/v1/submissions', { headers: NDJSON, body: ndjson(...records) })

test('metrics follow a submission from the log to the end of the chain', async () => {
  const world = await startTestSystem({ policy: { sealAfterMs: 200, promiseMs: 60_000 } })
  onTestFinished(world.close)
  expect((await scrape(world)).get('tidemark_receipt_promise_seconds_left')).toBe(Number.POSITIVE_INFINITY)

  await post(world, callOf('urn:metrics', 'a'), callOf('urn:metrics', 'b'))
  const waiting = await scrape(world)
  expect(waiting.get('tidemark_submissions_accepted_total')).toBe(1)
  expect(waiting.get('tidemark_records_accepted_total')).toBe(2)
  expect(waiting.get('tidemark_bytes_accepted_total')).toBeGreaterThan(400)
  expect(waiting.get('tidemark_log_syncs_total')).toBe(1)
  expect(waiting.get('tidemark_records_waiting')).toBe(2)
  const left = waiting.get('tidemark_receipt_promise_seconds_left')
  expect(left).toBeGreaterThan(50)
  expect(left).toBeLessThanOrEqual(60)

  const done = await eventually(async () => {
    const samples = await scrape(world)
    return samples.get('tidemark_batches{state="final"}') === 1 &&
      samples.get('tidemark_batches{state="verified"}') === 1 &&
      samples.get('tidemark_evidence_missing') === 0
      ? samples
      : undefined
  })
  for (const [name, value] of Object.entries({
    'batches{state="sealed"}': 1,
    'batches{state="anchored"}': 1,
    'batches{state="fraud"}': 0,
    'batches{state="withheld"}': 0,
    evidence_missing: 0,
    records_waiting: 0,
    batches_not_anchored: 0,
    oldest_not_anchored_seconds: 0,
    'transactions_sent_total{kind="first"}': 1,
    'transactions_sent_total{kind="bump"}': 0,
    receipt_promise_seconds_left: Number.POSITIVE_INFINITY,
    problems: 0,
  })) {
    expect(done.get(`tidemark_${name}`), name).toBe(value)
  }
  expect(done.get('tidemark_last_max_fee_wei')).toBeGreaterThan(0)
  for (const stat of ['p50', 'p99', 'max']) {
    expect(done.get(`tidemark_event_loop_delay_seconds{stat="${stat}"}`)).toBeGreaterThanOrEqual(0)
  }
})

test('the seconds left of a promise are negative when it is broken', async () => {
  const policy = { sealAfterMs: 600_000, promiseMs: 1 }
  const world = await startTestSystem({ policy })
  onTestFinished(world.close)
  await post(world, callOf('urn:late', 'a'))
  const left = await eventually(async () => {
    const seconds = (await scrape(world)).get('tidemark_receipt_promise_seconds_left') ?? 0
    return seconds < 0 ? seconds : undefined
  })
  expect(left).toBeGreaterThan(-60)
})

test('requests are counted by route and status, few of each whatever is asked for', async () => {
  const seen: RequestSummary[] = []
  const world = await startTestSystem({ onRequest: (summary) => void seen.push(summary) })
  onTestFinished(world.close)
  for (let i = 0; i < 30; i++) {
    await exchange(world.system.url, 'GET', `/v1/records?source=urn:x&id=${i}`)
    await exchange(world.system.url, ['GET', 'DELETE', 'PROPFIND'][i % 3] ?? '', `/made-up-${i}`)
  }
  const samples = await scrape(world)
  const counts = [...samples].filter(([name]) =>
    name.startsWith('tidemark_http_request_duration_seconds_count'),
  )
  const name = 'tidemark_http_request_duration_seconds_count'
  expect(Object.fromEntries(counts)).toEqual({
    [`${name}{method="GET",route="/v1/records",status="404"}`]: 30,
    [`${name}{method="GET",route="none",status="404"}`]: 10,
    [`${name}{method="other",route="none",status="404"}`]: 20,
  })
  expect(seen[0]).toEqual({
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    method: 'GET',
    route: '/v1/records',
    status: 404,
    problem: 'NOT_FOUND',
    durationMs: expect.any(Number),
  })
})

test('a sane X-Request-Id is kept in answer and problem, any other is replaced', async () => {
  const world = await startTestSystem()
  onTestFinished(world.close)
  const ask = (id: string) =>
    exchange(world.system.url, 'GET', '/v1/records', { headers: { 'x-request-id': id } })
  const kept = await ask('gate:7_a.b-C')
  expect(kept.headers['x-request-id']).toBe('gate:7_a.b-C')
  expect(JSON.parse(kept.text).instance).toBe('urn:tidemark:request:gate:7_a.b-C')
  for (const odd of ['', 'a b', '<script>', 'x'.repeat(129), 'é']) {
    const { headers } = await ask(odd)
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/)
  }
})
