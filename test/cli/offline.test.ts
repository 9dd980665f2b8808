import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { createGatewayApi } from '../../src/client/gateway-api.ts'
import { type JsonOffline, parseOffline } from '../../src/proof/index.ts'
import { openDatabase } from '../../src/store/database.ts'
import { blockHashes, verifyAny } from '../../src/verify/index.ts'
import { callOf, exchange, NDJSON, ndjson, startTestSystem, type TestSystem } from '../api/world.ts'
import { tidemark } from '../e2e/processes.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'
import { refusalOf } from './refusal.ts'

const SOURCE = 'urn:offline'
const BATCHES = 5
/** Nobody answers there, and every answer would be refused. */
const NOWHERE = { TIDEMARK_RPC: 'http://127.0.0.1:1', TIDEMARK_API: 'http://127.0.0.1:1' }

let dataPath: string
let world: TestSystem
let refuseNetwork: string
const api = () => ['--api', world.system.url]

const start = () => startTestSystem({ dataPath, runHours: 0, policy: { sealAfterMs: 5 } })

/** One submission and batch each. */
async function send(sequence: number): Promise<void> {
  const records = ndjson(callOf(SOURCE, `record-${sequence}`), callOf(SOURCE, `other-${sequence}`))
  const headers = { ...NDJSON, 'tidemark-sequence': String(sequence) }
  const answer = await exchange(world.system.url, 'POST', '/v1/submissions', { headers, body: records })
  expect(answer.status, answer.text).toBe(201)
  const isFinal = async () =>
    (await createGatewayApi(world.system.url).submissionState(SOURCE, String(sequence))) === 'final'
  await eventually(async () => (await isFinal()) || undefined)
}

async function fetchOffline(path: string): Promise<JsonOffline> {
  const answer = await eventually(async () => {
    const got = await exchange(world.system.url, 'GET', `${path}&evidence=true`)
    return got.status === 409 ? undefined : got
  })
  expect(answer.status, answer.text).toBe(200)
  expect(answer.headers['content-type']).toMatch(/^application\/vnd\.tidemark\.offline\+json/)
  return JSON.parse(answer.text)
}

const hashesOf = (offline: unknown): Hex[] => blockHashes(parseOffline(offline).evidence)

async function fileOf(bundle: unknown): Promise<string> {
  const file = join(await temporaryFolder(), 'bundle.json')
  await writeFile(file, JSON.stringify(bundle))
  return file
}

/** Verifies in a process that cannot reach anything. */
async function verify(bundle: unknown, ...args: string[]) {
  const env = { ...NOWHERE, NODE_OPTIONS: `--import ${refuseNetwork}` }
  return await tidemark(['verify', await fileOf(bundle), ...args], { env })
}

const refused = async (bundle: unknown, ...args: string[]) => refusalOf([await fileOf(bundle), ...args])

const trusting = (offline: unknown) => hashesOf(offline).flatMap((hash) => ['--trusted-block', hash])

beforeAll(async () => {
  dataPath = await mkdtemp(join(tmpdir(), 'tidemark-offline-'))
  refuseNetwork = join(dataPath, 'refuse-network.mjs')
  await writeFile(
    refuseNetwork,
    `import net from 'node:net'
     const refuse = () => { throw new Error('the network was used') }
     globalThis.fetch = refuse
     net.Socket.prototype.connect = refuse`,
  )
  world = await start()
  for (let sequence = 0; sequence < BATCHES; sequence++) await send(sequence)
})
afterAll(async () => {
  await world?.close()
  await rm(dataPath, { recursive: true, force: true })
  expect(world?.troubles).toEqual([])
})

