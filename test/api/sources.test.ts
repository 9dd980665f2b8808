import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { toHex } from '../../src/bytes/hex.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { parseSubmissionProof, toJsonSubmissionProof } from '../../src/proof/index.ts'
import { disclosureDigest } from '../../src/record/index.ts'
import { openDatabase } from '../../src/store/database.ts'
import { Sources } from '../../src/store/sources.ts'
import { verifySubmission } from '../../src/verify/index.ts'
import { addressOf, otherKey, sealedItems, signedSubmission, sourceKey } from '../gateway/signed.ts'
import { exampleOf } from '../record/examples.ts'
import { eventually } from '../store/temporary.ts'
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

let world: TestSystem
/** The catalogue as another process has it open. */
let sources: Sources
let closeCatalogue: () => void
const agent = keepAliveAgent()

beforeAll(async () => {
  world = await startTestSystem()
  const database = openDatabase(`${world.dataPath}/catalogue.sqlite`)
  closeCatalogue = () => database.close()
  sources = new Sources(database)
})
afterAll(async () => {
  agent.destroy()
  closeCatalogue()
  await world.close()
})

const post = (body: string, headers: Record<string, string> = NDJSON) =>
  exchange(world.system.url, 'POST', '/v1/submissions', { headers, body, agent })
const get = (path: string) => exchange(world.system.url, 'GET', path, { agent })
const sign = (sequence: number, items: ReturnType<typeof sealedItems>, wallet = sourceKey) =>
  signedSubmission(world.system.identity, wallet, sequence, items)
const find = async (source: string, sequence: number) =>
  JSON.parse((await get(`/v1/submissions?${new URLSearchParams({ source, sequence: `${sequence}` })}`)).text)

function expectProblem(answer: Answer, status: number, code: string): void {
  expect(JSON.parse(answer.text)).toMatchObject({ status, code })
  expect(answer.status).toBe(status)
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined)
}

/** A source with a key, fresh for a test. */
function registered(name: string): string {
  sources.addKey(`urn:signed:${name}`, addressOf(sourceKey), 1)
  return `urn:signed:${name}`
}

