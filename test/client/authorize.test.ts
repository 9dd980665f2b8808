import { expect, test } from 'vitest'
import { createRpc } from '../../src/chain/rpc.ts'
import { embeddedChain } from '../../src/cli/embedded-chain.ts'
import { nameId } from '../../src/record/index.ts'
import { exchange } from '../api/world.ts'
import { administer, makeGrant } from '../indexer/rights-world.ts'
import { eventually } from '../store/temporary.ts'
import { connect, type Meddling, standBetween, startLedger } from './world.ts'

const USE = { resource: 'births', purpose: 'school' } as const

/** A system with a source, a conditional resource, and a grant of two calls that the contract holds. */
async function startDeciding() {
  const world = await startLedger()
  const { rights } = world.system
  if (rights === undefined) throw new Error('the embedded chain has authorisations')
  const people = administer(createRpc(world.system.rpcUrl), rights)
  const { registrar, bySubject, domain, subject } = people
  await registrar.addSource('urn:tax')
  const entry = { owner: nameId('urn:tax'), level: 1, digest: nameId('entry') }
  await registrar.setResource('births', { ...entry, sharing: 'conditional' })
  const { grant, id } = await makeGrant(domain, { maxCalls: 2 }, subject)
  const block = await bySubject.grant(grant, '0x')
  await eventually(async () => {
    const { rightsBlock } = JSON.parse((await exchange(world.url, 'GET', '/healthz')).text)
    return BigInt(rightsBlock ?? 0) >= block
  })
  return { ...world, grantId: id }
}

test('a service asks whether a use is allowed, counts it, and hears why not', async () => {
  const { url, grantId, register } = await startDeciding()
  const { ledger } = await connect({ url, source: 'urn:tax' })
  expect(await ledger.authorize(USE)).toMatchObject({ allowed: false, reason: 'NoGrant' })
  const asked = { ...USE, authorization: grantId }
  expect(await ledger.authorize(asked)).toMatchObject({ allowed: true, reason: 'Allowed', remaining: 2 })
  expect(await ledger.authorize({ ...asked, use: true })).toMatchObject({ allowed: true, remaining: 1 })
  register((sources) => void sources.addToken('secret', { role: 'source', source: 'urn:tax' }, 'desk', 1))
  // Who has a token counts with it, and nobody without.
  await expect(ledger.authorize({ ...asked, use: true })).rejects.toMatchObject({ name: 'InputError' })
  const { ledger: holder } = await connect({ url, source: 'urn:tax', token: 'secret' })
  const last = await holder.authorize({ ...asked, use: true })
  expect(last).toMatchObject({ allowed: true, remaining: 0 })
  expect(last.time).toBeGreaterThanOrEqual(last.block.time)
  expect(await holder.authorize(asked)).toMatchObject({ allowed: false, reason: 'Exhausted' })
  register((sources) => void sources.addToken('another', { role: 'source', source: 'urn:civil' }, 'desk', 1))
  const { ledger: stranger } = await connect({ url, source: 'urn:civil', token: 'another' })
  await expect(stranger.authorize({ ...asked, consumer: 'urn:tax', use: true })).rejects.toMatchObject({
    problem: { code: 'WRONG_SOURCE' },
  })
})

test('whatever is no decision allows nothing', async () => {
  const { url, grantId } = await startDeciding()
  let meddling: Meddling = 'pass'
  const between = await standBetween(url, ({ method }) => (method === 'POST' ? meddling : 'pass'))
  const { ledger } = await connect({ url: between.url, source: 'urn:tax' })
  const ask = () => ledger.authorize({ ...USE, authorization: grantId })
  expect((await ask()).allowed).toBe(true)
  const lies: Meddling[] = [
    'cut',
    'lose',
    { status: 503, body: '{}' },
    { status: 200, body: '{"allowed":true}' },
    { status: 200, body: '<html>' },
    (answer) => answer.replace('"Allowed"', '"Revoked"'),
    (answer) => answer.replace('"Allowed"', '"Whatever"'),
    (answer) => answer.replace('"allowed":true', '"allowed":1'),
    (answer) => answer.replace('"hash":"0x', '"hash":"'),
  ]
  for (meddling of lies) await expect(ask()).rejects.toMatchObject({ code: 'GATEWAY_UNREACHABLE' })
  meddling = 'pass'
  expect((await ask()).allowed).toBe(true)
})

test('where nobody decides, that is said', async () => {
  const attach = embeddedChain(0)
  const { url } = await startLedger({
    attachChain: async (dataPath, onProgress) => ({
      ...(await attach(dataPath, onProgress)),
      rights: undefined,
    }),
  })
  const { ledger } = await connect({ url, source: 'urn:tax' })
  await expect(ledger.authorize(USE)).rejects.toMatchObject({ status: 404, problem: { code: 'NO_RIGHTS' } })
})

test('health says when decisions rest on a block that is older than it should be', async () => {
  const { url } = await startLedger({ rightsStaleMs: -1 })
  await eventually(async () => {
    const { status, problems } = JSON.parse((await exchange(url, 'GET', '/healthz')).text)
    return status === 'degraded' && /decisions rest on block \d+/.test(String(problems))
  })
})
