import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chainFacts } from '../../src/chain/facts.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { withSources } from '../../src/cli/catalogue.ts'
import { parseDisclosure } from '../../src/record/index.ts'
import { parseRulePolicy } from '../../src/rules/policy.ts'
import { verifyProof } from '../../src/verify/index.ts'
import { eventually } from '../store/temporary.ts'
import { callOf, exchange, NDJSON, ndjson, startTestSystem, type TestSystem } from './world.ts'

const [LI, WANG] = [`${'li'.repeat(21)}A`, `${'wang'.repeat(10)}waA`]

let world: TestSystem

const about = (person: string, id: string, change: object = {}) =>
  callOf('urn:access', id, {
    data: { ...Object(callOf('', '').data), person, agent: 'Zhang San', sharing: 'prohibited' },
    ...change,
  })

beforeAll(async () => {
  world = await startTestSystem({ reading: 'tokens', rules: parseRulePolicy({ reorderMs: 0 }) })
  await withSources(world.dataPath, 'existing', (sources) => {
    sources.addToken('of-an-auditor', { role: 'auditor' }, '', 0)
    sources.addToken('of-li', { role: 'subject', person: LI }, '', 0)
    sources.addToken('of-a-reader', { role: 'reader' }, '', 0)
    sources.addToken('of-a-handler', { role: 'handler' }, '', 0)
    sources.addToken('of-a-source', { role: 'source', source: 'urn:another' }, '', 0)
    sources.revokeToken(sources.addToken('of-the-past', { role: 'auditor' }, '', 0).id, 1)
  })
  const { note: _, ...data } = Object(about(WANG, '').data)
  const bare = { ...about(WANG, 'bare'), data }
  const body = ndjson(about(LI, 'li-1'), about(LI, 'li-2'), about(WANG, 'wang-1'), bare)
  await exchange(world.system.url, 'POST', '/v1/submissions', { headers: NDJSON, body })
  await eventually(async () => {
    const { text } = await exchange(world.system.url, 'GET', '/v1/submissions?source=urn:access&sequence=0')
    return JSON.parse(text).state === 'final' || undefined
  })
})
afterAll(() => world.close())

async function get(target: string, token?: string) {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const { status, text } = await exchange(world.system.url, 'GET', target, { headers })
  return { status, body: JSON.parse(text), text }
}

const outcome = async (target: string, token?: string) => {
  const { status, body } = await get(target, token)
  return status === 200 ? 200 : `${status} ${body.code}`
}

describe('GET /v1/me', () => {
  test.each([
    [undefined, { role: 'public' }],
    ['of-an-auditor', { role: 'auditor' }],
    ['of-li', { role: 'subject', person: LI }],
    ['of-a-reader', { role: 'reader' }],
    ['of-a-handler', { role: 'handler' }],
    ['of-a-source', { role: 'source', source: 'urn:another' }],
  ])('says of the token %s what it is good for', async (token, me) => {
    expect(await get('/v1/me', token)).toMatchObject({ status: 200, body: me })
  })

  test.each(['of-nobody', 'of-the-past', ''])('refuses the token "%s"', async (token) => {
    expect(await outcome('/v1/me', token)).toBe('401 BAD_TOKEN')
  })
})

/** Whoever sends this token; then what the public, an auditor, Li, and the holder of another token are answered. */
type Row = [target: string, open: unknown, auditor: unknown, li: unknown, other: unknown]