describe('a signed submission', () => {
  test('is kept as it was signed, private members and all, and says who signed it', async () => {
    const source = registered('good')
    const { body, headers } = await sign(0, sealedItems(source, 'a', 'b'))
    const answer = await post(body, headers)
    expect(answer.status, answer.text).toBe(201)
    expect(JSON.parse(answer.text).receipt).toMatchObject({
      source,
      sequence: '0',
      size: '2',
      root: headers['tidemark-root'],
    })
    const found = await eventually(async () => {
      const state = await find(source, 0)
      return state.state === 'final' ? state : undefined
    })
    expect(found.vouched).toEqual({ by: 'signed', signer: addressOf(sourceKey) })
    const { records } = JSON.parse((await get(`/v1/records?source=${source}&id=a`)).text)
    expect(records[0].record).toEqual(JSON.parse(body.split('\n')[0] ?? '').record)
  })

  test('sent again gets the same receipt, also after its key was rotated', async () => {
    const source = registered('again')
    const one = await sign(0, sealedItems(source, 'a'))
    const first = JSON.parse((await post(one.body, one.headers)).text).receipt
    expect(JSON.parse((await post(one.body, one.headers)).text).receipt).toEqual(first)
    sources.rotateKey(source, addressOf(otherKey), 2)
    expect(JSON.parse((await post(one.body, one.headers)).text).receipt).toEqual(first)
    const other = await sign(0, sealedItems(source, 'a'), otherKey)
    expectProblem(await post(other.body, other.headers), 409, 'SEQUENCE_CONFLICT')
    const late = await sign(1, sealedItems(source, 'b'))
    expectProblem(await post(late.body, late.headers), 403, 'WRONG_KEY')
    const next = await sign(1, sealedItems(source, 'b'), otherKey)
    expect((await post(next.body, next.headers)).status).toBe(201)
    expect((await find(source, 0)).vouched).toEqual({ by: 'signed', signer: addressOf(sourceKey) })
  })

  test('sent again with fewer disclosures is the same: its root is what was signed', async () => {
    const source = registered('disclosures')
    const items = sealedItems(source, 'a')
    const one = await sign(0, items)
    const first = JSON.parse((await post(one.body, one.headers)).text).receipt
    const pseudonyms = items.map(({ record, disclosures }) => ({
      record,
      disclosures: disclosures.filter((text) => record.data._sd_pseudonyms?.includes(disclosureDigest(text))),
    }))
    expect(JSON.stringify(pseudonyms).length).toBeLessThan(JSON.stringify(items).length)
    const again = await sign(0, pseudonyms)
    expect(again.headers).toEqual(one.headers)
    expect(JSON.parse((await post(again.body, again.headers)).text).receipt).toEqual(first)
  })

  test('of a source that nobody registered is refused', async () => {
    const { body, headers } = await sign(0, sealedItems('urn:nobody', 'a'))
    expectProblem(await post(body, headers), 403, 'UNKNOWN_SOURCE')
  })

  test('by a key of another source is refused, and so is one by a revoked key', async () => {
    const source = registered('keys')
    const forged = await sign(0, sealedItems(source, 'a'), otherKey)
    expectProblem(await post(forged.body, forged.headers), 403, 'WRONG_KEY')
    sources.revokeKey(source, addressOf(sourceKey), 2)
    const late = await sign(0, sealedItems(source, 'a'))
    expectProblem(await post(late.body, late.headers), 403, 'WRONG_KEY')
    expect(await nextSequence(source)).toBe('0')
  })

  test('whose body was tampered with is refused, also when the root header was changed with it', async () => {
    const source = registered('tampered')
    const { body, headers } = await sign(0, sealedItems(source, 'a'))
    const tampered = body.replace('"outcome":"success"', '"outcome":"refused"')
    expect(tampered).not.toBe(body)
    expectProblem(await post(tampered, headers), 422, 'ROOT_MISMATCH')
    expectProblem(
      await post(body, { ...headers, 'tidemark-root': `0x${'00'.repeat(32)}` }),
      422,
      'ROOT_MISMATCH',
    )
    const other = await sign(0, sealedItems(source, 'a'))
    expectProblem(
      await post(other.body, { ...other.headers, 'tidemark-signature': headers['tidemark-signature'] }),
      403,
      'WRONG_KEY',
    )
    const twice = body + other.body.replace('"id":"a"', '"id":"b"')
    expectProblem(await post(twice, headers), 422, 'ROOT_MISMATCH')
  })

  test('under another number than the signed one is refused', async () => {
    const source = registered('numbers')
    const first = await sign(0, sealedItems(source, 'a'))
    const moved = await sign(1, sealedItems(source, 'a'))
    expectProblem(await post(moved.body, moved.headers), 409, 'SEQUENCE_GAP')
    expectProblem(await post(moved.body, { ...moved.headers, 'tidemark-sequence': '0' }), 403, 'WRONG_KEY')
    expect((await post(first.body, first.headers)).status).toBe(201)
    const conflict = await sign(0, sealedItems(source, 'other'))
    expectProblem(await post(conflict.body, conflict.headers), 409, 'SEQUENCE_CONFLICT')
  })

  test('of another ledger is refused', async () => {
    const source = registered('ledgers')
    const { chainId } = world.system.identity
    const elsewhere = { chainId, ledger: `0x${'99'.repeat(20)}` } as const
    const { body, headers } = await signedSubmission(elsewhere, sourceKey, 0, sealedItems(source, 'a'))
    expectProblem(await post(body, headers), 403, 'WRONG_KEY')
  })

  test.each<[string, Record<string, string>]>([
    ['a signature that is no hex', { 'tidemark-signature': 'x' }],
    ['a signature of 64 bytes', { 'tidemark-signature': `0x${'11'.repeat(64)}` }],
    ['a signature with another v', { 'tidemark-signature': `0x${'11'.repeat(64)}00` }],
    ['a signature of nobody', { 'tidemark-signature': `0x${'ff'.repeat(64)}1b` }],
    ['an uppercase signature', { 'tidemark-signature': `0x${'AA'.repeat(64)}1b` }],
    ['an empty signature', { 'tidemark-signature': '' }],
    ['a root that is no hex', { 'tidemark-root': 'x' }],
    ['a root of 31 bytes', { 'tidemark-root': `0x${'11'.repeat(31)}` }],
    ['an empty root', { 'tidemark-root': '' }],
  ])('with %s is refused', async (_, change) => {
    const { body, headers } = await sign(0, sealedItems(registered('malformed'), 'a'))
    expectProblem(await post(body, { ...headers, ...change }), 400, 'BAD_SIGNATURE')
  })

  test.each(['tidemark-root', 'tidemark-signature'])('without %s is refused', async (name) => {
    const { body, headers } = await sign(0, sealedItems(registered('missing'), 'a'))
    const { [name]: _, ...rest } = headers as Record<string, string>
    expectProblem(await post(body, rest), 400, 'BAD_SIGNATURE')
  })

  test('without its number is refused', async () => {
    const { body, headers } = await sign(0, sealedItems(registered('unnumbered'), 'a'))
    const { 'tidemark-sequence': _, ...rest } = headers
    expectProblem(await post(body, rest), 400, 'BAD_ARGUMENT')
  })

  test('is neither sealed nor normalised here: what is open, or spelled otherwise, is refused', async () => {
    const source = registered('open')
    const { headers } = await sign(0, sealedItems(source, 'a'))
    expectProblem(await post(ndjson(callOf(source, 'a')), headers), 422, 'BAD_RECORD')
    const [item] = sealedItems(source, 'a')
    const late = { ...item, record: { ...item?.record, time: '2026-03-01T17:30:00+08:00' } }
    expectProblem(await post(ndjson(late), headers), 422, 'BAD_RECORD')
  })
})

