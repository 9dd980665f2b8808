import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createAuthorizations } from '../../src/chain/authorizations.ts'
import { deployRights, type RightsIdentity } from '../../src/chain/deploy.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import type { Rpc } from '../../src/chain/rpc.ts'
import { Rights } from '../../src/indexer/rights.ts'
import { RightsFollower } from '../../src/indexer/rights-follower.ts'
import { RightsIndex } from '../../src/indexer/rights-index.ts'
import { nameId } from '../../src/record/index.ts'
import { openDatabase } from '../../src/store/database.ts'
import { runs } from '../bytes/runs.ts'
import { loadArtifact, startUnsavedTestChain, type TestChain, until } from '../chain/fixture.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { addressOf, administer, EVERYTHING, FAR_FUTURE, makeGrant } from './rights-world.ts'

let chain: TestChain
let identity: RightsIdentity
let people: ReturnType<typeof administer>
let empty: unknown

beforeAll(async () => {
  chain = await startUnsavedTestChain()
  const admin = devWallet('admin', LOCAL_CHAIN_ID)
  identity = await deployRights({
    rpc: chain.rpc,
    signer: admin,
    artifacts: {
      registry: await loadArtifact('Registry'),
      authorizations: await loadArtifact('Authorizations'),
    },
    roles: {
      governance: addressOf(admin),
      registrar: addressOf(admin),
      guardian: addressOf(devWallet('guardian', LOCAL_CHAIN_ID)),
    },
  })
  people = administer(chain.rpc, identity)
  empty = await snapshot()
})
afterAll(() => chain.close())

const snapshot = () => chain.rpc.call('evm_snapshot', [])
const revert = (to: unknown) => chain.rpc.call('evm_revert', [to])

type Lie = (method: string, params: readonly unknown[], truth: unknown) => unknown
const honest: Lie = (_method, _params, truth) => truth

/** A follower over a fresh catalogue, whose node says what `lie` makes of each answer, over the empty contracts. */
async function start(options: { confirmations?: number; keep?: boolean; mayLag?: boolean } = {}) {
  if (options.keep !== true) {
    await revert(empty)
    empty = await snapshot()
  }
  const node: { lie: Lie } = { lie: honest }
  const rpc: Rpc = {
    url: chain.rpc.url,
    call: async (method, params) => node.lie(method, params, await chain.rpc.call(method, params)),
  }
  const path = join(await temporaryFolder(), 'catalogue.sqlite')
  const facts = chainFacts(rpc, {
    finality: { kind: 'depth', confirmations: options.confirmations ?? 1_000 },
  })
  function open() {
    const database = openDatabase(path)
    onTestFinished(() => database.close())
    const rights = new Rights(database, identity.authorizations)
    let final = -1n
    const follower = new RightsFollower({
      rpc,
      chain: facts,
      identity,
      rights,
      finalBlock: () => final,
      mayLag: options.mayLag ?? true,
      now: () => 0,
    })
    const step = async () => {
      await follower.step()
      final = await facts.finalBlock()
      return dump(rights)
    }
    return { rights, follower, step }
  }
  return { ...open(), open, node, path }
}

/** All that a catalogue says of the registry, and of some grants. */
const dump = (rights: Rights, grants: readonly `0x${string}`[] = []) => ({
  sources: ['urn:tax', 'urn:civil', 'urn:other'].map((name) => rights.source(nameId(name))),
  resources: rights.resources().sort((a, b) => (a.id < b.id ? -1 : 1)),
  trips: rights.trips(),
  grants: grants.map((id) => rights.grants.state(id)),
})

const entry = {
  owner: nameId('urn:civil'),
  sharing: 'conditional',
  level: 1,
  digest: nameId('entry'),
} as const
const USE = { consumer: nameId('urn:tax'), resource: nameId('births'), purpose: nameId('school') }

async function register(): Promise<void> {
  await people.registrar.addSource('urn:tax')
  await people.registrar.addSource('urn:civil')
  await people.registrar.addKey(USE.consumer, people.consumerKey, FAR_FUTURE)
  await people.registrar.setResource('births', entry)
}