describe('who may see what', () => {
  const [NO_TOKEN, OTHER_TOKEN] = ['401 NO_CREDENTIALS', '403 WRONG_ROLE']
  test.each<Row>([
    ['/v1/records?resource=civil-registry/births', 200, 200, 200, 200],
    ['/v1/records?source=urn:access&id=li-1', 200, 200, 200, 200],
    ['/v1/proofs?id=li-1', 200, 200, 200, 200],
    ['/v1/histories?resource=civil-registry/births', 200, 200, 200, 200],
    ['/v1/responsibility?source=urn:access&id=li-1', 200, 200, 200, 200],
    ['/v1/alerts', 200, 200, 200, 200],
    ['/v1/stats?by=consumer', 200, 200, 200, 200],
    ['/v1/batches', 200, 200, 200, 200],
    [`/v1/records?person=${LI}`, NO_TOKEN, 200, 200, OTHER_TOKEN],
    [`/v1/records?person=${LI}&disclose=person`, NO_TOKEN, 200, 200, OTHER_TOKEN],
    [`/v1/records?person=${WANG}`, NO_TOKEN, 200, OTHER_TOKEN, OTHER_TOKEN],
    ['/v1/records?resource=civil-registry/births&disclose=person', NO_TOKEN, 200, OTHER_TOKEN, OTHER_TOKEN],
    [`/v1/histories?person=${LI}`, NO_TOKEN, 200, 200, OTHER_TOKEN],
    [`/v1/histories?person=${LI}&runs=true`, NO_TOKEN, 200, 200, OTHER_TOKEN],
    [`/v1/histories?person=${WANG}&disclose=person`, NO_TOKEN, 200, OTHER_TOKEN, OTHER_TOKEN],
    ['/v1/histories?resource=civil-registry/births&disclose=person', NO_TOKEN, 200, OTHER_TOKEN, OTHER_TOKEN],
    ['/v1/proofs?id=li-1&disclose=person', NO_TOKEN, 200, 200, OTHER_TOKEN],
    ['/v1/proofs?id=wang-1&disclose=person', NO_TOKEN, 200, OTHER_TOKEN, OTHER_TOKEN],
  ])('%s', async (target, open, auditor, li, other) => {
    expect(await outcome(target)).toBe(open)
    expect(await outcome(target, 'of-an-auditor')).toBe(auditor)
    expect(await outcome(target, 'of-li')).toBe(li)
    for (const token of ['of-a-reader', 'of-a-handler', 'of-a-source']) {
      expect(await outcome(target, token), token).toBe(other)
    }
  })

  test.each(['records', 'histories', 'proofs'])('a token of the past is refused by /v1/%s', async (route) => {
    expect(await outcome(`/v1/${route}?consumer=x&id=li-1`, 'of-the-past')).toBe('401 BAD_TOKEN')
  })

  test('says which token is needed', async () => {
    const { body } = await get(`/v1/records?person=${WANG}`, 'of-li')
    expect(body.detail).toMatch(/shown to auditors, and to each person.*this token is one of role subject$/)
  })
})

test('in what the public may see there is no tag, and nothing private', async () => {
  await eventually(async () => {
    const { body } = await get('/v1/alerts')
    return body.alerts.length > 0 || undefined
  })
  const encoded = (text: string) => [0, 1, 2].map((shift) => Buffer.from(' '.repeat(shift) + text))
  for (const target of [
    '/v1/records?resource=civil-registry/births',
    '/v1/proofs?id=li-1',
    '/v1/histories?resource=civil-registry/births',
    '/v1/responsibility?source=urn:access&id=li-1',
    '/v1/alerts',
    '/v1/batches',
    '/v1/stats?by=consumer',
    '/v1/kpis?month=2026-01',
    '/v1/submissions/proof?source=urn:access&sequence=0',
  ]) {
    const { status, text } = await get(target)
    expect(status, target).toBe(200)
    for (const secret of [LI, WANG, 'Zhang San']) {
      expect(text).not.toContain(secret)
      // As a disclosure carries it: base64url of something longer, at any offset.
      for (const bytes of encoded(secret)) {
        expect(text).not.toContain(bytes.toString('base64url').slice(4, -2))
      }
    }
  }
})

test('what is shown for a token stays on no disk, and nobody sets a cookie or lets another origin read', async () => {
  for (const target of [
    '/v1/me',
    `/v1/histories?person=${LI}`,
    `/v1/records?person=${LI}`,
    '/v1/proofs?id=no',
  ]) {
    const { headers } = await exchange(world.system.url, 'GET', target, {
      headers: { authorization: 'Bearer of-li', origin: 'https://elsewhere.example', cookie: 'a=b' },
    })
    expect(headers['cache-control'], target).toBe('no-store')
    expect(headers['set-cookie'], target).toBeUndefined()
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  }
})

