import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DocumentedOperation, OpenApiDocument } from '../../src/api/openapi.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { withSources } from '../../src/cli/catalogue.ts'
import { parseRulePolicy } from '../../src/rules/policy.ts'
import type { Role } from '../../src/store/roles.ts'
import { runs } from '../bytes/runs.ts'
import { administer, grantRecord, makeGrant } from '../indexer/rights-world.ts'
import { exampleOf, type Json } from '../record/examples.ts'
import { eventually } from '../store/temporary.ts'
import { readEvents } from './event-stream.ts'
import {
  type Answer,
  callOf,
  exchange,
  keepAliveAgent,
  NDJSON,
  ndjson,
  startTestSystem,
  type TestSystem,
} from './world.ts'

const TAX = 'urn:private:tax'
const BIRTHS = 'urn:private:civil/births'
const [LI, WANG] = [`${'li'.repeat(21)}A`, `${'wang'.repeat(10)}waA`]
/** Private members of all kinds, and the name of whoever handles alerts. */
const PRIVATE = 'Zhang San, room 0417'
const SECRETS = [LI, WANG, PRIVATE]

interface Viewer {
  role: Role | undefined
  /** what may be shown to it, in a file of a batch or elsewhere */
  sees(secret: string, target: string): boolean
}

const VIEWERS: Record<string, Viewer> = {
  public: { role: undefined, sees: () => false },
  'a subject': { role: { role: 'subject', person: LI }, sees: (secret) => secret === LI },
  'a source': { role: { role: 'source', source: TAX }, sees: () => false },
  'a handler': { role: { role: 'handler' }, sees: () => false },
  'a reader': {
    role: { role: 'reader' },
    sees: (secret, target) => secret !== PRIVATE && target.endsWith('/records.ndjson.zst'),
  },
  'an auditor': { role: { role: 'auditor' }, sees: () => true },
}
const tokenOf = (name: string) => (name === 'public' ? undefined : `of ${name}`.replaceAll(' ', '-'))

let world: TestSystem
let document: OpenApiDocument
let values: Record<string, string[]>
let alert: string
let bodies: Record<string, { body: string; headers: Record<string, string> }[]>
const agent = keepAliveAgent()

const call = (id: string, person: string, data: Json = {}) =>
  callOf(TAX, id, {
    subject: BIRTHS,
    data: {
      ...Object(callOf('', '').data),
      ...{
        consumer: TAX,
        provider: 'urn:private:civil',
        requestId: `request of ${id}`,
        sharing: 'conditional',
      },
      ...{ authorization: undefined, person, agent: PRIVATE, note: PRIVATE },
      ...data,
    },
  })

const other = (type: Parameters<typeof exampleOf>[0], data: Json = {}) => ({
  ...exampleOf(type),
  id: type,
  source: TAX,
  data: { ...exampleOf(type).data, ...data },
})