test('sources with the periods of their keys, resources with their versions, trips and grants are known, after a restart too', async () => {
  const { step, open } = await start()
  await register()
  const { grant, id } = await makeGrant(people.domain, { maxCalls: 3 }, people.subject)
  await people.bySubject.grant(grant, '0x')
  await people.byConsumer.request(USE, id)
  await people.bySubject.pause(grant)
  await people.registrar.setResource('births', { ...entry, sharing: 'unconditional' })
  await people.guardian.trip(EVERYTHING, 'a leak')
  await people.registrar.reset(EVERYTHING, 'mended')
  await people.guardian.trip({ kind: 'source', id: entry.owner }, 'another')
  await people.registrar.endKey(USE.consumer, people.consumerKey)
  const before = await step()
  const { rights } = open()
  expect(dump(rights)).toEqual(before)
  const [births] = rights.resources()
  expect(births).toMatchObject({
    name: 'births',
    sharing: 'unconditional',
    owner: { id: entry.owner, name: 'urn:civil' },
  })
  expect(births?.versions.map(({ version, sharing }) => [version, sharing])).toEqual([
    [1, 'conditional'],
    [2, 'unconditional'],
  ])
  const source = rights.source(USE.consumer)
  expect(source?.name).toBe('urn:tax')
  expect(source?.keys).toHaveLength(1)
  expect(source?.keys[0]?.until).toBe(rights.cursor?.block.time)
  expect(rights.trips().map(({ reason, reset }) => [reason, reset?.reason])).toEqual([
    ['a leak', 'mended'],
    ['another', undefined],
  ])
  expect(rights.standing(USE)).toEqual({ known: true, sharing: 'unconditional', tripped: true })
  expect(rights.grant(id)).toMatchObject({ given: { by: 'chain' }, paused: true, calls: 1n, signed: true })
})

test('the rules read in the catalogue how a resource was shared, and what became of a grant that no record gave', async () => {
  const { step, rights, path } = await start()
  const catalogue = new DatabaseSync(path, { readOnly: true })
  onTestFinished(() => catalogue.close())
  const index = new RightsIndex(catalogue)
  expect([index.sharingOf('births', Date.now()), index.grantOf('births')]).toEqual([undefined, undefined])
  await register()
  const { grant, id } = await makeGrant(people.domain, { maxCalls: 3 }, people.subject)
  await people.bySubject.grant(grant, '0x')
  // Blocks are made faster than a second passes.
  await chain.rpc.call('evm_increaseTime', ['0x3c'])
  await people.registrar.setResource('births', { ...entry, sharing: 'prohibited' })
  await step()
  index.refresh()
  const [first, second] = rights.resources()[0]?.versions.map(({ block }) => 1_000 * Number(block.time)) ?? []
  if (first === undefined || second === undefined) throw new Error('there are two versions')
  const sharings = [first - 1, first, second - 1, second].map((at) => index.sharingOf('births', at))
  expect(sharings).toEqual([undefined, 'conditional', 'conditional', 'prohibited'])
  expect(index.grantOf(id)).toMatchObject({ resource: USE.resource, maxCalls: 3 })
  expect(index.grantOf(id)).not.toHaveProperty('source')
  expect(index.grantOf(id)).not.toHaveProperty('revoked')
  await people.bySubject.revoke(grant)
  await step()
  expect(index.grantOf(id)?.revoked).toEqual({ effectiveMs: 1_000 * Number(rights.grant(id)?.revokedAt) })
})

test('several events of one block are known in their order', async () => {
  const { step, rights } = await start()
  await register()
  await chain.rpc.call('evm_setAutomine', [false])
  const target = { kind: 'resource', id: USE.resource } as const
  const trip = people.guardian.trip(target, 'a leak')
  const changed = people.registrar.setResource('births', { ...entry, level: 2 })
  const grant = (await makeGrant(people.domain, {}, people.subject)).grant
  const given = people.bySubject.grant(grant, '0x')
  // They wait in the pool until a block is made.
  while (Number(Object(await chain.rpc.call('txpool_status', [])).pending) < 3);
  await chain.rpc.call('evm_setAutomine', [true])
  await chain.rpc.call('evm_mine', [])
  expect(new Set(await Promise.all([trip, changed, given])).size).toBe(1)
  await step()
  expect(rights.standing(USE).tripped).toBe(true)
  expect(rights.resources()[0]?.versions).toHaveLength(2)
})