describe('the proof of a submission', () => {
  test('is given when its block is final, and a stranger verifies it', async () => {
    const source = registered('proof')
    const ids = Array.from({ length: 7 }, (_, i) => `p${i}`)
    const { body, headers } = await sign(0, sealedItems(source, ...ids))
    expect((await post(body, headers)).status).toBe(201)
    const answer = await eventually(async () => {
      const found = await get(`/v1/submissions/proof?source=${source}&sequence=0`)
      if (found.status === 200) return found
      expect(['NOT_ANCHORED', 'NOT_READY']).toContain(JSON.parse(found.text).code)
    })
    expect(answer.headers['content-type']).toMatch(/^application\/vnd\.tidemark\.submission\+json/)
    const facts = chainFacts(createRpc(world.system.rpcUrl), { finality: { kind: 'tag' } })
    const found = await verifySubmission(JSON.parse(answer.text), facts, {
      ledger: world.system.identity.ledger,
    })
    expect([toHex(found.root), found.size]).toEqual([headers['tidemark-root'], 7])
    expectProblem(await get(`/v1/submissions/proof?source=${source}&sequence=1`), 404, 'NOT_ANCHORED')
    for (const query of ['', `?source=${source}`, '?sequence=0', `?source=${source}&sequence=x`]) {
      expectProblem(await get(`/v1/submissions/proof${query}`), 400, 'BAD_ARGUMENT')
    }
  })
})

test('the proof of a submission of thousands is whole too', async () => {
  const own = await startTestSystem({
    limits: { bodyBytes: 8_000_000, submissionRecords: 5_000, inFlightBytes: 64_000_000 },
    policy: { sealRecords: 5_000 },
  })
  onTestFinished(own.close)
  const beat = { ...exampleOf('tidemark.heartbeat.v1'), source: 'urn:many' }
  const records = Array.from({ length: 4_500 }, (_, i) => ({ ...beat, id: `${i}` }))
  const answer = await exchange(own.system.url, 'POST', '/v1/submissions', {
    headers: NDJSON,
    body: ndjson(...records),
  })
  const { receipt } = JSON.parse(answer.text)
  const text = await eventually(async () => {
    const path = '/v1/submissions/proof?source=urn:many&sequence=0'
    const found = await exchange(own.system.url, 'GET', path)
    return found.status === 200 ? found.text : undefined
  })
  const facts = chainFacts(createRpc(own.system.rpcUrl), { finality: { kind: 'tag' } })
  const found = await verifySubmission(JSON.parse(text), facts)
  expect([toHex(found.root), found.size]).toEqual([receipt.root, 4_500])
  expect(JSON.stringify(toJsonSubmissionProof(parseSubmissionProof(JSON.parse(text)))).length).toBe(
    text.length,
  )
})