test.each(['?token=of-an-auditor', '?access_token=of-an-auditor'])(
  'a token is taken from the header alone: not from %s, nor from a cookie',
  async (query) => {
    const headers = { cookie: 'tidemark-token=of-an-auditor; Authorization=Bearer of-an-auditor' }
    const { text } = await exchange(world.system.url, 'GET', `/v1/me${query}`, { headers })
    expect(JSON.parse(text)).toEqual({ role: 'public' })
  },
)

describe('who may not do what', () => {
  const tokens = [
    undefined,
    'of-nobody',
    'of-an-auditor',
    'of-li',
    'of-a-reader',
    'of-a-source',
    'of-the-past',
  ]
  test.each(tokens)('handles no alert with the token %s', async (token) => {
    const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` }
    const { status } = await exchange(world.system.url, 'POST', '/v1/alerts/1', {
      ...(headers && { headers }),
      body: '{"state":"closed"}',
    })
    expect(status).toBe(token === undefined || /nobody|past/.test(token) ? 401 : 403)
  })

  test.each([...tokens.slice(1), 'of-a-handler'])('submits nothing with the token %s', async (token) => {
    const headers = { ...NDJSON, authorization: `Bearer ${token}` }
    const body = ndjson(about(LI, 'not taken'))
    const { status } = await exchange(world.system.url, 'POST', '/v1/submissions', { headers, body })
    expect(status).toBe(/nobody|past/.test(token ?? '') ? 401 : 403)
  })
})

describe('what a proof discloses', () => {
  const MEMBERS = ['person', 'agent', 'note']
  const subsets = Array.from({ length: 2 ** MEMBERS.length }, (_, bits) =>
    MEMBERS.filter((_, i) => (bits >> i) % 2 === 1),
  )

  test.each(subsets)('is what an auditor asked for, and nothing else: %s %s %s', async (...given) => {
    const names = given.filter((name) => MEMBERS.includes(name))
    const disclose = names.length === 0 ? '' : `&disclose=${names.join(',')}`
    const { status, body, text } = await get(`/v1/proofs?id=li-1${disclose}`, 'of-an-auditor')
    expect(status).toBe(200)
    expect(body.disclosures.map((one: string) => parseDisclosure(one).name)).toEqual(names)
    const facts = chainFacts(createRpc(world.system.rpcUrl), { finality: { kind: 'tag' } })
    const { record, closedMembers } = await verifyProof(body, facts)
    expect(closedMembers).toBe(MEMBERS.length - names.length)
    expect(MEMBERS.filter((name) => Object.hasOwn(record.data, name))).toEqual(names)
    if (!names.includes('agent')) expect(text).not.toContain('Zhang San')
  })

  test.each([
    ['disclose=agent', undefined, '401 NO_CREDENTIALS'],
    ['disclose=agent', 'of-li', '403 WRONG_ROLE'],
    ['disclose=person,note', 'of-li', '403 WRONG_ROLE'],
    ['disclose=agent', 'of-a-reader', '403 WRONG_ROLE'],
    ['disclose=nothing', 'of-an-auditor', '404 NOT_FOUND'],
    ['disclose=approver', 'of-an-auditor', '404 NOT_FOUND'],
    ['disclose=person,,agent', 'of-an-auditor', '400 BAD_ARGUMENT'],
  ])('%s with the token %s is %s', async (query, token, answer) => {
    expect(await outcome(`/v1/proofs?id=li-1&${query}`, token)).toBe(answer)
  })

  test('is all of it or an error that names what is missing, and why', async () => {
    const bare = await get('/v1/proofs?id=bare&disclose=person,note', 'of-an-auditor')
    expect(bare).toMatchObject({ status: 404 })
    expect(bare.body.detail).toBe('note of record bare of urn:access was never there')
  })
})

test('a person is shown only herself, with her own tag', async () => {
  const { body } = await get(`/v1/records?person=${LI}&disclose=person`, 'of-li')
  expect(body.records).toHaveLength(2)
  for (const { disclosures } of body.records) {
    expect(disclosures.map((text: string) => parseDisclosure(text))).toEqual([{ name: 'person', value: LI }])
  }
})
