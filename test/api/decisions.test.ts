import { Wallet } from 'ethers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { createAuthorizations } from '../../src/chain/authorizations.ts'
import type { RightsIdentity } from '../../src/chain/deploy.ts'
import { createRpc, type Rpc } from '../../src/chain/rpc.ts'
import { signGrant } from '../../src/chain/signing.ts'
import { grantId, nameId } from '../../src/record/index.ts'
import {
  addressOf,
  administer,
  deployAccount,
  EVERYTHING,
  FAR_FUTURE,
  grantRecord,
  makeGrant,
} from '../indexer/rights-world.ts'
import { eventually } from '../store/temporary.ts'
import { type Contract, fetchContract } from './contract.ts'
import { exchange, NDJSON, ndjson, startTestSystem, type TestSystem } from './world.ts'

type Given = Awaited<ReturnType<typeof makeGrant>>
interface Answer {
  allowed: boolean
  reason: string
  time: string
  block: { number: string; hash: Hex; time: string }
  authorization?: Hex
  remaining?: number
}

let world: TestSystem
let contract: Contract
let rpc: Rpc
let rights: RightsIdentity
let people: ReturnType<typeof administer>
const entry = { owner: nameId('urn:civil'), level: 1, digest: nameId('entry') } as const
let records = 0

beforeAll(async () => {
  world = await startTestSystem()
  contract = await fetchContract(world.system.url)
  rpc = createRpc(world.system.rpcUrl)
  rights = world.system.rights as RightsIdentity // the embedded chain has them
  people = administer(rpc, rights)
  const { registrar, consumerKey } = people
  for (const source of ['urn:tax', 'urn:civil', 'urn:other']) await registrar.addSource(source)
  await registrar.addKey(nameId('urn:tax'), consumerKey, FAR_FUTURE)
  for (const [name, sharing] of [
    ['births', 'conditional'],
    ['weather', 'unconditional'],
    ['secrets', 'prohibited'],
    ['deaths', 'conditional'],
  ] as const) {
    await registrar.setResource(name, { ...entry, sharing })
  }
})
afterAll(() => world.close())