describe('a submission under a token', () => {
  const bearer = (token: string) => ({ ...NDJSON, authorization: `Bearer ${token}` })

  test("is sealed and numbered by the gateway, and is nobody else's", async () => {
    const { id } = sources.addToken('tidemark_a', { role: 'source', source: 'urn:token:a' }, 'desk', 1)
    const answers = [
      await post(ndjson(callOf('urn:token:a', 'a')), bearer('tidemark_a')),
      await post(ndjson(callOf('urn:token:a', 'b')), {
        ...bearer('tidemark_a'),
        authorization: 'bearer tidemark_a',
        'tidemark-sequence': '1',
      }),
    ]
    expect(answers.map(({ text }) => JSON.parse(text).receipt.sequence)).toEqual(['0', '1'])
    expect((await find('urn:token:a', 0)).vouched).toEqual({ by: 'token' })
    expectProblem(await post(ndjson(callOf('urn:token:b', 'a')), bearer('tidemark_a')), 403, 'WRONG_SOURCE')
    sources.revokeToken(id, 2)
    expectProblem(await post(ndjson(callOf('urn:token:a', 'c')), bearer('tidemark_a')), 401, 'BAD_TOKEN')
    expectProblem(await post(ndjson(callOf('urn:token:a', 'c'))), 401, 'NO_CREDENTIALS')
    expect(await nextSequence('urn:token:a')).toBe('2')
  })

  test.each(['', 'nonsense', 'tidemark_a b', '__proto__'])('%j is refused', async (token) => {
    expectProblem(await post(ndjson(callOf('urn:token:x', 'a')), bearer(token)), 401, 'BAD_TOKEN')
  })

  test('serves a source that signs as well, and the same content again gets the same receipt', async () => {
    const source = registered('both')
    sources.addToken('tidemark_both', { role: 'source', source }, '', 1)
    const items = sealedItems(source, 'a')
    const { body, headers } = await sign(0, items)
    expect((await post(body, headers)).status).toBe(201)
    const again = await post(ndjson(callOf(source, 'a')), {
      ...bearer('tidemark_both'),
      'tidemark-sequence': '0',
    })
    expect(JSON.parse(again.text).receipt).toMatchObject({ root: headers['tidemark-root'] })
    expect((await find(source, 0)).vouched.by).toBe('signed')
  })
})

describe('a submission of nobody', () => {
  test('is taken for a source without key and token only, and says so', async () => {
    expect((await post(ndjson(callOf('urn:free', 'a')))).status).toBe(201)
    expect((await find('urn:free', 0)).vouched).toEqual({ by: 'open' })
    sources.addKey('urn:free', addressOf(sourceKey), 1)
    expectProblem(await post(ndjson(callOf('urn:free', 'b'))), 401, 'NO_CREDENTIALS')
    expectProblem(
      await post(ndjson(callOf('urn:free', 'b')), { ...NDJSON, authorization: 'Basic dTpw' }),
      401,
      'NO_CREDENTIALS',
    )
    const { body, headers } = await sign(1, sealedItems('urn:free', 'b'))
    expect((await post(body, headers)).status).toBe(201)
  })

  test('is not taken when submissions are for registered sources', async () => {
    const own = await startTestSystem({ submissions: 'registered' })
    onTestFinished(own.close)
    const answer = await exchange(own.system.url, 'POST', '/v1/submissions', {
      headers: NDJSON,
      body: ndjson(callOf('urn:free', 'a')),
    })
    expectProblem(answer, 403, 'UNKNOWN_SOURCE')
  })
})

async function nextSequence(source: string): Promise<string> {
  return JSON.parse((await get(`/v1/submissions?${new URLSearchParams({ source })}`)).text).nextSequence
}
