import { readFileSync } from 'node:fs'
import { Interface, id, ZeroHash } from 'ethers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { administerGrants } from '../../src/chain/administer-grants.ts'
import { administerRegistry } from '../../src/chain/administer-registry.ts'
import { createAuthorizations } from '../../src/chain/authorizations.ts'
import { deployRights, findRights, type RightsIdentity } from '../../src/chain/deploy.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { fetchLatestBlock } from '../../src/chain/facts.ts'
import { ledgerInterface } from '../../src/chain/ledger-abi.ts'
import { fetchLogs } from '../../src/chain/logs.ts'
import { explainRefusal } from '../../src/chain/refusals.ts'
import { createRegistry } from '../../src/chain/registry.ts'
import { authorizationsInterface, registryInterface } from '../../src/chain/rights-abi.ts'
import { decodeRightsEvent, type RightsEvent } from '../../src/chain/rights-events.ts'
import { RpcRefusal } from '../../src/chain/rpc.ts'
import { recoverGrantSigner, signGrant, signRevoke } from '../../src/chain/signing.ts'
import { type Grant, givenGrant, grantId, nameId } from '../../src/record/index.ts'
import { loadArtifact, startTestChain, type TestChain } from './fixture.ts'

const EVERYTHING = { kind: 'everything', id: `0x${'00'.repeat(32)}` } as const
const wallets = {
  admin: devWallet('admin', LOCAL_CHAIN_ID),
  guardian: devWallet('guardian', LOCAL_CHAIN_ID),
  subject: devWallet('publisher', LOCAL_CHAIN_ID),
}
const addressOf = (who: keyof typeof wallets) => wallets[who].address.toLowerCase() as Hex // an address

interface Input {
  type: string
  indexed?: boolean
  components?: Input[]
}

/** What a fragment is called, what it takes and what it gives, without the names that Solidity gives these. */
function signatureOf(json: string): string {
  const { type, name = '', inputs = [], outputs = [] } = JSON.parse(json)
  const types = (list: Input[]): unknown[] =>
    list.map(({ type, indexed = false, components = [] }) => [type, indexed, types(components)])
  return JSON.stringify([type, name, types(inputs), types(outputs)])
}

let chain: TestChain
let rights: RightsIdentity

beforeAll(async () => {
  chain = await startTestChain()
  rights = await deployRights({
    rpc: chain.rpc,
    signer: wallets.admin,
    artifacts: {
      registry: await loadArtifact('Registry'),
      authorizations: await loadArtifact('Authorizations'),
    },
    roles: {
      governance: addressOf('admin'),
      registrar: addressOf('admin'),
      guardian: addressOf('guardian'),
    },
  })
})
afterAll(() => chain?.close())

describe.each([
  ['Registry', registryInterface],
  ['Authorizations', authorizationsInterface],
] as const)('the compiled %s', (name, known) => {
  test('has every function, event and error that this program knows', async () => {
    const compiled = new Interface((await loadArtifact(name)).abi)
    const formats = compiled.fragments.map((fragment) => fragment.format('json'))
    const signatures = new Set(formats.map(signatureOf))
    for (const fragment of known.fragments) {
      expect(signatures).toContain(signatureOf(fragment.format('json')))
    }
  })
})

describe('grant.json', () => {
  const vectors = JSON.parse(readFileSync(new URL('../vectors/grant.json', import.meta.url), 'utf8'))
  const domain = { chainId: BigInt(vectors.chainId), contract: vectors.authorizations as Hex }

  test('gives the ids of names and of grants, and who signed them', async () => {
    for (const { name, id } of vectors.names) expect(nameId(name)).toBe(id)
    for (const vector of vectors.grants) {
      const data = { authorization: vector.id, grant: vector.grant, signature: vector.signature }
      const { grant, signature } = givenGrant({ data } as never) // what parsing would give
      expect(grantId(domain, grant)).toBe(vector.id)
      expect(recoverGrantSigner(domain, grant, signature)).toBe(grant.subject)
      expect(await signGrant(wallets.subject, domain, grant)).toBe(vector.signature)
      expect(recoverGrantSigner(domain, { ...grant, nonce: grant.nonce ^ 1n }, signature)).not.toBe(
        grant.subject,
      )
    }
  })

  test('gives the signatures of revocations', async () => {
    for (const { grant, deadline, signature } of vectors.revocations) {
      expect(await signRevoke(wallets.subject, domain, grant, BigInt(deadline))).toBe(signature)
    }
  })
})

