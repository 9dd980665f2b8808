import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AbiCoder } from 'ethers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { administerGrants } from '../../src/chain/administer-grants.ts'
import { administerRegistry } from '../../src/chain/administer-registry.ts'
import { parseBytes } from '../../src/chain/answers.ts'
import type { RightsIdentity } from '../../src/chain/deploy.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import { rightsFacts } from '../../src/chain/rights-facts.ts'
import { createRpc, type Rpc } from '../../src/chain/rpc.ts'
import { grantSigner, signGrant } from '../../src/chain/signing.ts'
import { transact } from '../../src/chain/transact.ts'
import { createGatewayApi, type GatewayApi, ProblemError } from '../../src/client/gateway-api.ts'
import { sendRecords } from '../../src/client/send.ts'
import { type JsonProof, parseOffline } from '../../src/proof/index.ts'
import { type Grant, grantId, nameId, parseRecord } from '../../src/record/index.ts'
import { blockHashes, verifyAny, verifyProof } from '../../src/verify/index.ts'
import { startTestSystem, type TestSystem } from '../api/world.ts'
import { tidemark } from '../e2e/processes.ts'
import { exampleOf, type Json } from '../record/examples.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'

const TAX = 'urn:authorized:tax'
const CIVIL = 'urn:authorized:civil'
const BIRTHS = 'urn:authorized:civil:births'
const subject = devWallet('guardian', LOCAL_CHAIN_ID)
const SUBJECT = subject.address.toLowerCase() as Hex // an ethers address in lowercase
const admin = devWallet('admin', LOCAL_CHAIN_ID)

let world: TestSystem
let rpc: Rpc
let api: GatewayApi
let rights: RightsIdentity
let account: Hex
/** seconds since 1970: at it the resource is registered */
let start: bigint
let grants: Record<'recorded' | 'given' | 'account' | 'unsigned', { id: Hex; grant: Grant }>
/** of the call under the recorded grant, before anything was withdrawn */
let early: JsonProof

const iso = (seconds: bigint) => new Date(Number(seconds) * 1_000 + 250).toISOString()

const recordOf = (
  type: 'tidemark.call.v1' | 'tidemark.authorization.v1',
  id: string,
  time: bigint,
  data: Json,
) => {
  const { agent: _, note: __, ...usual } = exampleOf(type).data
  return parseRecord({
    ...exampleOf(type),
    id,
    source: TAX,
    subject: BIRTHS,
    time: iso(time),
    data: { ...usual, ...data },
  })
}

const callOf = (id: string, authorization: Hex, change: Json = {}, time = start) =>
  recordOf('tidemark.call.v1', id, time, {
    consumer: TAX,
    provider: CIVIL,
    purpose: 'school',
    sharing: 'conditional',
    level: '3',
    authorization,
    ...change,
  })

async function send(...records: ReturnType<typeof parseRecord>[]): Promise<void> {
  const sent: { source: string; sequence: string }[] = []
  await sendRecords(
    records.map((record, i) => ({ line: i + 1, record })),
    { api, size: 50, retryPausesMs: [], onAcknowledged: ({ receipt }) => sent.push(receipt) },
  )
  for (const { source, sequence } of sent)
    await eventually(async () => (await api.submissionState(source, sequence)) === 'final')
}

const grantOf = (nonce: bigint, who = SUBJECT): { id: Hex; grant: Grant } => {
  const grant: Grant = {
    subject: who,
    consumer: nameId(TAX),
    resource: nameId(BIRTHS),
    purpose: nameId('school'),
    notBefore: start,
    notAfter: start + 86_400n,
    maxCalls: 12,
    nonce,
  }
  return { id: grantId(domain(), grant), grant }
}

const domain = () => ({ chainId: LOCAL_CHAIN_ID, contract: rights.authorizations })

async function recordOfGrant({ id, grant }: { id: Hex; grant: Grant }, signer = subject) {
  const { notBefore, notAfter, nonce, ...rest } = grant
  return recordOf('tidemark.authorization.v1', `grant ${id}`, start, {
    authorization: id,
    grant: { ...rest, notBefore: Number(notBefore), notAfter: Number(notAfter), nonce: String(nonce) },
    signature: await signGrant(signer, domain(), grant),
  })
}

