import { gzipSync, zstdCompressSync } from 'node:zlib'
import { Validator } from '@seriousme/openapi-schema-validator'
import fc, { type Arbitrary } from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AppParts, createApp } from '../../src/api/app.ts'
import type { DocumentedOperation } from '../../src/api/openapi.ts'
import { withSources } from '../../src/cli/catalogue.ts'
import { parseRulePolicy } from '../../src/rules/policy.ts'
import { runs } from '../bytes/runs.ts'
import { eventually } from '../store/temporary.ts'
import { type Contract, fetchContract } from './contract.ts'
import { readEvents } from './event-stream.ts'
import { fromSchema, mutated } from './from-schema.ts'
import {
  callOf,
  exchange,
  keepAliveAgent,
  NDJSON,
  ndjson,
  startTestSystem,
  type TestSystem,
} from './world.ts'

let world: TestSystem
let contract: Contract
const agent = keepAliveAgent()

beforeAll(async () => {
  world = await startTestSystem({ rules: parseRulePolicy({ reorderMs: 0 }), reading: 'tokens' })
  contract = await fetchContract(world.system.url)
})
afterAll(async () => {
  agent.destroy()
  await world.close()
})

const ask = (method: string, path: string, options: Parameters<typeof exchange>[3] = {}) =>
  exchange(world.system.url, method, path, { agent, ...options })

test('the document is valid OpenAPI 3.1, by a validator that we did not write', async () => {
  const validator = new Validator()
  // It changes what it is given.
  const { valid, errors } = await validator.validate({ ...structuredClone(contract.document) })
  expect(errors).toBeUndefined()
  expect(valid).toBe(true)
  expect(validator.version).toBe('3.1')
})

test('the routes of the application and those of the document are the same', () => {
  // Routes are only registered here, never called: what they work with is not needed.
  const app = createApp({
    publishing: { gateway: {}, limits: {}, batchFiles: {} },
    access: {},
    desk: {},
    identity: {},
    metrics: () => undefined,
    events: () => undefined,
  } as unknown as AppParts)
  const served = app.router.stack.flatMap(({ route }) =>
    route === undefined
      ? []
      : route.stack.map(({ method }) => `${method} ${route.path.replaceAll(/:(\w+)/g, '{$1}')}`),
  )
  const documented = operations().map(([method, path]) => `${method} ${path}`)
  expect([...new Set(served)].sort()).toEqual(documented.sort())
})

test('every reference in it leads somewhere, and every schema is used', () => {
  const text = JSON.stringify(contract.document)
  for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    expect(contract.document.components.schemas).toHaveProperty([name])
  }
  for (const name of Object.keys(contract.document.components.schemas)) {
    expect(text).toContain(`"#/components/schemas/${name}"`)
  }
})

