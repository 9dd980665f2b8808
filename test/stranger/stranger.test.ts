import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { chainFacts } from '../../src/chain/facts.ts'
import { createLedger } from '../../src/chain/ledger.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { exitCodeOf } from '../../src/cli/exit.ts'
import { createGatewayApi, type GatewayApi } from '../../src/client/gateway-api.ts'
import { sampleRecords } from '../../src/client/sample.ts'
import { sendRecords } from '../../src/client/send.ts'
import type { JsonProof } from '../../src/proof/index.ts'
import { type FlowRecord, parseRecord, RECORD_TYPES } from '../../src/record/index.ts'
import { verifyProof } from '../../src/verify/index.ts'
import { freePort, startTestSystem, type TestSystem } from '../api/world.ts'
import { exampleOf } from '../record/examples.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'

/** Nothing of these two comes from us: `verify.js` was written from docs/format.md before its author saw our code. */
const VERIFY = join(import.meta.dirname, 'verify.js')
const VECTORS = join(import.meta.dirname, 'vectors.js')
const PUBLISHED = join(import.meta.dirname, '../vectors')

interface Ended {
  code: number | null
  /** the lines that it printed */
  lines: string[]
}

async function run(program: string, ...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString('utf8')
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, lines: printed.split('\n').slice(0, -1) }
}

let world: TestSystem
let api: GatewayApi
const records: FlowRecord[] = []
/** A proof of one record of each type, from several batches. */
const proofs: JsonProof[] = []
/** Of one record, from the second round: its person left closed, and disclosed. The ledger has grown since. */
let closed: JsonProof
let open: JsonProof

async function send(sample: Iterable<FlowRecord>): Promise<void> {
  const sent: { source: string; sequence: string }[] = []
  const lines = Array.from(sample, (record, i) => ({ line: i + 1, record }))
  const onAcknowledged: Parameters<typeof sendRecords>[1]['onAcknowledged'] = ({ receipt }) =>
    sent.push(receipt)
  await sendRecords(lines, { api, size: 8, retryPausesMs: [], onAcknowledged })
  for (const { source, sequence } of sent)
    await eventually(async () => (await api.submissionState(source, sequence)) === 'final')
}

const prove = async ({ source, id }: FlowRecord, ...disclose: string[]): Promise<JsonProof> =>
  JSON.parse((await api.proof({ source, id, disclose })).bundle)

beforeAll(async () => {
  world = await startTestSystem({ policy: { sealAfterMs: 5 } })
  api = createGatewayApi(world.system.url)
  records.push(...sampleRecords({ seed: 'stranger', count: 180, from: new Date('2026-03-02T01:00:00Z') }))
  // What an indexer submits, and no department.
  records.push(parseRecord({ ...exampleOf('tidemark.index-run.v1'), source: 'urn:indexer' }))
  await send(records.slice(0, 60))
  await send(records.slice(60, 120))
  for (const record of records.slice(60, 120)) {
    if (record.data.person === undefined || record.data.agent === undefined) continue
    closed = await prove(record)
    open = await prove(record, 'person')
    // One that has a sibling, so that there is something to alter.
    if ((open.inclusion.index ^ 1) < open.batch.recordCount) break
  }
  await send(records.slice(120))
  for (const type of Object.keys(RECORD_TYPES)) {
    const record = records.findLast((each) => each.type === type)
    if (record !== undefined) proofs.push(await prove(record))
  }
})
afterAll(async () => {
  await world.close()
  expect(world.troubles).toEqual([])
})

/** Hands a proof, or any text, to the stranger's program. */
async function verify(
  proof: unknown,
  { rpc = world.system.rpcUrl, args = [] as string[] } = {},
): Promise<Ended> {
  const path = join(await temporaryFolder(), 'proof.json')
  await writeFile(path, typeof proof === 'string' ? proof : JSON.stringify(proof))
  return run(VERIFY, path, '--rpc', rpc, ...args)
}

/** The exit code of the reference for the same proof and node. */
async function referenceExit(proof: JsonProof, rpc = world.system.rpcUrl): Promise<number> {
  const chain = chainFacts(createRpc(rpc), { finality: { kind: 'tag' } })
  return verifyProof(proof, chain).then(() => 0, exitCodeOf)
}

