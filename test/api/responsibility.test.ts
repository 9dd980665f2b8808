import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nameId, parseRecord, sealRecord } from '../../src/record/index.ts'
import { parseRulePolicy } from '../../src/rules/policy.ts'
import { openDatabase } from '../../src/store/database.ts'
import { Sources } from '../../src/store/sources.ts'
import { tidemark } from '../e2e/processes.ts'
import { addressOf, otherKey, signedSubmission, sourceKey } from '../gateway/signed.ts'
import { eventually } from '../store/temporary.ts'
import { type Contract, fetchContract } from './contract.ts'
import { exchange, NDJSON, ndjson, startTestSystem, type TestSystem } from './world.ts'

const [TAX, CIVIL] = ['urn:tax', 'urn:civil']
const GRANT = `0x${'11'.repeat(32)}`
const NOON_MS = Date.parse('2026-03-02T12:00:00.000Z')

let world: TestSystem
let contract: Contract

beforeAll(async () => {
  world = await startTestSystem({ rules: parseRulePolicy({ reorderMs: 0 }) })
  contract = await fetchContract(world.system.url)
})
afterAll(() => world.close())

const base = (source: string, id: string, type: string, timeMs: number, data: object) => ({
  ...{ specversion: '1.0', id, source, type: `tidemark.${type}.v1`, subject: 'urn:births' },
  ...{ time: new Date(timeMs).toISOString(), data },
})
const call = (side: 'consumer' | 'provider', id: string, requestId: string, more: object = {}) =>
  base(side === 'consumer' ? TAX : CIVIL, id, 'call', NOON_MS, {
    ...{ side, consumer: TAX, provider: CIVIL, operation: 'get', requestId, outcome: 'success' },
    ...{ purpose: 'care', legalBasis: 'act 7', authorization: GRANT },
    ...more,
  })
const grantRecord = base('urn:wallet', 'g', 'authorization', NOON_MS - 60_000, {
  authorization: GRANT,
  signature: '0x00',
  grant: {
    ...{ subject: `0x${'22'.repeat(20)}`, consumer: nameId(TAX), resource: nameId('urn:births') },
    ...{ purpose: nameId('care'), notBefore: NOON_MS / 1000 - 60, notAfter: NOON_MS / 1000 + 60 },
    ...{ maxCalls: 3, nonce: '0' },
  },
})
const revocation = base('urn:wallet', 'r', 'revocation', NOON_MS + 1_000, {
  authorization: GRANT,
  effectiveAt: new Date(NOON_MS + 1_000).toISOString(),
  reason: 'moved',
})

const stateOf = async (source: string, sequence: number) =>
  (await exchange(world.system.url, 'GET', `/v1/submissions?source=${source}&sequence=${sequence}`)).text

async function send(source: string, sequence: number, body: string, headers = {}): Promise<void> {
  const options = { headers: { ...NDJSON, ...headers }, body }
  const sent = await exchange(world.system.url, 'POST', '/v1/submissions', options)
  expect(sent.status, sent.text).toBe(201)
  await eventually(async () => JSON.parse(await stateOf(source, sequence)).state === 'final' || undefined)
}

async function responsibility(source: string, id: string) {
  const path = '/v1/responsibility'
  const answer = await exchange(world.system.url, 'GET', `${path}?${new URLSearchParams({ source, id })}`)
  expect(contract.faultsOf('GET', path, answer), answer.text).toEqual([])
  return { status: answer.status, found: JSON.parse(answer.text) }
}

/** Without the members that are undefined. */
const sealed = (record: object) => {
  const { record: closed, disclosures, vault } = sealRecord(parseRecord(JSON.parse(JSON.stringify(record))))
  return { record: closed, disclosures: [...disclosures, ...vault] }
}