test('the page for people names every route, and loads nothing from anywhere', async () => {
  const { text, headers } = await ask('GET', '/docs')
  for (const path of Object.keys(contract.document.paths)) expect(text).toContain(path)
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'self';/)
  expect(text).not.toMatch(/<script|\son\w+=|style=|<style|https?:|src=/)
  const links = [...text.matchAll(/href="([^"#]+)"/g)].map(([, href]) => href)
  expect(new Set(links)).toEqual(new Set(['docs.css', 'openapi.json']))
  expect((await ask('GET', '/docs.css')).headers['content-type']).toMatch(/^text\/css/)
  for (const [, name = ''] of text.matchAll(/href="#([^"]+)"/g)) expect(text).toContain(`id="${name}"`)
})

test('what every route really answers is what the document says', async () => {
  const beat = {
    specversion: '1.0',
    id: 'beat',
    source: 'urn:stranger',
    type: 'tidemark.heartbeat.v1',
    time: '2026-01-05T00:00:00.000Z',
    data: { from: '2026-01-05T00:00:00.000Z', to: '2026-01-05T00:00:00.000Z' },
  }
  const signature = { 'tidemark-root': `0x${'00'.repeat(32)}`, 'tidemark-signature': `0x${'00'.repeat(65)}` }
  const submit = (body: string, headers: Record<string, string> = {}) =>
    ask('POST', '/v1/submissions', { headers: { ...NDJSON, ...headers }, body })
  await submit(ndjson(callOf('urn:contract', 'a')))
  const final = () => ask('GET', '/v1/submissions?source=urn:contract&sequence=0')
  await eventually(async () => JSON.parse((await final()).text).state === 'final' || undefined)
  const captured = () => ask('GET', '/v1/submissions/proof?source=urn:contract&sequence=0&evidence=true')
  await eventually(async () => (await captured()).status === 200 || undefined)
  const answered = new Set<string>()
  const [secret, auditor] = ['tidemark_of-a-handler', 'tidemark_of-an-auditor']
  await withSources(world.dataPath, 'existing', (sources) => {
    sources.addToken(secret, { role: 'handler' }, '', 0)
    sources.addToken(auditor, { role: 'auditor' }, '', 0)
  })
  const gets = [
    '/v1/submissions?source=urn:contract',
    '/v1/submissions?source=urn:contract&sequence=0',
    '/v1/submissions?source=urn:contract&sequence=9',
    '/v1/submissions',
    '/v1/submissions/proof?source=urn:contract&sequence=0',
    '/v1/submissions/proof?source=urn:contract&sequence=9',
    '/v1/submissions/proof?source=urn:contract',
    '/v1/submissions/proof?source=urn:contract&sequence=0&evidence=true',
    '/v1/records?source=urn:contract&id=a',
    '/v1/records?source=urn:contract&id=none',
    '/v1/records?resource=civil-registry/births&disclose=person&limit=1',
    '/v1/records',
    '/v1/proofs?id=a&disclose=person',
    '/v1/proofs?id=a&evidence=true',
    '/v1/proofs?id=none',
    '/v1/proofs',
    '/v1/stats?by=resource&step=day',
    '/v1/stats?by=pair&step=whole&utcOffset=480',
    '/v1/stats?by=nothing',
    '/v1/responsibility?source=urn:contract&id=a',
    '/v1/responsibility?source=urn:contract&id=none',
    '/v1/responsibility?source=urn:contract',
    '/v1/kpis?month=2026-03&utcOffset=-60',
    '/v1/kpis?month=2026-13',
    '/v1/histories?resource=civil-registry/births&from=2026-01-01&disclose=person',
    '/v1/histories?record=none&source=urn:contract',
    '/v1/histories?resource=civil-registry/births&runs=true',
    '/v1/histories?resource=civil-registry/births&evidence=true',
    '/v1/histories?person=none&runs=perhaps',
    '/v1/histories',
    '/v1/histories?person=none&first=99999',
    '/v1/batches?limit=3',
    '/v1/batches?limit=0',
    '/v1/transactions?limit=3',
    '/v1/transactions?limit=0',
    '/v1/alerts?limit=3',
    '/v1/alerts?limit=0',
    '/v1/alerts?open=true&severity=high&rule=fraud&department=urn:contract',
    '/v1/alerts?severity=none',
    '/v1/breaker',
    '/v1/breaker?limit=0',
    '/v1/ledger',
    '/v1/me',
    '/healthz',
    '/metrics',
    '/openapi.json',
    '/docs',
    '/docs.css',
  ]
  const posts: [body: string, headers: Record<string, string>][] = [
    [ndjson(callOf('urn:contract', 'b')), {}],
    ['{', {}],
    [ndjson(callOf('urn:contract', 'b')), { 'tidemark-sequence': '9' }],
    ['x'.repeat(200_001), {}],
    ['x', { 'content-type': 'text/plain' }],
    ['x', { 'content-encoding': 'br' }],
    [ndjson(callOf('urn:contract', 'b')), { authorization: 'Bearer of-nobody' }],
    [ndjson(beat), { ...signature, 'tidemark-sequence': '1' }],
    [ndjson(callOf('urn:contract', 'b', { time: 'noon' })), {}],
  ]
  const notForAll = [
    '/v1/records?resource=civil-registry/births&disclose=person',
    '/v1/proofs?id=a&disclose=person',
    '/v1/histories?resource=civil-registry/births&disclose=person',
    '/v1/me',
  ]
  const asked = [
    ...gets.map((target) => [target, auditor] as const),
    ...notForAll.flatMap((target) => [[target, 'of-nobody'] as const, [target, secret] as const]),
  ]
  for (const [target, token] of asked) {
    const path = target.split('?')[0] ?? ''
    const answer = await ask('GET', target, { headers: { authorization: `Bearer ${token}` } })
    expect(contract.faultsOf('GET', path, answer), target).toEqual([])
    answered.add(`get ${path} ${answer.status}`)
  }
  const batch = `/v1/batches/${world.system.publisher}/0`
  for (const target of [batch, `${batch}00`]) {
    const answer = await ask('GET', target)
    expect(contract.faultsOf('GET', '/v1/batches/{publisher}/{sequence}', answer)).toEqual([])
    answered.add(`get /v1/batches/{publisher}/{sequence} ${answer.status}`)
  }
  const place = '/v1/batches/{publisher}/{sequence}/{file}'
  const { etag = '' } = (await ask('GET', `${batch}/tree.bin`)).headers
  for (const id of [`0x${'00'.repeat(32)}`, 'none']) {
    const answer = await ask('GET', `/v1/grants/${id}`)
    expect(contract.faultsOf('GET', '/v1/grants/{id}', answer), id).toEqual([])
    answered.add(`get /v1/grants/{id} ${answer.status}`)
  }
  const files: [target: string, headers: Record<string, string>][] = [
    [`${batch}/header.json`, {}],
    [`${batch}/records.ndjson.zst`, {}],
    [`${batch}/tree.bin`, { range: 'bytes=0-31' }],
    [`${batch}/tree.bin`, { range: 'bytes=9999999-' }],
    [`${batch}/tree.bin`, { 'if-none-match': etag }],
    [`${batch}/tree.bin`, { 'if-match': '"another"' }],
    [`${batch}/vault.ndjson.zst`, {}],
  ]
  for (const [target, headers] of files) {
    const answer = await ask('GET', target, { headers })
    expect(contract.faultsOf('GET', place, answer), target).toEqual([])
    answered.add(`get ${place} ${answer.status}`)
  }
  for (const [body, headers] of posts) {
    const answer = await submit(body, headers)
    expect(contract.faultsOf('POST', '/v1/submissions', answer)).toEqual([])
    answered.add(`post /v1/submissions ${answer.status}`)
  }
  await submit(
    ndjson(callOf('urn:planted', 'a', { data: { ...Object(callOf('', '').data), sharing: 'prohibited' } })),
  )
  const alertId = await eventually(async () => {
    const { alerts } = JSON.parse((await ask('GET', '/v1/alerts')).text)
    return alerts.find(({ alert }: { alert: { kind: string } }) => alert.kind === 'rule')?.id
  })
  expect(contract.faultsOf('GET', '/v1/alerts', await ask('GET', '/v1/alerts'))).toEqual([])
  const handled = '/v1/alerts/{id}'
  const handlings: [id: string, body: string, token: string][] = [
    [alertId, '{"state":"closed"}', 'of-nobody'],
    [alertId, '{"state":"closed"}', auditor],
    [alertId, '{"state":"open"}', secret],
    [alertId, `{"state":"closed","note":"${'x'.repeat(70_000)}"}`, secret],
    ['4711', '{"state":"closed"}', secret],
    [alertId, '{"state":"closed"}', secret],
    [alertId, '{"state":"reported"}', secret],
  ]
  for (const [id, body, token] of handlings) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    const answer = await ask('POST', `/v1/alerts/${id}`, { headers, body })
    expect(contract.faultsOf('POST', handled, answer), body).toEqual([])
    answered.add(`post ${handled} ${answer.status}`)
  }
  const question = { consumer: 'urn:contract', resource: 'civil-registry/births', purpose: 'school' }
  const questions: [body: string, headers: Record<string, string>][] = [
    [JSON.stringify(question), {}],
    [JSON.stringify({ decisions: [question, { ...question, authorization: `0x${'12'.repeat(32)}` }] }), {}],
    ['{', {}],
    [JSON.stringify({ ...question, use: true }), { authorization: 'Bearer of-nobody' }],
    ['x'.repeat(1_048_577), {}],
    ['x', { 'content-encoding': 'br' }],
  ]
  for (const [body, headers] of questions) {
    const answer = await ask('POST', '/v1/decisions', { headers, body })
    expect(contract.faultsOf('POST', '/v1/decisions', answer)).toEqual([])
    answered.add(`post /v1/decisions ${answer.status}`)
  }
  const [overview] = await readEvents(world.system.url, 1)
  const { content = {} } = contract.document.paths['/v1/events']?.get?.responses[200] ?? {}
  const schema = content['text/event-stream']?.['x-event-schemas']?.overview
  expect(contract.faultsIn(schema, JSON.parse(overview?.data ?? ''))).toEqual([])
  answered.add('get /v1/events 200')
  // Whatever the document promises was seen here, but for what takes a stalled chain, a slow client, bad luck, a
  // registered source, no contract that decides, a node that shows no state, or files that are not for everybody.
  const promised = operations().flatMap(([method, path, { responses }]) =>
    Object.keys(responses).map((status) => `${method} ${path} ${status}`),
  )
  const unseen = promised.filter((one) => !answered.has(one) && !one.endsWith(' 503'))
  expect(unseen).toEqual([
    'post /v1/submissions 408',
    'get /v1/submissions/proof 409',
    'get /v1/proofs 409',
    'get /v1/histories 404',
    `get ${place} 401`,
    `get ${place} 403`,
    'post /v1/decisions 403',
    'post /v1/decisions 404',
    'post /v1/decisions 408',
    'get /v1/grants/{id} 404',
  ])
})