/** A node that answers as the real one does, but for what `change` makes of its answers; "refuse" is a refusal. */
async function startRelay(change: (call: Call, result: unknown) => unknown): Promise<string> {
  const real = createRpc(world.system.rpcUrl)
  const server = createServer(async (request, response) => {
    const { id, ...call } = (await json(request)) as Call & { id: number }
    const result = change(call, await real.call(call.method, call.params))
    const answer = result === 'refuse' ? { error: { code: -32005, message: 'too much' } } : { result }
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
interface Call {
  method: string
  params: unknown[]
}

test('the published vectors come out of the program of a stranger as they are published', async () => {
  const { code, lines } = await run(VECTORS)
  expect(lines.filter((line) => !/^\S+: (\d+) of \1 agree$/.test(line))).toEqual([])
  expect(lines).toHaveLength(7)
  expect(code).toBe(0)
})

test('a vector that says something else is noticed', async () => {
  const folder = await temporaryFolder()
  await cp(PUBLISHED, folder, { recursive: true })
  const text = await readFile(join(folder, 'tree.json'), 'utf8')
  await writeFile(join(folder, 'tree.json'), text.replace('0x51fee76d', '0x51fee76e'))
  const { code, lines } = await run(VECTORS, folder)
  expect(code).toBe(1)
  expect(lines).toContainEqual(expect.stringMatching(/^tree\.json: "root 2": /))
})

describe('a stranger with docs/format.md and a node', () => {
  test('verifies a record of every type, from several batches', async () => {
    expect(new Set(proofs.map(({ record }) => record.type))).toEqual(new Set(Object.keys(RECORD_TYPES)))
    expect(new Set(proofs.map(({ log }) => log.index)).size).toBeGreaterThan(2)
    const ended = await Promise.all(proofs.map((proof) => verify(proof)))
    for (const [i, { code, lines }] of ended.entries()) {
      expect(lines).toEqual([expect.stringContaining(`verified: record "${proofs[i]?.record.id}"`)])
      expect(code).toBe(0)
    }
  })

  test('verifies a person that is disclosed, and counts what stays closed', async () => {
    const sealed = closed.record.data._sd?.length ?? 0
    expect([closed.disclosures.length, open.disclosures.length]).toEqual([0, 1])
    expect((await verify(closed)).lines[0]).toContain(`${sealed} members closed`)
    expect((await verify(open)).lines[0]).toContain(`${sealed - 1} members closed`)
  })

  test('verifies however the JSON is spelt, by depth, and for the ledger that it knows', async () => {
    const { ledger } = world.system.identity
    const upper = `0x${ledger.slice(2).toUpperCase()}`
    const swapped = Object.fromEntries(Object.entries(open).reverse())
    const texts = [
      `\ufeff${JSON.stringify(swapped, null, 3)}\r\n`,
      JSON.stringify(open)
        .replaceAll('-', '\\u002d')
        .replace(/"recordCount":(\d+)/, '"recordCount":$1.0e0'),
    ]
    const ended = await Promise.all([
      ...texts.map((text) => verify(text)),
      verify(open, { args: ['--confirmations', '1'] }),
      verify(open, { args: ['--ledger', ledger] }),
      verify(open, { args: ['--confirmations', '1', '--ledger', upper] }),
    ])
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0])
  })

  test('verifies through the events of the ledger once it has grown', async () => {
    const now = await createLedger(createRpc(world.system.rpcUrl), world.system.identity.ledger).size()
    expect(now).toBeGreaterThan(BigInt(closed.log.size))
    let asked = 0
    const rpc = await startRelay(({ method, params }, result) => {
      if (method !== 'eth_getLogs') return result
      asked++
      const [{ fromBlock, toBlock }] = params as [{ fromBlock: string; toBlock: string }]
      return Number(toBlock) - Number(fromBlock) > 4 ? 'refuse' : result
    })
    for (const proof of [closed, open]) expect(await verify(proof, { rpc })).toMatchObject({ code: 0 })
    expect(asked).toBeGreaterThan(2)
  })

  const other = `0x${'77'.repeat(32)}` as const
  /** Each must be refuted with this code; the reference must refute it too. */
  const ALTERED: [name: string, code: string, alter: (proof: JsonProof) => unknown][] = [
    ['another outcome', 'ROOT_MISMATCH', ({ record }) => Object.assign(record.data, { outcome: 'refused' })],
    [
      'another time',
      'ROOT_MISMATCH',
      ({ record }) => Object.assign(record, { time: '2026-03-02T01:00:00.001Z' }),
    ],
    [
      'a private member in the open',
      'MALFORMED_RECORD',
      ({ record }) => Object.assign(record.data, { agent: 'x' }),
    ],
    ['a digest less', 'MALFORMED_RECORD', ({ record }) => record.data._sd?.splice(0)],
    ['no list of pseudonyms', 'BAD_DISCLOSURE', ({ record }) => delete record.data._sd_pseudonyms],
    ['a disclosure given twice', 'BAD_DISCLOSURE', (proof) => proof.disclosures.push(...proof.disclosures)],
    [
      'a disclosure of something else',
      'BAD_DISCLOSURE',
      (proof) => proof.disclosures.splice(0, 1, 'WyJ4Il0'),
    ],
    ['another place in the batch', 'ROOT_MISMATCH', ({ inclusion }) => (inclusion.index ^= 1)],
    ['a place beyond the batch', 'INDEX_OUT_OF_RANGE', (p) => (p.inclusion.index = p.batch.recordCount)],
    ['a path too short', 'MALFORMED_PATH', ({ inclusion }) => inclusion.path.pop()],
    ['a path too long', 'MALFORMED_PATH', ({ inclusion }) => inclusion.path.push(other)],
    ['another count of records', 'MALFORMED_PATH', ({ batch }) => (batch.recordCount *= 4)],
    ['a batch of another time', 'BATCH_MISMATCH', ({ batch }) => (batch.lastTime = batch.firstTime = '0')],
    ['another index root', 'HEADER_MISMATCH', ({ batch }) => (batch.indexRoot = other)],
    ['another publisher', 'HEADER_MISMATCH', ({ batch }) => (batch.publisher = `0x${'77'.repeat(20)}`)],
    ['another place in the log', 'HEADER_MISMATCH', ({ log }) => (log.index = String(Number(log.index) - 1))],
    ['another size of the log', 'HEADER_MISMATCH', ({ log }) => (log.size = String(Number(log.size) + 1))],
    ['another path in the log', 'ROOT_MISMATCH', ({ log }) => log.path.splice(0, 1, other)],
    ['no path in the log', 'MALFORMED_PATH', ({ log }) => log.path.splice(0)],
    ['another chain', 'WRONG_CHAIN', ({ anchor }) => (anchor.chainId = '1')],
    ['another ledger', 'NOT_ANCHORED', ({ anchor }) => (anchor.ledger = `0x${'77'.repeat(20)}`)],
    ['another block', 'NOT_CANONICAL', ({ anchor }) => (anchor.blockHash = other)],
    ['another transaction', 'NOT_ANCHORED', ({ anchor }) => (anchor.transactionHash = other)],
    ['another event', 'NOT_ANCHORED', ({ anchor }) => (anchor.logIndex += 1_000_000)],
    ['the anchor of another batch', 'HEADER_MISMATCH', (proof) => (proof.anchor = anchorOfAnother())],
    ['a member more', 'MALFORMED_BUNDLE', (proof) => Object.assign(proof.anchor, { note: null })],
    [
      'uppercase hex',
      'MALFORMED_BUNDLE',
      ({ anchor }) => Object.assign(anchor, { blockHash: `0x${'AB'.repeat(32)}` }),
    ],
    ['a leading zero', 'MALFORMED_BUNDLE', ({ log }) => (log.index = `0${log.index}`)],
    ['a number for a text', 'MALFORMED_HEADER', ({ batch }) => Object.assign(batch, { sequence: 1 })],
  ]
  const anchorOfAnother = () => {
    const found = proofs.find(({ anchor }) => anchor.transactionHash !== open.anchor.transactionHash)
    if (found === undefined) throw new Error('all proofs have one anchor')
    return found.anchor
  }

  test.each(ALTERED)('refutes a proof with %s', async (_, code, alter) => {
    const proof = structuredClone(open)
    alter(proof)
    const ended = await verify(proof)
    expect(ended.lines).toEqual([expect.stringMatching(`^refuted: ${code}: `)])
    expect(ended.code).toBe(1)
    expect(await referenceExit(proof)).toBe(1)
  })

  test('refutes a proof of another ledger than the one that it knows', async () => {
    const ended = await verify(open, { args: ['--ledger', `0x${'77'.repeat(20)}`] })
    expect(ended.lines).toEqual([expect.stringMatching(/^refuted: WRONG_LEDGER: /)])
    expect(ended.code).toBe(1)
  })

  test('calls what is cut off, of another format or nothing at all no bundle', async () => {
    const text = JSON.stringify(open)
    const inputs = [
      text.slice(0, -1),
      text.slice(0, 100),
      '',
      'null',
      '[]',
      text.replace('proof/1', 'proof/3'),
    ]
    const ended = await Promise.all(inputs.map((input) => verify(input)))
    for (const { code, lines } of ended) {
      expect(lines).toEqual([expect.stringMatching(/^not a bundle: BAD_BUNDLE: /)])
      expect(code).toBe(2)
    }
    expect((await run(VERIFY, '/nonexistent/proof', '--rpc', world.system.rpcUrl)).code).toBe(2)
    expect((await run(VERIFY)).code).toBe(2)
  })

  test('could not check without a node, or with one that is none', async () => {
    for (const rpc of [`http://127.0.0.1:${await freePort()}`, world.system.url]) {
      const ended = await verify(open, { rpc })
      expect(ended.lines).toEqual([expect.stringMatching(/^could not check: RPC_/)])
      expect(ended.code).toBe(3)
      expect(await referenceExit(open, rpc)).toBe(3)
    }
  })

  test('could not check before the block is final', async () => {
    const ended = await verify(open, { args: ['--confirmations', '100000'] })
    expect(ended.lines).toEqual([expect.stringMatching(/^could not check: NOT_FINAL: /)])
    expect(ended.code).toBe(3)
  })

  const isLogs = ({ method }: Call) => method === 'eth_getLogs'
  const receiptWith = (more: object) => (call: Call, result: unknown) =>
    call.method === 'eth_getTransactionReceipt' ? { ...(result as object), ...more } : result
  /** What a node may answer wrongly, and what anyone must make of it. */
  test.each<[name: string, exit: number, change: (call: Call, result: unknown) => unknown]>([
    ['keeps events from them', 3, (call, result) => (isLogs(call) ? [] : result)],
    ['tells each event twice', 3, (call, result) => (isLogs(call) ? [result, result].flat() : result)],
    [
      'tells of events that contradict themselves',
      3,
      (call, result) => (isLogs(call) ? (result as object[]).map((log) => ({ ...log, data: '0x' })) : result),
    ],
    [
      'tells of an event that nobody asked for',
      3,
      (call, result) => {
        if (!isLogs(call)) return result
        const logs = result as { topics: string[] }[]
        const more = logs.map((log) => ({ ...log, topics: log.topics.with(1, `0x${'f'.repeat(64)}`) }))
        return [...logs, ...more]
      },
    ],
    [
      'spells all bytes in uppercase',
      0,
      (_, result) =>
        JSON.parse(JSON.stringify(result).replaceAll(/(?<=0x)[0-9a-f]+/g, (s) => s.toUpperCase())),
    ],
    ['tells of no contract', 3, ({ method }, result) => (method === 'eth_call' ? '0x' : result)],
    [
      'knows fewer headers',
      3,
      ({ method }, result) => (method === 'eth_call' ? `0x${'00'.repeat(32)}` : result),
    ],
    ['has no final block', 3, ({ params }, result) => (params[0] === 'finalized' ? null : result)],
    ['forgot the receipt', 3, ({ method }, result) => (method.endsWith('Receipt') ? null : result)],
    ['has the transaction in no block', 3, receiptWith({ blockHash: null, blockNumber: null })],
    ['gives another receipt', 3, receiptWith({ transactionHash: other })],
    ['gives a status that cannot be', 3, receiptWith({ status: '0x2' })],
    ['says that the transaction was reverted', 1, receiptWith({ status: '0x0' })],
    ['has no events in the receipt', 1, receiptWith({ logs: [] })],
  ])('a node that %s makes the stranger and the reference end alike', async (_, exit, change) => {
    const rpc = await startRelay(change)
    const ended = await verify(closed, { rpc })
    expect([ended.code, await referenceExit(closed, rpc)], ended.lines.join()).toEqual([exit, exit])
  })
})