describe('who answers for a call', () => {
  beforeAll(async () => {
    const database = openDatabase(`${world.dataPath}/catalogue.sqlite`)
    const sources = new Sources(database)
    sources.addKey(TAX, addressOf(sourceKey), 1)
    sources.addToken('secret', { role: 'source', source: CIVIL }, 'desk', 1)
    const told = [
      call('consumer', 'c1', 'one', { agent: 'Zhang', person: 'A'.repeat(43) }),
      call('consumer', 'c2', 'two', { rows: 1 }),
      call('consumer', 'c3', 'three', { authorization: `0x${'99'.repeat(32)}` }),
    ]
    const first = await signedSubmission(world.system.identity, sourceKey, 0, told.map(sealed))
    await send(TAX, 0, first.body, first.headers)
    sources.rotateKey(TAX, addressOf(otherKey), Date.now())
    database.close()
    const late = [
      sealed(call('consumer', 'c4', 'four', { authorization: undefined, sharing: 'conditional' })),
    ]
    const second = await signedSubmission(world.system.identity, otherKey, 1, late)
    await send(TAX, 1, second.body, second.headers)
    const others = ndjson(
      call('provider', 'p1', 'one', { agent: 'Li', person: 'A'.repeat(43) }),
      call('provider', 'p2', 'two', { rows: 2 }),
      base(CIVIL, 'x', 'refusal', NOON_MS, {
        ...{ side: 'provider', consumer: TAX, provider: CIVIL, operation: 'get', requestId: 'five' },
        reason: 'no-grant',
      }),
    )
    await send(CIVIL, 0, others, { authorization: 'Bearer secret' })
    await send('urn:wallet', 0, ndjson(grantRecord, revocation))
  }, 60_000)

  test('names both sides, their records, who brought them, the grant and its withdrawal', async () => {
    const { found } = await responsibility(CIVIL, 'p1')
    expect(found).toMatchObject({
      record: { source: CIVIL, id: 'p1' },
      ...{ provider: CIVIL, consumer: TAX, resource: 'urn:births', purpose: 'care', legalBasis: 'act 7' },
      kept: { kind: 'regular pair', by: ['consumer', 'provider'], silent: null, disagreements: [] },
      grant: {
        authorization: GRANT,
        given: {
          record: { source: 'urn:wallet', id: 'g' },
          subject: `0x${'22'.repeat(20)}`,
          covers: { consumer: true, resource: true, purpose: true, time: true },
        },
        revocation: { record: { source: 'urn:wallet', id: 'r' }, reason: 'moved', isBeforeCall: false },
      },
      accounts: [
        {
          side: 'consumer',
          submission: { sequence: '0', by: 'signed', signer: addressOf(sourceKey), keyKnown: true },
          privateMembers: 'sealed',
          anchor: { ledgerIndex: '0' },
          final: true,
        },
        { side: 'provider', submission: { sequence: '0', by: 'token' }, record: { id: 'p1' } },
      ],
      isCutOff: false,
    })
    expect(JSON.stringify(found)).not.toMatch(/Zhang|Li"|AAAA/)
    const { accounts } = (await responsibility(TAX, 'c1')).found
    expect(accounts).toMatchObject([{ record: { id: 'c1' } }, { record: { id: 'p1' } }])
  })

  test('says what the sides disagree about, and which of them is silent', async () => {
    const two = (await responsibility(TAX, 'c2')).found
    expect(two.kept).toMatchObject({
      kind: 'orphan pair',
      disagreements: [{ member: 'rows', consumer: 1, provider: 2 }],
    })
    const three = (await responsibility(TAX, 'c3')).found
    expect(three.kept).toMatchObject({ kind: 'orphan', by: ['consumer'], silent: 'provider' })
    expect(three.grant).toEqual({ authorization: `0x${'99'.repeat(32)}`, given: null, revocation: null })
    const four = (await responsibility(TAX, 'c4')).found
    expect(four.grant).toBeNull()
    expect(four.accounts[0].submission).toMatchObject({ signer: addressOf(otherKey), keyKnown: true })
  })

  test('names the rules that a call broke, and the alert that says so', async () => {
    const broken = await eventually(async () => {
      const { found } = await responsibility(TAX, 'c4')
      const { brokenRules } = found.accounts[0]
      return brokenRules.length > 0 ? brokenRules : undefined
    })
    expect(broken).toContainEqual({
      rule: 'call-without-grant',
      severity: 'high',
      alertId: expect.stringMatching(/^[1-9]/),
    })
  })

  test('answers for a refusal too, and for nothing else', async () => {
    const { found } = await responsibility(CIVIL, 'x')
    expect(found).toMatchObject({ outcome: 'refused', reason: 'no-grant', kept: { silent: 'consumer' } })
    expect((await responsibility(CIVIL, 'none')).status).toBe(404)
    expect((await responsibility('urn:wallet', 'g')).status).toBe(400)
  })

  test('is told in plain words of both languages', async () => {
    const args = ['responsibility', 'c2', '--source', TAX, '--api', world.system.url]
    const english = await tidemark(args)
    expect(english.stdout).toContain(`Provided by: ${CIVIL}\nUsed by: ${TAX}\n`)
    expect(english.stdout).toContain('rows: the consumer says 1, the provider 2')
    expect(english.stdout).toContain('after this call, which stays lawful')
    expect(english.stdout).toContain(`signed by ${addressOf(sourceKey)}, a key of the source at that time`)
    const chinese = await tidemark([...args, '--lang', 'zh'])
    expect(chinese.stdout).toContain('rows：使用方称 1，提供方称 2')
    expect(JSON.parse((await tidemark([...args, '--json'])).stdout)).toMatchObject({ record: { id: 'c2' } })
    expect(
      (await tidemark(['responsibility', 'none', '--source', TAX, '--api', world.system.url])).code,
    ).toBe(2)
  })
})