test('whatever is done and undone by reorgs, what is known is what a fresh reader finds, and what the contract decides', async () => {
  const { step, rights } = await start()
  await register()
  const { grant, id, signature } = await makeGrant(people.domain, { maxCalls: 2 }, people.subject)
  const deeds: Record<string, () => Promise<unknown>> = {
    grant: () => people.bySubject.grant(grant, '0x'),
    pause: () => people.bySubject.pause(grant),
    resume: () => people.bySubject.resume(grant),
    revoke: () => people.bySubject.revoke(grant),
    request: () => people.byConsumer.request(USE, id),
    trip: () => people.guardian.trip(EVERYTHING, 'a leak'),
    reset: () => people.registrar.reset(EVERYTHING, 'mended'),
    set: () => people.registrar.setResource('births', entry),
    mine: () => chain.rpc.call('anvil_mine', ['0x3']),
  }
  const marks: unknown[] = [await snapshot()]
  const contract = createAuthorizations(chain.rpc, identity.authorizations)
  const deed = fc.constantFrom('mark', 'back', 'look', ...Object.keys(deeds))
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 4, maxLength: 14 }), async (names) => {
      for (const name of [...names, 'look']) {
        if (name === 'mark') marks.push(await snapshot())
        else if (name === 'back') {
          // A snapshot is gone once it was gone back to.
          await revert(marks.pop())
          if (marks.length === 0) marks.push(await snapshot())
          // A chain that is shorter than the one before it would be taken for one that lags.
          const head = Number(await chain.rpc.call('eth_blockNumber', []))
          const blocks = Math.max(1, Number(rights.cursor?.block.number ?? 0n) - head + 1)
          await chain.rpc.call('anvil_mine', [`0x${blocks.toString(16)}`, '0x2'])
        } else if (name === 'look') {
          await step()
        } else await deeds[name]?.().catch(() => undefined) // the contract refuses what makes no sense
      }
      const fresh = await start({ keep: true })
      await fresh.step()
      expect(dump(rights, [id])).toEqual(dump(fresh.rights, [id]))
      const block = rights.cursor?.block
      expect(block).toEqual(fresh.rights.cursor?.block)
      const at = { blockHash: block?.hash ?? '0x' }
      const state = await contract.grantState(id, at)
      const { paused = false, calls = 0n, terms } = rights.grants.state(id) ?? {}
      expect({ paused, calls, given: terms !== undefined }).toEqual(state)
      const reason = await contract.decideWith(USE, grant, signature, at)
      expect(rights.standing(USE).tripped).toBe(reason === 'Tripped')
    }),
    runs(8),
  )
})

test('A NODE THAT LAGS takes nothing back', async () => {
  const { step, rights, node } = await start()
  await register()
  await people.guardian.trip(EVERYTHING, 'a leak')
  await step()
  const { cursor } = rights
  node.lie = (method, _params, truth) =>
    method === 'eth_blockNumber' ? `0x${(Number(truth) - 2).toString(16)}` : truth
  await step()
  node.lie = (method, params, truth) =>
    method === 'eth_getBlockByNumber' && BigInt(String(params[0])) === cursor?.block.number ? null : truth
  await expect(step()).rejects.toMatchObject({ code: 'RPC_LAGS' })
  expect(rights.cursor).toEqual(cursor)
  expect(rights.standing(USE).tripped).toBe(true)
})

type Json = Record<string, unknown>
const ofLogs =
  (change: (logs: Json[]) => Json[]): Lie =>
  (method, _params, truth) =>
    method === 'eth_getLogs' ? change(truth as Json[]) : truth