test('a registry and its authorisations are administered, read at any block, and announce each step', async () => {
  const { rpc } = chain
  expect(await findRights(rpc, rights.authorizations)).toEqual(rights)
  const registrar = administerRegistry({ rpc, signer: wallets.admin }, rights.registry)
  const guardian = administerRegistry({ rpc, signer: wallets.guardian }, rights.registry)
  const subject = administerGrants({ rpc, signer: wallets.subject }, rights.authorizations)
  const registry = createRegistry(rpc, rights.registry)
  const authorizations = createAuthorizations(rpc, rights.authorizations)
  const domain = { chainId: LOCAL_CHAIN_ID, contract: rights.authorizations }
  const until = 2n ** 40n
  const use = { consumer: nameId('urn:tax'), resource: nameId('births'), purpose: nameId('school') }
  const entry = {
    owner: nameId('urn:civil'),
    sharing: 'conditional',
    level: 3,
    digest: nameId('entry'),
  } as const
  const grant: Grant = {
    ...use,
    subject: addressOf('subject'),
    notBefore: 0n,
    notAfter: until,
    maxCalls: 1,
    nonce: 7n,
  }
  const id = grantId(domain, grant)
  const signature = await signGrant(wallets.subject, domain, grant)
  const decide = async () => [
    await authorizations.decide(use, id),
    await authorizations.decideWith(use, grant, signature),
  ]

  expect(await decide()).toEqual(['UnknownSource', 'UnknownSource'])
  await registrar.addSource('urn:tax')
  await registrar.addSource('urn:civil')
  await registrar.addKey(use.consumer, addressOf('admin'), until)
  expect(await decide()).toEqual(['UnknownResource', 'UnknownResource'])
  await registrar.setResource('births', entry)
  expect(await registry.resource(use.resource)).toEqual({ version: 1, ...entry })
  expect(await decide()).toEqual(['NoGrant', 'Allowed'])
  await subject.grant(grant, '0x')
  expect(await decide()).toEqual(['Allowed', 'Allowed'])

  await guardian.trip(EVERYTHING, 'a leak')
  const tripped = await fetchLatestBlock(rpc)
  expect(await registry.trippedAt(EVERYTHING)).toBe(tripped.timestamp)
  expect(await decide()).toEqual(['Tripped', 'Tripped'])
  await expect(guardian.reset(EVERYTHING, 'over')).rejects.toMatchObject({
    code: 'CHAIN_FAILED',
    message: expect.stringContaining('AccessControlUnauthorizedAccount'),
  })
  await registrar.reset(EVERYTHING, 'over')
  expect(await authorizations.decide(use, id, { blockHash: tripped.hash })).toBe('Tripped')

  await subject.pause(grant)
  expect(await decide()).toEqual(['Paused', 'Paused'])
  await subject.resume(grant)
  await administerGrants({ rpc, signer: wallets.admin }, rights.authorizations).request(use, id)
  expect(await authorizations.grantState(id)).toEqual({ given: true, paused: false, calls: 1n })
  expect(await decide()).toEqual(['Exhausted', 'Exhausted'])
  await subject.revoke(grant)
  const revoked = await fetchLatestBlock(rpc)
  expect(await authorizations.revokedAt(id)).toBe(revoked.timestamp)
  await expect(subject.revoke(grant)).rejects.toThrow(`Authorizations_GrantRevoked(${id})`)
  await registrar.endKey(use.consumer, addressOf('admin'))
  const period = await registry.keyPeriod(use.consumer, addressOf('admin'))
  expect(period.until).toBe((await fetchLatestBlock(rpc)).timestamp)

  const events: (RightsEvent | undefined)[] = []
  for (const contract of ['registry', 'authorizations'] as const) {
    const filter = { address: rights[contract], topics: [] }
    for await (const { logs } of fetchLogs(rpc, filter, rights.deploymentBlock, revoked.number + 1n)) {
      events.push(...logs.map((log) => decodeRightsEvent(log, contract)))
    }
  }
  const key = addressOf('admin')
  expect(events.filter((event) => event !== undefined)).toEqual([
    { name: 'SourceAdded', source: use.consumer, uri: 'urn:tax' },
    { name: 'SourceAdded', source: entry.owner, uri: 'urn:civil' },
    { name: 'KeyAdded', source: use.consumer, key, from: period.from, until },
    { name: 'ResourceSet', resource: use.resource, resourceName: 'births', entry: { version: 1, ...entry } },
    { name: 'Tripped', target: EVERYTHING, by: addressOf('guardian'), reason: 'a leak' },
    { name: 'Reset', target: EVERYTHING, by: addressOf('admin'), reason: 'over' },
    { name: 'KeyEnded', source: use.consumer, key },
    { name: 'Granted', grantId: id, grant },
    { name: 'Paused', grantId: id, subject: grant.subject },
    { name: 'Resumed', grantId: id, subject: grant.subject },
    { name: 'Requested', grantId: id, ...use, key, reason: 'Allowed' },
    { name: 'Revoked', grantId: id, subject: grant.subject },
  ])
})

test('every refusal of the two contracts says what it means, and a missing role which one it is', () => {
  const refuse = (data: string) =>
    explainRefusal(new RpcRefusal('eth_estimateGas', 3, 'reverted', data)).message
  for (const known of [registryInterface, authorizationsInterface]) {
    known.forEachError(({ name, selector, inputs }) => {
      const message = refuse(`${selector}${'00'.repeat(32 * inputs.length)}`)
      expect(message).toMatch(new RegExp(`^the contract refuses the transaction: ${name}\\(.*\\): [a-z]`))
    })
  }
  const { address } = wallets.admin
  for (const [role, words] of [
    [ZeroHash, 'an admin (governance)'],
    [id('REGISTRAR_ROLE'), 'a registrar'],
    [id('GUARDIAN_ROLE'), 'a guardian'],
  ] as const) {
    const data = ledgerInterface.encodeErrorResult('AccessControlUnauthorizedAccount', [address, role])
    expect(refuse(data)).toContain(`only ${words} may do this: use the key of one`)
  }
})

test('where there is no such contract, that is said', async () => {
  await expect(findRights(chain.rpc, `0x${'11'.repeat(20)}`)).rejects.toMatchObject({
    code: 'CHAIN_FAILED',
    message: expect.stringContaining('no contract of authorisations'),
  })
  await expect(findRights(chain.rpc, chain.ledger)).rejects.toMatchObject({ name: 'OperationError' })
})