test('of whatever comes, made from the document and bent, nothing is answered with a fault', {
  timeout: 300_000,
}, async () => {
  const bodies = new Map(
    operations().flatMap(([, path, { requestBody }]) =>
      requestBody === undefined ? [] : [[path, requestBodies(requestBody)] as const],
    ),
  )
  const [posts, gets] = ['post', 'get'].map((wanted) =>
    // Events would go on until the end.
    operations().filter(([method, path]) => method === wanted && path !== '/v1/events'),
  )
  // What takes records in has the most to be bent.
  const submissions = posts?.filter(([, path]) => path === '/v1/submissions')
  const operation = fc.oneof(...[submissions, posts, gets].map((some = []) => fc.constantFrom(...some)))
  const request = operation.chain(([method, path, operation]) =>
    fc.record({
      method: fc.constant(method.toUpperCase()),
      path: fc.constant(path),
      places: parametersIn(operation, 'path'),
      query: parametersIn(operation, 'query'),
      headers: fc.oneof(
        { arbitrary: parametersIn(operation, 'header').map(withoutCredentials), weight: 3 },
        parametersIn(operation, 'header'),
      ),
      content: bodies.get(path) ?? fc.constant(undefined),
    }),
  )
  const statuses: Record<string, number> = {}
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, places, query, headers, content }) => {
      const search = new URLSearchParams(query).toString()
      const answer = await ask(method, `${fill(path, places)}?${search}`, {
        headers: { ...sendable(headers), ...content?.headers },
        ...(content !== undefined && { body: content.body }),
      })
      expect(contract.faultsOf(method, path, answer)).toEqual([])
      if (answer.status >= 500) expect(answer.status).toBe(503)
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
    }),
    runs(300),
  )
  // That rules find much in such records is no fault.
  expect(world.troubles.filter((line) => !line.startsWith('alert '))).toEqual([])
  // A fuzzer whose every request is refused at the door tests the door only.
  for (const status of [200, 201, 400, 404, 415, 422]) expect(statuses).toHaveProperty(String(status))
})

