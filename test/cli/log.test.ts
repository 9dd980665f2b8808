import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLog, type LogFormat, type LogLevel } from '../../src/cli/log.ts'
import { callOf, exchange, NDJSON, ndjson } from '../api/world.ts'
import { endAfterTest, makeFolder, startUp } from '../e2e/processes.ts'

function logTo(format: LogFormat, level: LogLevel, isTTY = false) {
  const lines: string[] = []
  return { lines, log: createLog({ write: (line) => lines.push(line), isTTY }, format, level) }
}

const REQUEST = { requestId: 'r1', method: 'GET', route: '/v1/ledger', durationMs: 1.23456 }

test('a line is JSON, or text on a terminal', () => {
  const json = logTo('auto', 'info')
  json.log.progress('starting')
  expect(JSON.parse(json.lines[0] ?? '')).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    msg: 'starting',
  })
  const text = logTo('auto', 'info', true)
  text.log.progress('starting')
  text.log.trouble('a request failed', Object.assign(new Error('no room'), { code: 'ENOSPC' }), 'r1')
  expect(text.lines[0]).toMatch(/^\d\d:\d\d:\d\d tidemark: starting\n$/)
  expect(text.lines[1]).toMatch(/ tidemark: error: a request failed: no room requestId=r1 code=ENOSPC\n$/)
})

test('answers as usual are told at level debug only, refusals and faults louder', () => {
  const { lines, log } = logTo('json', 'debug')
  for (const status of [200, 404, 503, 500]) log.request({ ...REQUEST, status })
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(['debug', 'info', 'warn', 'error'])
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ ...REQUEST, durationMs: 1.235 })
  const quiet = logTo('json', 'warn')
  for (const status of [200, 404, 503, 500]) quiet.log.request({ ...REQUEST, status })
  expect(quiet.lines).toHaveLength(2)
})

test('the cause of an error stays out: parsers quote what they read', () => {
  const { lines, log } = logTo('json', 'info')
  log.trouble('a request failed', new Error('a line is no record', { cause: new Error('clerk 17') }))
  log.trouble('a request failed', 'clerk 17')
  expect(lines.join('')).not.toContain('clerk 17')
})

test('a whole run logs JSON lines with request ids, and nothing of a record', async () => {
  const folder = await makeFolder()
  onTestFinished(folder.remove)
  const up = endAfterTest(
    await startUp([
      '--data',
      join(folder.path, 'data'),
      '--port',
      '0',
      '--chain-port',
      '0',
      '--log-level',
      'debug',
    ]),
  )
  const record = callOf('urn:secret-source', 'secret-id')
  const post = (body: string, headers: Record<string, string> = {}) =>
    exchange(up.url, 'POST', '/v1/submissions', {
      headers: { ...NDJSON, 'x-request-id': 'the-request', ...headers },
      body,
    })
  expect((await post(ndjson(record))).status).toBe(201)
  expect((await post(ndjson({ ...record, time: 'secret-noon' }))).status).toBe(422)
  expect((await post('{"secret-json')).status).toBe(400)
  expect((await post(ndjson(record), { authorization: 'Bearer secret-token' })).status).toBe(401)
  await exchange(up.url, 'GET', '/v1/proofs?id=secret-query')
  expect(await up.stop()).toBe(0)

  const lines = up.stderr().trimEnd().split('\n')
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(entries.filter(({ requestId }) => requestId === 'the-request').map(({ status }) => status)).toEqual([
    201, 422, 400, 401,
  ])
  expect(entries.map(({ msg }) => msg)).toContain('finishing what was accepted')
  expect(up.stderr()).not.toMatch(/secret|clerk 17/)
})