const post = (body: unknown, headers: Record<string, string> = {}) =>
  exchange(world.system.url, 'POST', '/v1/decisions', {
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

const USE = { consumer: 'urn:tax', resource: 'births', purpose: 'school' }

async function ask(change: Record<string, unknown> = {}): Promise<Answer> {
  const { status, text } = await post({ ...USE, ...change })
  expect([status, text]).toEqual([200, text])
  return JSON.parse(text)
}

/** Puts grants into the ledger as records, and waits until they are known. */
async function give(...given: Given[]): Promise<void> {
  const lines = given.map((one) => grantRecord('urn:people', `grant-${++records}`, one))
  const { status } = await exchange(world.system.url, 'POST', '/v1/submissions', {
    headers: NDJSON,
    body: ndjson(...lines),
  })
  expect(status).toBe(201)
  const last = given.at(-1)
  await eventually(async () =>
    (await ask({ authorization: last?.id })).reason === 'NoGrant' ? undefined : true,
  )
}

async function stateOf(id: Hex): Promise<Record<string, unknown>> {
  const answer = await exchange(world.system.url, 'GET', `/v1/grants/${id}`)
  expect(contract.faultsOf('GET', '/v1/grants/{id}', answer), answer.text).toEqual([])
  return JSON.parse(answer.text)
}

/** Waits until decisions speak for a block. */
const reach = (block: bigint) =>
  eventually(async () => (BigInt((await ask()).block.number) >= block ? true : undefined))

/** The API's answer, held against the contract at the block that it speaks for. */
async function askBoth(
  { id, grant, signature }: Given,
  change: Record<string, unknown> = {},
): Promise<string> {
  const answer = await ask({ ...change, authorization: id })
  const { consumer, resource, purpose } = { ...USE, ...change }
  const use = { consumer: nameId(consumer), resource: nameId(resource), purpose: nameId(purpose) }
  const contract = createAuthorizations(rpc, rights.authorizations)
  const at = { blockHash: answer.block.hash }
  expect(await contract.decideWith(use, grant, signature, at)).toBe(answer.reason)
  return answer.reason
}

test('what the registry decides needs no grant, and names the block', async () => {
  const at = await people.registrar.addSource('urn:late')
  await reach(at)
  const answer = await ask({ resource: 'weather' })
  expect(answer).toMatchObject({ allowed: true, reason: 'Unconditional' })
  expect(BigInt(answer.time)).toBeGreaterThanOrEqual(BigInt(answer.block.time))
  expect((await ask({ consumer: 'urn:nobody' })).reason).toBe('UnknownSource')
  expect((await ask({ resource: 'nothing' })).reason).toBe('UnknownResource')
  expect((await ask({ resource: 'secrets' })).reason).toBe('Prohibited')
  expect(await ask()).toMatchObject({ allowed: false, reason: 'NoGrant' })
  const { text } = await post({ decisions: [{ ...USE, resource: 'weather' }, USE] })
  expect(JSON.parse(text).decisions.map(({ reason }: Answer) => reason)).toEqual(['Unconditional', 'NoGrant'])
})

describe('each attempt that must fail has its own reason, the one of the contract', () => {
  const attempt = async (reason: string, change: Parameters<typeof makeGrant>[1] = {}, signer?: Wallet) => {
    const given = await makeGrant(people.domain, change, signer)
    await give(given)
    expect(await askBoth(given)).toBe(reason)
    return given
  }

  test('a grant in force allows', () => attempt('Allowed'))
  test('for another consumer', () => attempt('WrongConsumer', { names: ['urn:other', 'births', 'school'] }))
  test('for another resource', () => attempt('WrongResource', { names: ['urn:tax', 'deaths', 'school'] }))
  test('for another purpose', () => attempt('WrongPurpose', { names: ['urn:tax', 'births', 'sport'] }))
  test('expired', () => attempt('Expired', { notAfter: 1n }))
  test('not yet valid', () => attempt('NotYetValid', { notBefore: FAR_FUTURE }))

  test('signed by another', async () => {
    const { id, grant } = await makeGrant(people.domain)
    const signature = await signGrant(Wallet.createRandom(), people.domain, grant)
    await give({ id, grant, signature })
    expect(await askBoth({ id, grant, signature })).toBe('NotSigned')
  })

  test.each([
    ['chain', (domain: typeof people.domain) => ({ ...domain, chainId: 1n })],
    ['contract', (domain: typeof people.domain) => ({ ...domain, contract: rights.registry })],
  ])('signed for another %s', async (_, change) => {
    const wallet = Wallet.createRandom()
    const { id, grant } = await makeGrant(people.domain, {}, wallet)
    const signature = await signGrant(wallet, change(people.domain), grant)
    await give({ id, grant, signature })
    expect(await askBoth({ id, grant, signature })).toBe('NotSigned')
    // Under the id that it has there, it is none that anybody gave here.
    expect((await ask({ authorization: grantId(change(people.domain), grant) })).reason).toBe('NoGrant')
  })

  test('replayed: the same grant in another record is the same grant, and its calls are counted once', async () => {
    const given = await makeGrant(people.domain, { maxCalls: 1 })
    await give(given)
    expect(await ask({ authorization: given.id, use: true })).toMatchObject({ allowed: true, remaining: 0 })
    const other = await makeGrant(people.domain)
    await give(given, other)
    expect((await ask({ authorization: given.id, use: true })).reason).toBe('Exhausted')
    // An altered one has another id, under which the signature is nobody's.
    const grant = { ...given.grant, nonce: 1n }
    const altered = { id: grantId(people.domain, grant), grant, signature: given.signature }
    await give(altered)
    expect(await askBoth(altered)).toBe('NotSigned')
  })

  test('paused, resumed and revoked, whether the contract holds it or not', async () => {
    const given = await makeGrant(people.domain, { nonce: 7n }, people.subject)
    await give(given)
    const { bySubject } = people
    await reach(await bySubject.pause(given.grant))
    expect(await askBoth(given)).toBe('Paused')
    expect(await stateOf(given.id)).toMatchObject({ given: false, paused: true, revokedAt: null, calls: '0' })
    await reach(await bySubject.resume(given.grant))
    expect(await askBoth(given)).toBe('Allowed')
    await reach(await bySubject.grant(given.grant, '0x'))
    await reach(await bySubject.revoke(given.grant))
    expect(await askBoth(given)).toBe('Revoked')
    const revokedAt = await createAuthorizations(rpc, rights.authorizations).revokedAt(given.id)
    expect(await stateOf(given.id)).toMatchObject({
      authorization: given.id,
      given: true,
      paused: false,
      revokedAt: String(revokedAt),
    })
  })

  test('exhausted by calls that the contract counted', async () => {
    const given = await makeGrant(people.domain, { maxCalls: 2, nonce: 8n }, people.subject)
    await people.bySubject.grant(given.grant, '0x')
    const use = { consumer: nameId('urn:tax'), resource: nameId('births'), purpose: nameId('school') }
    await reach(await people.byConsumer.request(use, given.id))
    expect(await ask({ authorization: given.id, use: true })).toMatchObject({
      reason: 'Allowed',
      remaining: 0,
    })
    expect((await ask({ authorization: given.id })).reason).toBe('Exhausted')
    await reach(await people.byConsumer.request(use, given.id))
    expect(await askBoth(given)).toBe('Exhausted')
    expect((await stateOf(given.id)).calls, 'two by the contract, one here').toBe('3')
  })

  test('while the breaker is tripped', async () => {
    const given = await makeGrant(people.domain)
    await give(given)
    for (const target of [
      EVERYTHING,
      { kind: 'source', id: nameId('urn:tax') },
      { kind: 'source', id: nameId('urn:civil') },
      { kind: 'resource', id: nameId('births') },
    ] as const) {
      await reach(await people.guardian.trip(target, 'a leak'))
      expect(await askBoth(given)).toBe('Tripped')
      await reach(await people.registrar.reset(target, 'mended'))
      expect(await askBoth(given)).toBe('Allowed')
    }
  })
})

test('a grant of an account with code is in force when the account says so', async () => {
  const owner = Wallet.createRandom()
  const subject = await deployAccount(rpc, addressOf(owner))
  const given = await makeGrant(people.domain, { subject, maxCalls: 1 }, owner)
  const forged = { ...given, signature: await signGrant(Wallet.createRandom(), people.domain, given.grant) }
  await give(forged)
  expect((await ask({ authorization: given.id })).reason).toBe('NotSigned')
  const later = await makeGrant(people.domain)
  await give(given, later)
  await reach(await people.registrar.addSource('urn:next'))
  expect(await askBoth(given)).toBe('Allowed')
  expect(await ask({ authorization: given.id, use: true })).toMatchObject({ reason: 'Allowed', remaining: 0 })
  expect((await ask({ authorization: given.id, use: true })).reason).toBe('Exhausted')
})

test('of many concurrent uses of a grant exactly as many are allowed as it says, across a restart too', async () => {
  const given = await makeGrant(people.domain, { maxCalls: 25 })
  await give(given)
  const use = () => ask({ authorization: given.id, use: true })
  const first = await Promise.all(Array.from({ length: 20 }, use))
  expect(first.map(({ reason }) => reason)).toEqual(Array.from({ length: 20 }, () => 'Allowed'))
  await world.system.stop()
  world = await startTestSystem({ dataPath: world.dataPath })
  rpc = createRpc(world.system.rpcUrl)
  people = administer(rpc, rights)
  const second = await Promise.all(Array.from({ length: 20 }, use))
  expect(second.filter(({ allowed }) => allowed)).toHaveLength(5)
  expect(second.filter(({ reason }) => reason === 'Exhausted')).toHaveLength(15)
  expect(new Set(first.map(({ remaining }) => remaining)).size).toBe(20)
})

test('only whoever may submit for the consumer counts its calls', async () => {
  const answer = await post({ ...USE, use: true }, { authorization: 'Bearer of-nobody' })
  expect([answer.status, JSON.parse(answer.text).code]).toEqual([401, 'BAD_TOKEN'])
})

test('what is no question is refused, with the place of its fault', async () => {
  const { status, text } = await post({ decisions: [USE, { ...USE, authorization: '0x12' }] })
  expect(status).toBe(400)
  expect(JSON.parse(text)).toMatchObject({ code: 'BAD_ARGUMENT', pointer: '/decisions/1/authorization' })
  const garbled = await exchange(world.system.url, 'POST', '/v1/decisions', { body: '{' })
  expect(JSON.parse(garbled.text).code).toBe('BAD_JSON')
})