beforeAll(async () => {
  world = await startTestSystem({
    reading: 'tokens',
    batchFiles: 'token',
    rules: parseRulePolicy({ reorderMs: 0 }),
  })
  await withSources(world.dataPath, 'existing', (sources) => {
    for (const [name, { role }] of Object.entries(VIEWERS)) {
      if (role !== undefined) sources.addToken(tokenOf(name) ?? '', role, PRIVATE, 0)
    }
  })
  if (world.system.rights === undefined) throw new Error('the system has the contracts')
  const { domain, registrar } = administer(createRpc(world.system.rpcUrl), world.system.rights)
  await registrar.addSource(TAX)
  const grants = await Promise.all(
    [LI, WANG].map(() => makeGrant(domain, { names: [TAX, BIRTHS, 'school'] })),
  )
  const [ofLi = '', ofWang = ''] = grants.map(({ id }) => id)
  const given = grants.map((grant, i) => {
    const record = grantRecord(TAX, `grant ${i}`, grant)
    return { ...record, data: { ...record.data, person: [LI, WANG][i], note: PRIVATE } }
  })
  const twoSides = [
    call('one side', LI, { side: 'consumer', requestId: 'disputed', sharing: 'unconditional' }),
    call('other side', WANG, { side: 'provider', requestId: 'disputed', sharing: 'unconditional' }),
  ]
  const sent = ndjson(
    ...given,
    call('of li', LI, { authorization: ofLi, purpose: 'school' }),
    call('of wang', WANG, { authorization: ofWang, purpose: 'school' }),
    call('under another', WANG, { authorization: ofLi, purpose: 'school' }),
    call('prohibited', WANG, { sharing: 'prohibited' }),
    ...twoSides,
    other('tidemark.refusal.v1', { person: WANG, agent: PRIVATE, note: PRIVATE }),
    other('tidemark.revocation.v1', { authorization: ofWang, person: WANG, note: PRIVATE }),
    other('tidemark.transfer.v1', { agent: PRIVATE, note: PRIVATE }),
    other('tidemark.destruction.v1', {
      executor: PRIVATE,
      witness: PRIVATE,
      approver: PRIVATE,
      note: PRIVATE,
    }),
    other('tidemark.breaker.v1', { agent: PRIVATE, note: PRIVATE }),
  )
  const headers = { ...NDJSON, authorization: `Bearer ${tokenOf('a source')}` }
  expect((await ask('POST', '/v1/submissions', headers, sent)).status).toBe(201)
  const proof = `/v1/proofs?source=${TAX}&id=prohibited&evidence=true`
  await eventually(async () => (await ask('GET', proof)).status === 200 || undefined)
  alert = await eventually(async () => {
    const { alerts } = JSON.parse((await ask('GET', '/v1/alerts?rule=call-without-grant')).text)
    return alerts.length > 1 ? (alerts[0].id as string) : undefined
  })
  await ask(
    'POST',
    `/v1/alerts/${alert}`,
    { authorization: `Bearer ${tokenOf('a handler')}` },
    JSON.stringify({ state: 'reported', note: PRIVATE }),
  )
  document = JSON.parse((await ask('GET', '/openapi.json')).text)
  values = {
    source: [TAX, `urn:tidemark:watch:${world.system.publisher}`],
    id: ['of wang', 'under another', 'tidemark.refusal.v1', 'grant 1', 'one side', 'of li', ofWang],
    record: ['of wang'],
    person: [WANG, LI],
    authorization: [ofWang, 'true'],
    request: ['disputed'],
    resource: [BIRTHS],
    consumer: [TAX],
    provider: ['urn:private:civil'],
    department: [TAX],
    rule: ['call-without-grant'],
    key: [WANG, TAX],
    disclose: ['person', 'agent,note', 'person,agent', 'approver'],
    sequence: ['0'],
    publisher: [world.system.publisher],
    month: ['2026-03'],
  }
  bodies = {
    '/v1/submissions': [
      { headers: NDJSON, body: sent.slice(1) },
      { headers: { ...NDJSON, 'tidemark-sequence': '0' }, body: ndjson(call('of wang', 'nobody')) },
      {
        headers: { ...NDJSON, 'tidemark-sequence': '0' },
        body: ndjson(call('another', `${'a'.repeat(42)}A`)),
      },
    ],
    '/v1/decisions': [
      {
        headers: {},
        body: JSON.stringify({ consumer: TAX, resource: BIRTHS, purpose: 'school', authorization: ofWang }),
      },
    ],
    '/v1/alerts/{id}': [{ headers: {}, body: JSON.stringify({ state: 'reported', note: 'again' }) }],
  }
})
afterAll(async () => {
  agent.destroy()
  await world?.close()
  expect(world?.troubles.filter((trouble) => !trouble.startsWith('alert '))).toEqual([])
})

const ask = (method: string, target: string, headers: Record<string, string> = {}, body?: string) =>
  exchange(world.system.url, method, target, { agent, headers, ...(body !== undefined && { body }) })

type Parameter = DocumentedOperation['parameters'][number]

/** What a parameter is tried with: of one that nobody has thought of here, what its schema lists, or a person's tag. */
function valuesOf({ name, schema }: Parameter): string[] {
  const { anyOf = [], enum: named = [], default: usual } = schema as Record<string, { const?: string }[]>
  const listed = [...anyOf.map((one) => one.const), ...named].filter((one) => typeof one === 'string')
  if (listed.length > 0 && values[name] === undefined) return listed
  return values[name] ?? (usual === undefined ? [WANG] : [String(usual)])
}

/** A target with some parameters, those of its path among them. */
function targetOf(path: string, chosen: readonly [name: string, value: string][]): string {
  const query = new URLSearchParams()
  let target = path
  for (const [name, value] of chosen) {
    if (target.includes(`{${name}}`)) target = target.replace(`{${name}}`, encodeURIComponent(value))
    else query.set(name, value)
  }
  return query.size === 0 ? target : `${target}?${query}`
}

/** They narrow what is found, and open nothing: two of them together are left to chance. */
const NARROWING = [
  'resource',
  'consumer',
  'provider',
  'request',
  'runs',
  'evidence',
  'severity',
  'open',
  'rule',
]

/** Every target of a route with at most two parameters that need not be there, with each value of each. */
function targetsOf(path: string, { parameters }: DocumentedOperation): string[] {
  const own = parameters.filter((one) => one.in !== 'header')
  const choices = (one: Parameter) => valuesOf(one).map((value) => [one.name, value] as [string, string])
  const needed = own
    .filter((one) => one.required)
    .reduce<[string, string][][]>(
      (all, one) => all.flatMap((some) => choices(one).map((choice) => [...some, choice])),
      [[]],
    )
  const more = own.filter((one) => !one.required).flatMap(choices)
  const pairs = more.flatMap((a, i) =>
    more.slice(i + 1).flatMap((b) => (isWorthwhile(a[0], b[0]) ? [[a, b]] : [])),
  )
  return needed.flatMap((some) =>
    [[], ...more.map((one) => [one]), ...pairs].map((few) => targetOf(path, [...some, ...few])),
  )
}