beforeAll(async () => {
  world = await startTestSystem({ runHours: 0, policy: { sealAfterMs: 5 } })
  rpc = createRpc(world.system.rpcUrl)
  api = createGatewayApi(world.system.url)
  if (world.system.rights === undefined) throw new Error('the system has the contracts')
  rights = world.system.rights
  const registrar = administerRegistry({ rpc, signer: admin }, rights.registry)
  await registrar.addSource(CIVIL)
  const entry = { owner: nameId(CIVIL), sharing: 'conditional', level: 3, digest: nameId('entry') } as const
  start = await timeOf(await registrar.setResource(BIRTHS, entry))
  const artifact = JSON.parse(
    await readFile(
      new URL('../../artifacts/contracts/test/SmartAccount.sol/SmartAccount.json', import.meta.url),
      'utf8',
    ),
  )
  const owner = AbiCoder.defaultAbiCoder().encode(['address'], [SUBJECT])
  const created = await transact(
    { rpc, signer: admin },
    { data: `${artifact.bytecode}${owner.slice(2)}` as Hex },
  )
  account = parseBytes(created.contractAddress, 'address', 20)
  grants = { recorded: grantOf(1n), given: grantOf(2n), account: grantOf(3n, account), unsigned: grantOf(4n) }
  const ofSubject = administerGrants({ rpc, signer: subject }, rights.authorizations)
  const given = await timeOf(await ofSubject.grant(grants.given.grant, '0x'))
  await send(
    await recordOfGrant(grants.recorded),
    await recordOfGrant(grants.account),
    await recordOfGrant(grants.unsigned, admin),
    callOf('recorded', grants.recorded.id),
    callOf('other-purpose', grants.recorded.id, { purpose: 'tax audit' }),
    callOf('given', grants.given.id, {}, given),
    callOf('account', grants.account.id),
    callOf('unsigned', grants.unsigned.id),
    callOf('unknown', nameId('no grant')),
    callOf('refused', grants.recorded.id, { outcome: 'refused' }),
    callOf('before', grants.recorded.id, {}, start - 1n),
  )
  early = await prove('recorded')
})
afterAll(async () => {
  await world?.close()
  expect(world?.troubles).toEqual([])
})

async function timeOf(number: bigint): Promise<bigint> {
  const block = await chainFacts(rpc, { finality: { kind: 'tag' } }).blockByNumber(number)
  if (block === undefined) throw new Error(`there is no block ${number}`)
  return block.timestamp
}

const prove = async (id: string): Promise<JsonProof> =>
  JSON.parse((await api.proof({ source: TAX, id, disclose: [] })).bundle)

/** With what shows it to whoever trusts the blocks named. */
async function proveOffline(id: string): Promise<{ offline: unknown; trustedBlocks: Hex[] }> {
  const { bundle } = await eventually(() =>
    api.proof({ source: TAX, id, disclose: [], evidence: true }).catch((error: unknown) => {
      if (error instanceof ProblemError && error.problem.code === 'NOT_READY') return undefined
      throw error
    }),
  )
  const offline: unknown = JSON.parse(bundle)
  return { offline, trustedBlocks: blockHashes(parseOffline(offline).evidence) }
}

/** As the command does that asks nobody. */
const verifyOffline = ({ offline, trustedBlocks }: Awaited<ReturnType<typeof proveOffline>>) =>
  verifyAny(offline, {
    trustedBlocks,
    grantSigner,
    trust: { authorizations: rights.authorizations, registry: rights.registry },
  })

async function verify(proof: unknown, ...args: string[]) {
  const file = join(await temporaryFolder(), 'proof.json')
  await writeFile(file, JSON.stringify(proof))
  return await tidemark(['verify', file, '--rpc', world.system.rpcUrl, ...args])
}

/** As the command does, without a process for it. */
const verifyHere = (proof: unknown) =>
  verifyProof(
    proof,
    chainFacts(rpc, { finality: { kind: 'tag' } }),
    { ledger: world.system.identity.ledger, authorizations: rights.authorizations },
    rightsFacts(rpc, grantSigner),
  )