describe('with evidence and a trusted block, and nobody to ask,', () => {
  test('a proof is verified, and which block had to be trusted is said in both languages', async () => {
    const proof = await fetchOffline('/v1/proofs?id=record-2')
    const [hash = '0x', ...others] = hashesOf(proof)
    expect(others).toEqual([])
    const { ledger } = world.system.identity
    const told = await verify(proof, '--trusted-block', hash, '--ledger', ledger)
    expect(told.code, told.stderr).toBe(0)
    expect(told.stdout).toMatch(/^VERIFIED\n/)
    expect(told.stdout).toContain('trusted   no node, but that these are final blocks of chain 31337:\n')
    expect(told.stdout).toContain(hash)
    const chinese = await verify(proof, '--trusted-block', hash, '--lang', 'zh')
    expect(chinese.stdout).toContain('信任      无需节点，但须相信以下为链 31337 的最终区块：')
    expect(chinese.stdout).toContain(`${ledger} 即为账本`)
    const json = await verify(proof, '--trusted-block', hash, '--json', '--cross-check')
    expect(JSON.parse(json.stdout)).toMatchObject({
      verdict: 'verified',
      offline: true,
      crossChecked: true,
      shownBy: [{ hash }],
    })
  })

  test('a history and a submission are verified', async () => {
    for (const [path, words] of [
      ['/v1/histories?consumer=traffic-office', /history {3}10 records under consumer/],
      ['/v1/histories?consumer=traffic-office&runs=true', /history {3}10 records under consumer/],
      [`/v1/submissions/proof?source=${SOURCE}&sequence=3`, /records {3}2, a whole submission of root 0x/],
    ] as const) {
      const offline = await fetchOffline(path)
      const told = await verify(offline, ...trusting(offline))
      expect(told.code, told.stderr).toBe(0)
      expect(told.stdout).toMatch(words)
    }
  })

  test('a block that was not named is not believed, nor is that a refutation', async () => {
    const proof = await fetchOffline('/v1/proofs?id=record-1')
    const told = await verify(proof, '--trusted-block', `0x${'11'.repeat(32)}`)
    expect(told.code).toBe(3)
    expect(told.stderr).toContain(hashesOf(proof)[0])
    const bare = await refused(proof.bundle, '--trusted-block', `0x${'11'.repeat(32)}`)
    expect(bare.exit).toBe(3)
    expect((await verify(proof, '--trusted-block', '0x11')).code).toBe(2)
    const other = await refused(proof, ...trusting(proof), '--ledger', `0x${'11'.repeat(20)}`)
    expect(other.exit).toBe(1)
  })
})

describe('of evidence with one part altered verify names the step', () => {
  const flip = (nodes: Hex[] | undefined) => {
    const last = nodes?.pop()
    if (last === undefined) throw new Error('it has nodes')
    nodes?.push(`${last.slice(0, -1)}${last.endsWith('0') ? '1' : '0'}` as Hex)
  }
  const blockOf = ({ evidence }: JsonOffline) => {
    const [block] = evidence.blocks
    if (block === undefined) throw new Error('it has a block')
    return block
  }
  test.each<[part: string, alter: (offline: JsonOffline) => void]>([
    ['the proof of the transaction', (offline) => flip(blockOf(offline).transactions[0]?.transactionProof)],
    ['the proof of the receipt', (offline) => flip(blockOf(offline).transactions[0]?.receiptProof)],
    ['the position', (offline) => Object.assign(blockOf(offline).transactions[0] ?? {}, { index: 1 })],
    [
      'the first log',
      (offline) => Object.assign(blockOf(offline).transactions[0] ?? {}, { firstLogIndex: 1 }),
    ],
    ['the proof of the account', (offline) => flip(blockOf(offline).accounts[0]?.accountProof)],
    ['the proof of a slot', (offline) => flip(blockOf(offline).accounts[0]?.storage.at(-1)?.proof)],
    ['the path from one log to another', (offline) => Object.assign(offline.evidence, { consistency: [] })],
  ])('%s', async (_, alter) => {
    const proof = await fetchOffline('/v1/proofs?id=record-2')
    const trustedBlocks = hashesOf(proof)
    alter(proof)
    const refuted = expect.objectContaining({ name: 'VerificationError', step: 'evidence' })
    await expect(verifyAny(proof, { trustedBlocks })).rejects.toEqual(refuted)
    const chain = chainFacts(createRpc(world.system.rpcUrl), { finality: { kind: 'tag' } })
    await expect(verifyAny(proof, { chain })).rejects.toEqual(refuted)
  })

  test('is refuted by the command, with or without a node', async () => {
    const proof = await fetchOffline('/v1/proofs?id=record-2')
    const trusted = trusting(proof)
    flip(blockOf(proof).transactions[0]?.receiptProof)
    const told = await verify(proof, ...trusted)
    expect(told.code).toBe(1)
    expect(told.stderr).toContain('REFUTED at step evidence')
    expect(await refused(proof, '--rpc', world.system.rpcUrl)).toMatchObject({ exit: 1, step: 'evidence' })
  })

  test('the bundle', async () => {
    const proof = await fetchOffline('/v1/proofs?id=record-2')
    Object.assign(Object(proof.bundle).log, { path: [] })
    expect(await refused(proof, ...trusting(proof))).toMatchObject({ exit: 1, step: 'log' })
  })

  test('the header: then it is another block', async () => {
    const proof = await fetchOffline('/v1/proofs?id=record-2')
    const trusted = trusting(proof)
    const block = blockOf(proof)
    block.header = `${block.header.slice(0, -1)}${block.header.endsWith('0') ? '1' : '0'}` as Hex
    expect((await refused(proof, ...trusted)).exit).toBe(3)
  })
})