const isWorthwhile = (a: string, b: string) => a !== b && !(NARROWING.includes(a) && NARROWING.includes(b))

/** The secrets that stand in an answer, as they are or inside of what a disclosure carries. */
function secretsIn(bytes: string): string[] {
  return SECRETS.filter((secret) =>
    [
      secret,
      Buffer.from(secret).toString('hex'),
      // Of something longer, at any offset.
      ...[0, 1, 2].map((shift) =>
        Buffer.from(' '.repeat(shift) + secret)
          .toString('base64url')
          .slice(4, -2),
      ),
    ].some((text) => bytes.includes(text)),
  )
}

async function read(
  name: string,
  target: string,
  isStream: boolean,
): Promise<{ status: number; text: string }> {
  const token = tokenOf(name)
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  if (isStream) return { status: 200, text: JSON.stringify(await readEvents(world.system.url, 2)) }
  if (target.endsWith('.zst')) {
    const response = await fetch(new URL(target, world.system.url), { headers })
    const bytes = Buffer.from(await response.arrayBuffer())
    return { status: response.status, text: response.ok ? unpacked(bytes) : bytes.toString() }
  }
  return answerOf(await ask('GET', target, headers))
}

const answerOf = ({ status, headers, text }: Answer) => ({
  status,
  text: `${JSON.stringify(headers)} ${text}`,
})

/** The frames of records, and not their table, which Zstandard does not read. */
const unpacked = (bytes: Buffer) => zstdDecompressSync(bytes).toString()

const routes = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )

describe.each(Object.entries(VIEWERS))('%s', (name, { sees }) => {
  const faultsIn = (target: string, text: string) =>
    secretsIn(text)
      .filter((secret) => !sees(secret, target))
      .map((secret) => `${target} tells ${name} of ${secret}`)

  test('is shown no tag and nothing private by any route under any parameters, but what it may see', async () => {
    const faults: string[] = []
    const seen = new Set<string>()
    const answered = new Map<string, number>()
    for (const { path, method, operation } of routes()) {
      if (method !== 'get') continue
      const isStream = 'text/event-stream' in (operation.responses[200]?.content ?? {})
      for (const target of targetsOf(path, operation)) {
        const { status, text } = await read(name, target, isStream)
        if (status === 200) answered.set(path, 1 + (answered.get(path) ?? 0))
        faults.push(...faultsIn(target, text))
        for (const secret of secretsIn(text)) seen.add(secret)
      }
      // A route that answers nothing was not swept.
      const isForReaders = path.endsWith('{file}') && !['a reader', 'an auditor'].includes(name)
      if (!isForReaders) expect(answered.get(path), path).toBeGreaterThan(0)
    }
    expect(faults).toEqual([])
    expect([...seen].sort()).toEqual(SECRETS.filter((secret) => sees(secret, '/records.ndjson.zst')).sort())
  })

  test('is shown none under more parameters at once', async () => {
    const swept = routes().filter(
      ({ method, operation }) =>
        method === 'get' &&
        operation.parameters.filter((one) => one.in === 'query' && !one.required).length > 2,
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...swept).chain(({ path, operation }) => {
          const own = operation.parameters.filter((one) => one.in !== 'header' && valuesOf(one).length > 0)
          const [needed, more] = [own.filter((one) => one.required), own.filter((one) => !one.required)]
          const choice = (one: Parameter) =>
            fc.constantFrom(...valuesOf(one).map((value) => [one.name, value] as [string, string]))
          return fc
            .subarray(more, { minLength: 3, maxLength: Math.min(more.length, 5) })
            .chain((some) => fc.tuple(...[...needed, ...some].map(choice)))
            .map((chosen) => targetOf(path, chosen))
        }),
        async (target) => {
          const { text } = await read(name, target, false)
          expect(faultsIn(target, text)).toEqual([])
        },
      ),
      runs(50),
    )
  })

  test('is told none by what it hands in', async () => {
    const token = tokenOf(name)
    for (const { path, method } of routes()) {
      if (method !== 'post') continue
      const asked = bodies[path]
      if (asked === undefined) throw new Error(`nothing is handed in to ${path} here`)
      for (const { headers, body } of asked) {
        const target = path.replace('{id}', alert)
        const sent = { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) }
        const { text } = answerOf(await ask('POST', target, sent, body))
        expect(faultsIn(target, text)).toEqual([])
      }
    }
  })
})