function operations(): [method: string, path: string, operation: DocumentedOperation][] {
  return Object.entries(contract.document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, string, DocumentedOperation] => [
      method,
      path,
      operation,
    ]),
  )
}

/** Each parameter as the document wants it, of any other text, or not at all. */
function parametersIn(operation: DocumentedOperation, place: string): Arbitrary<Record<string, string>> {
  const members = operation.parameters
    .filter((parameter) => parameter.in === place)
    .map(({ name, schema }): [string, Arbitrary<string>] => [
      name,
      fc.oneof(
        { weight: 4, arbitrary: fromSchema(contract.resolve(schema)).map(String) },
        { weight: 2, arbitrary: fc.constantFrom('urn:contract', 'a', '0') },
        { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
      ),
    ])
  return fc
    .record(Object.fromEntries(members), { requiredKeys: [], noNullPrototype: true })
    .map((given) => Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value ?? ''])))
}

/** Puts values into the places of a path; one that is left out, or would lead to another route, is made up. */
const fill = (path: string, values: Record<string, string>): string =>
  path.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) => encodeURIComponent(values[name] ?? '').replaceAll('.', '%2E') || '-',
  )

/** Made-up credentials are refused before anything else is looked at. */
const withoutCredentials = (headers: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => !/^(authorization|tidemark-(root|signature))$/i.test(name)),
  )

/** Node refuses to send what is no header at all. */
const sendable = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => /^[\t\x20-\x7e]*$/.test(value)))

interface Content {
  body: Uint8Array
  headers: Record<string, string>
}

/** Bodies of every media type of an operation, right or bent, compressed in truth or in name only. */
function requestBodies({ content }: NonNullable<DocumentedOperation['requestBody']>): Arbitrary<Content> {
  const texts = Object.entries(content).map(([mediaType, { schema, 'x-line-schema': lines }]) => {
    const values = fromSchema(contract.resolve(lines ?? schema))
    const bent = fc.oneof({ weight: 2, arbitrary: values }, { weight: 1, arbitrary: values.chain(mutated) })
    const text =
      lines === undefined
        ? bent.map((value) => JSON.stringify(value) ?? '')
        : fc.array(bent, { maxLength: 4 }).map((values) => ndjson(...values))
    return text.map((body) => ({ mediaType, body }))
  })
  const encoding = fc.constantFrom('none', 'gzip', 'zstd', 'gzip in name', 'zstd in name', 'compress')
  return fc
    .tuple(fc.oneof(...texts), encoding, fc.constantFrom('', 'x'))
    .map(([{ mediaType, body }, how, bad]) => {
      const bytes = Buffer.from(body)
      const headers: Record<string, string> = { 'content-type': how === 'compress' ? bad : mediaType }
      if (how === 'none') return { body: bytes, headers }
      const [name = ''] = how.split(' ')
      headers['content-encoding'] = name
      if (how === 'gzip') return { body: gzipSync(bytes), headers }
      return { body: how === 'zstd' ? zstdCompressSync(bytes) : bytes, headers }
    })
}