describe('a call under a grant', () => {
  test('is proven with the consent, and verify says it in both languages', async () => {
    expect(early.format).toBe('tidemark-proof/2')
    const pins = ['--ledger', world.system.identity.ledger, '--authorizations', rights.authorizations]
    const { code, stdout, stderr } = await verify(early, ...pins)
    expect(code, stderr).toBe(0)
    expect(stdout).toContain(`call      ${TAX} called ${BIRTHS} of ${CIVIL} for school: success`)
    expect(stdout).toContain(`consent   of ${SUBJECT}, signed with its key`)
    expect(stdout).toContain(`from ${new Date(Number(start) * 1_000).toISOString()} to `)
    expect(stdout).toMatch(/not withdrawn as of block \d+ at /)
    expect(stdout).toContain(`version 1 of the resource in ${rights.registry}: conditional, level 3`)
    expect(stdout).not.toContain('--authorizations')
    const chinese = await verify(early, '--lang', 'zh')
    expect(chinese.code, chinese.stderr).toBe(0)
    expect(chinese.stdout).toContain(`授权人 ${SUBJECT}，由其密钥签署`)
    expect(chinese.stdout).toMatch(/截至区块 \d+（.*）未被撤回/)
    expect(chinese.stdout).toContain(`${rights.authorizations} 即为授权合约：可用 --authorizations 指定`)
    const json = JSON.parse((await verify(early, '--json')).stdout)
    expect(json).toMatchObject({
      verdict: 'verified',
      authorizationsPinned: false,
      authorization: { grantId: grants.recorded.id, consent: 'key', grant: { subject: SUBJECT, nonce: '1' } },
    })
  })

  test('is proven too where the contract holds the grant, or an account signed it', async () => {
    const given = await prove('given')
    expect(given.authorization).not.toHaveProperty('signature')
    expect((await verifyHere(given)).authorization).toMatchObject({ consent: 'given' })
    const byAccount = await prove('account')
    expect((await verifyHere(byAccount)).authorization).toMatchObject({ consent: 'account' })
    for (const signature of ['0x01', `0x${'77'.repeat(65)}`] as const) {
      const authorization = { ...byAccount.authorization, signature }
      await expect(verifyHere({ ...byAccount, authorization })).rejects.toMatchObject({
        code: 'BAD_SIGNATURE',
        step: 'signature',
      })
    }
  })

  test('for another purpose is refused, in words', async () => {
    const { code, stdout, stderr } = await verify(await prove('other-purpose'))
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^tidemark: REFUTED at step grant: The call is not one that this grant allows\.\n/)
    expect(stderr).toContain('the grant is for another purpose than "tax audit"')
    const chinese = await verify(await prove('other-purpose'), '--lang', 'zh')
    expect(chinese.stderr).toContain('此项授权不允许该调用。')
  })

  test('whose grant is nowhere, or not signed, is proven as before, and why is said', async () => {
    for (const id of ['unknown', 'unsigned']) {
      const { bundle, missing } = await api.proof({ source: TAX, id, disclose: [] })
      expect(JSON.parse(bundle)).toMatchObject({ format: 'tidemark-proof/1' })
      expect(missing).toMatch(/^no signed record and no event gives grant 0x[0-9a-f]{64} under 0x/)
      await expect(api.proof({ source: TAX, id, disclose: [], authorization: true })).rejects.toMatchObject({
        problem: { code: 'NOT_FOUND', detail: expect.stringContaining(missing ?? '') },
      })
    }
    const told = await tidemark(['prove', 'unknown', '--source', TAX, '--api', world.system.url])
    expect(told).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('not what authorised it: no signed'),
    })
    expect((await api.proof({ source: TAX, id: 'before', disclose: [] })).missing).toMatch(
      /not in the registry/,
    )
  })

  test('that was refused, or of which only the fact is wanted, is proven as before', async () => {
    const refused = await api.proof({ source: TAX, id: 'refused', disclose: [] })
    expect(JSON.parse(refused.bundle).format).toBe('tidemark-proof/1')
    expect(refused.missing).toBeUndefined()
    const without = await tidemark([
      'prove',
      'recorded',
      '--no-authorization',
      '--no-evidence',
      '--api',
      world.system.url,
    ])
    expect(without.stderr).toBe('')
    const { authorization: _, ...rest } = early
    expect(JSON.parse(without.stdout)).toEqual({ ...rest, format: 'tidemark-proof/1' })
    const needed = await tidemark(['prove', 'refused', '--authorization', '--api', world.system.url])
    expect(needed.code).toBe(2)
  })
})