test.each<[string, string, Lie]>([
  [
    'AN EVENT OF A TRANSACTION THAT ITS BLOCK DOES NOT HAVE',
    'RPC_LAGS',
    ofLogs((logs) => logs.map((log) => ({ ...log, transactionHash: `0x${'77'.repeat(32)}` }))),
  ],
  [
    'AN EVENT OF ANOTHER BLOCK',
    'RPC_MALFORMED',
    ofLogs((logs) => logs.map((log) => ({ ...log, blockHash: `0x${'77'.repeat(32)}` }))),
  ],
  [
    'AN ALTERED EVENT',
    'RPC_MALFORMED',
    ofLogs((logs) =>
      logs.map((log) => ({
        ...log,
        // The last indexed value: who, or which owner, or which key.
        topics: (log.topics as string[]).with(1, `0x${'01'.repeat(32)}`),
      })),
    ),
  ],
  [
    'A BLOCK THAT FOLLOWS ON ANOTHER',
    'RPC_LAGS',
    (method, _params, truth) =>
      method === 'eth_getBlockByNumber' ? { ...Object(truth), parentHash: `0x${'77'.repeat(32)}` } : truth,
  ],
  [
    'ONE OF SEVERAL EVENTS LEFT OUT',
    'RPC_MALFORMED',
    ofLogs((logs) => logs.filter(({ topics }) => !String(topics).startsWith(KEY_ADDED))),
  ],
])('%s is not believed, and read when the node tells the truth', async (_name, code, lie) => {
  const { step, rights, node } = await start()
  await step()
  const { cursor } = rights
  await register()
  await people.registrar.endKey(USE.consumer, people.consumerKey)
  node.lie = lie
  await expect(step()).rejects.toMatchObject({ code })
  expect(rights.cursor).toEqual(cursor)
  expect(rights.resources()).toEqual([])
  node.lie = honest
  await step()
  expect(rights.standing(USE)).toEqual({ known: true, sharing: 'conditional', tripped: false })
})
const KEY_ADDED = '0xe4c819bb1fb4dd0718ea96f30dbdefad6e633104f7beff8f13336f544fee19ba'

test('LOGS OF A RANGE THAT LAG BEHIND THE BLOCKS hide nothing: blocks near the head are asked one by one', async () => {
  const { step, rights, node } = await start()
  node.lie = (method, params, truth) =>
    method === 'eth_getLogs' && Object(params[0]).blockHash === undefined ? [] : truth
  await chain.rpc.call('anvil_mine', ['0x50'])
  await register()
  await step()
  expect(rights.standing(USE).known).toBe(true)
})

test('further back whole ranges are read', async () => {
  const { step, rights, node } = await start()
  await register()
  await chain.rpc.call('anvil_mine', ['0x50'])
  let ranges = 0
  node.lie = (method, params, truth) => {
    if (method === 'eth_getLogs' && Object(params[0]).blockHash === undefined) ranges++
    return truth
  }
  await step()
  expect(ranges).toBeGreaterThan(0)
  expect(rights.standing(USE)).toMatchObject({ known: true, sharing: 'conditional' })
})

test('A CHAIN THAT CONTRADICTS WHAT WAS FINAL is not followed, and nothing is taken back', async () => {
  const { step, rights } = await start({ confirmations: 1 })
  const before = await snapshot()
  await people.registrar.addSource('urn:tax')
  await step()
  await people.registrar.addSource('urn:other')
  await step()
  await revert(before)
  await chain.rpc.call('anvil_mine', ['0x9', '0x5'])
  await expect(step()).rejects.toMatchObject({ code: 'RPC_MALFORMED' })
  expect(rights.source(nameId('urn:tax'))?.name).toBe('urn:tax')
})

test('a reason that is not UTF-8 does not keep a trip from being seen', async () => {
  const { step, rights } = await start()
  await register()
  // The text "a?": its second byte begins nothing in UTF-8.
  const word = (digits: string) => digits.padStart(64, '0')
  const data = `0x${TRIP}${word('0')}${word('0')}${word('60')}${word('2')}${'61ff'.padEnd(64, '0')}` as const
  const guardian = addressOf(devWallet('guardian', LOCAL_CHAIN_ID))
  await chain.rpc.call('anvil_impersonateAccount', [guardian])
  const hash = await chain.rpc.call('eth_sendTransaction', [{ from: guardian, to: identity.registry, data }])
  await until(async () => (await chain.rpc.call('eth_getTransactionReceipt', [hash])) !== null)
  await step()
  expect(rights.trips().map(({ reason }) => reason)).toEqual(['a\ufffd'])
  expect(rights.standing(USE).tripped).toBe(true)
})
/** `trip((uint8,bytes32),string)` */
const TRIP = 'aa94f836'