describe('the command line', () => {
  test('asks for evidence, does without where there is none, and says so', async () => {
    await fetchOffline('/v1/proofs?id=record-0')
    const proved = await tidemark(['prove', 'record-0', '--no-authorization', ...api()])
    expect(proved).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(proved.stdout)).toMatchObject({ format: 'tidemark-offline/1' })
    const known = await tidemark(['history', '--consumer', 'traffic-office', ...api()])
    expect(JSON.parse(known.stdout)).toMatchObject({ format: 'tidemark-offline/1' })
    const bare = await tidemark(['prove', 'record-0', '--no-evidence', ...api()])
    expect(JSON.parse(bare.stdout)).toMatchObject({ format: 'tidemark-proof/1' })

    await send(BATCHES)
    const database = openDatabase(join(dataPath, 'catalogue.sqlite'))
    const size = BigInt(BATCHES)
    await fetchOffline(`/v1/proofs?id=record-${BATCHES}`)
    const kept = database.prepare('SELECT shown FROM evidence WHERE log_index = ?').get(size)?.shown
    // As of a transaction that the node cannot show.
    database.exec(
      `UPDATE evidence SET shown = NULL, retry_at = 1e15, reason = 'it forgot' WHERE log_index = ${size}`,
    )
    const without = await tidemark(['prove', `record-${BATCHES}`, '--no-authorization', ...api()])
    expect(without.code).toBe(0)
    expect(without.stderr).toMatch(/without evidence.*it forgot/)
    expect(JSON.parse(without.stdout)).toMatchObject({ format: 'tidemark-proof/1' })
    const insisted = await tidemark(['prove', `record-${BATCHES}`, '--evidence', ...api()])
    expect(insisted).toMatchObject({ code: 2, stdout: '' })
    expect(insisted.stderr).toContain('it forgot')
    database.prepare('UPDATE evidence SET shown = ? WHERE log_index = ?').run(kept as Uint8Array, size)
    database.close()
  })

  test('with a node, checks the evidence too', async () => {
    const proof = await fetchOffline('/v1/proofs?id=record-2')
    const told = await tidemark(['verify', await fileOf(proof), '--rpc', world.system.rpcUrl])
    expect(told.code, told.stderr).toBe(0)
    expect(told.stdout).toContain(`trusted   the node at ${world.system.rpcUrl}, and that `)
    expect(told.stdout).toContain('evidence  shows the same without a node')
    expect(told.stdout).toContain(hashesOf(proof)[0])
  })
})

describe('after a restart, when the chain has forgotten its old states,', () => {
  beforeAll(async () => {
    await world.system.stop()
    world = await start()
  })

  test('an old batch is shown by the evidence of its time', async () => {
    const proof = await fetchOffline('/v1/proofs?id=record-1')
    expect(proof.evidence.blocks).toHaveLength(1)
    expect(proof.evidence.consistency).toBeUndefined()
    const told = await verify(proof, ...trusting(proof))
    expect(told.code, told.stderr).toBe(0)
  })

  test('one that was never captured is shown late, by the ledger as it is now', async () => {
    await world.system.stop()
    const database = openDatabase(join(dataPath, 'catalogue.sqlite'))
    database.exec('UPDATE evidence SET shown = NULL, ledger_size = NULL')
    database.close()
    world = await start()
    for (let sequence = 0; sequence < BATCHES; sequence++) {
      const proof = await fetchOffline(`/v1/proofs?id=record-${sequence}`)
      expect(proof.evidence.blocks, String(sequence)).toHaveLength(2)
      expect(proof.evidence.consistency).toBeDefined()
      const found = await verifyAny(proof, { trustedBlocks: hashesOf(proof) })
      expect(found).toMatchObject({ kind: 'proof', verified: { logIndex: BigInt(sequence) } })
    }
  })
})