describe('a call under a grant, with evidence and without a node,', () => {
  test.each([
    ['recorded', 'key'],
    ['given', 'given'],
  ])('is verified when the grant is %s', async (id, consent) => {
    const shown = await proveOffline(id)
    expect(await verifyOffline(shown)).toMatchObject({
      kind: 'proof',
      verified: { authorization: { consent, revokedAt: 0n, resource: { version: 1 } } },
      offline: { trustedBlocks: shown.trustedBlocks.map((hash) => ({ hash })) },
    })
  })

  test('is verified by the command, which says what is believed instead of a node', async () => {
    const { offline, trustedBlocks } = await proveOffline('recorded')
    const trusted = [
      ...trustedBlocks.flatMap((hash) => ['--trusted-block', hash]),
      '--rpc',
      'http://127.0.0.1:1',
    ]
    const told = await verify(offline, ...trusted)
    expect(told.code, told.stderr).toBe(0)
    expect(told.stdout).toContain('no node, but that these are final blocks of chain 31337:')
    expect(told.stdout).toContain(`rest on registry ${rights.registry}: pin it with --registry`)
    const pinned = await verify(offline, ...trusted, '--registry', rights.registry, '--lang', 'zh')
    expect(pinned.code, pinned.stderr).toBe(0)
    expect(pinned.stdout).not.toContain('--registry')
    const other = await verify(offline, ...trusted, '--registry', `0x${'77'.repeat(20)}`)
    expect(other.code).toBe(1)
    expect(other.stderr).toContain('REFUTED at step registry')
    const withNode = await verify(offline)
    expect(withNode.code, withNode.stderr).toBe(0)
    expect(withNode.stdout).toContain('evidence  shows the same without a node')
  })

  test('has none where the consent is that of a contract, which only a node can ask', async () => {
    await expect(proveOffline('account')).rejects.toMatchObject({
      problem: { code: 'NO_EVIDENCE', detail: expect.stringContaining(`account ${account}, a contract`) },
    })
  })

  test('is refuted when it says of a withdrawal what the state does not', async () => {
    const { offline, trustedBlocks } = await proveOffline('recorded')
    const { revocation } = shownIn(Object(offline).bundle)
    revocation.revokedAt = String(start)
    await expect(verifyOffline({ offline, trustedBlocks })).rejects.toMatchObject({
      code: 'FALSE_REVOCATION',
      step: 'revocation',
    })
  })
})

const shownIn = (proof: JsonProof) => {
  if (proof.authorization === undefined) throw new Error('it shows the authorisation')
  return proof.authorization
}

describe('of bundles with one part altered verify names the part', () => {
  const other = (size: number): Hex => `0x${'77'.repeat(size)}`
  test.each<[part: string, step: string, alter: (proof: JsonProof) => unknown]>([
    ['the call', 'batch', ({ record }) => Object.assign(record.data, { rows: 2 })],
    ['the disclosures', 'record', (proof) => proof.disclosures.push('WyJ4Il0')],
    ['the inclusion path', 'batch', ({ inclusion }) => inclusion.path.splice(0, 1, other(32))],
    ['the header', 'anchor', ({ batch }) => (batch.indexRoot = other(32))],
    ['the place in the log', 'log', ({ log }) => (log.size = String(Number(log.size) + 1))],
    ['the anchor', 'anchor', ({ anchor }) => (anchor.transactionHash = other(32))],
    ['the terms of the grant', 'grant', (proof) => (shownIn(proof).grant.maxCalls = 0)],
    ['the contract', 'grant', (proof) => (shownIn(proof).contract = other(20))],
    ['the signature', 'signature', (proof) => (shownIn(proof).signature = other(65))],
    ['the registry', 'registry', (proof) => (shownIn(proof).resource.registry = other(20))],
    ['the entry of the registry', 'registry', (proof) => (shownIn(proof).resource.level = 1)],
    ['the event of the registry', 'registry', (proof) => (shownIn(proof).resource.set.logIndex = 99)],
    ['the withdrawal', 'revocation', (proof) => (shownIn(proof).revocation.revokedAt = String(start))],
    ['the block of it', 'revocation', (proof) => (shownIn(proof).revocation.blockHash = other(32))],
  ])('%s: %s', async (_, step, alter) => {
    const proof = structuredClone(early)
    alter(proof)
    const { code, stdout, stderr } = await verify(proof)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^tidemark: REFUTED at step ${step}: [A-Z].*\\.\\n  .`))
  })

  test('no node, and one that lost what is needed, are no refusal', async () => {
    const { code } = await tidemark(['verify', '-', '--rpc', 'http://127.0.0.1:1'], {
      stdin: JSON.stringify(early),
    })
    expect(code).toBe(3)
  })
})

// The last two, since they change what all rests on.
test('a later version of the resource leaves a call under the earlier one as it is', async () => {
  await rpc.call('evm_increaseTime', [60])
  const registrar = administerRegistry({ rpc, signer: admin }, rights.registry)
  const entry = { owner: nameId(CIVIL), sharing: 'prohibited', level: 4, digest: nameId('other') } as const
  const block = await registrar.setResource(BIRTHS, entry)
  await eventually(async () => (await prove('recorded')).authorization?.resource.next !== undefined)
  const again = await prove('recorded')
  expect(again.authorization?.resource.next).toMatchObject({ blockNumber: String(block) })
  const timestamp = await timeOf(block)
  for (const proof of [early, again]) {
    expect(await verifyHere(proof)).toMatchObject({ authorization: { replacedAt: timestamp } })
  }
  expect(await verifyOffline(await proveOffline('recorded'))).toMatchObject({
    verified: { authorization: { replacedAt: timestamp } },
  })
  await send(callOf('prohibited', grants.recorded.id, { sharing: 'prohibited', level: '4' }, timestamp))
  await expect(verifyHere(await prove('prohibited'))).rejects.toMatchObject({ code: 'PROHIBITED' })
  await registrar.setResource(BIRTHS, { ...entry, sharing: 'conditional', level: 3 })
})

test('a withdrawal leaves the calls before it lawful, and refuses those from it on', async () => {
  await rpc.call('evm_increaseTime', [60])
  const ofSubject = administerGrants({ rpc, signer: subject }, rights.authorizations)
  const timestamp = await timeOf(await ofSubject.revoke(grants.recorded.grant))
  await send(callOf('late', grants.recorded.id, {}, timestamp))
  const again = await prove('recorded')
  expect(again.authorization?.revocation.revokedAt).toBe(String(timestamp))
  for (const proof of [early, again]) {
    const { code, stdout, stderr } = await verify(proof)
    expect(code, stderr).toBe(0)
    expect(stdout).toContain(
      `withdrawn at ${new Date(Number(timestamp) * 1_000).toISOString()}, after the call, which stays lawful`,
    )
  }
  expect(await verifyOffline(await proveOffline('recorded'))).toMatchObject({
    verified: { authorization: { revokedAt: timestamp } },
  })
  await expect(verifyOffline(await proveOffline('late'))).rejects.toMatchObject({ code: 'REVOKED' })
  const { code, stderr } = await verify(await prove('late'))
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^tidemark: REFUTED at step revocation: The consent had been withdrawn before the call\.\n/,
  )
  const late = await prove('late')
  if (late.authorization === undefined) throw new Error('it shows the authorisation')
  late.authorization.revocation.revokedAt = '0'
  expect((await verify(late)).stderr).toContain('REFUTED at step revocation')
  const json = await verify(late, '--json')
  expect(JSON.parse(json.stdout)).toMatchObject({ verdict: 'refuted', error: { step: 'revocation' } })
})
