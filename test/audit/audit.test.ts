import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SealedBatch } from '../../src/batch/index.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import type { Rpc } from '../../src/chain/rpc.ts'
import { submissionOf } from '../batch/items.ts'
import { append, PUBLISHER, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'
import { startPublisherServer } from '../indexer/publisher-server.ts'
import { sealFor } from '../indexer/world.ts'
import { eventually } from '../store/temporary.ts'
import { receiptFor, signedBy, startAudits, told } from './world.ts'

let chain: TestChain
const LONG_AGO = Date.UTC(2020, 0)
let snapshot: unknown

beforeAll(async () => {
  chain = await startUnsavedTestChain()
  snapshot = await chain.rpc.call('evm_snapshot', [])
})
afterAll(() => chain.close())

const addressOf = (account: 'admin' | 'publisher') =>
  devWallet(account, LOCAL_CHAIN_ID).address.toLowerCase() as Hex

/** Puts batches onto an empty ledger and their files into a folder. */
async function publish(batches: readonly SealedBatch[], headers = batches.map(({ header }) => header)) {
  await chain.rpc.call('evm_revert', [snapshot])
  snapshot = await chain.rpc.call('evm_snapshot', [])
  await append(chain.rpc, chain.ledger, headers)
  return startAudits(chain, batches)
}

/** Three batches in which nothing is wrong. */
async function soundBatches(): Promise<SealedBatch[]> {
  const sign = (sequence: number, count: number) =>
    signedBy('admin', chain.ledger, submissionOf('urn:a', sequence, count))
  return [
    sealFor(0, await sign(0, 300), submissionOf('urn:b', 0, 5)),
    sealFor(1, await sign(1, 20)),
    sealFor(2, submissionOf('urn:b', 1, 7), await sign(2, 4)),
  ]
}

test('a ledger in which nothing is wrong is verified, all of it', async () => {
  const { run } = await publish(await soundBatches())
  const report = await run({
    given: [{ place: 'here', value: await receiptFor(chain.ledger, submissionOf('urn:a', 1, 20)) }],
  })
  expect(report).toMatchObject({
    verdict: 'verified',
    size: '3',
    batches: { verified: 3, fraud: 0, withheld: 0, unread: 0 },
    records: 336,
    sources: 2,
    receipts: { kept: 1, broken: 0, bad: 0, open: 0 },
    findings: [],
    counts: [],
  })
  expect(report.charts.byPublisher).toEqual([{ label: PUBLISHER, records: 336 }])
  expect(report.charts.byHour).toEqual([{ label: '2026-03-01 09', records: 336 }])
})

test('a ledger without a batch is verified', async () => {
  const { run } = await startAudits(chain, [])
  await chain.rpc.call('evm_revert', [snapshot])
  snapshot = await chain.rpc.call('evm_snapshot', [])
  expect(await run()).toMatchObject({ verdict: 'verified', size: '0', records: 0 })
})

describe('the audit finds', () => {
  test('A SUBMISSION SIGNED BY A STRANGER, and takes a change of key that it was told of for none', async () => {
    const sign = (account: 'admin' | 'publisher', sequence: number) =>
      signedBy(account, chain.ledger, submissionOf('urn:a', sequence, 3))
    const { run } = await publish([
      sealFor(0, await sign('admin', 0)),
      sealFor(1, await sign('publisher', 1)),
    ])
    expect(told(await run())).toEqual([[1, 'foreign-signature', 'false']])
    const [old, next] = [addressOf('admin'), addressOf('publisher')]
    const both = new Map([['urn:a', new Set([old, next])]])
    expect(await run({ signers: both })).toMatchObject({ verdict: 'verified', findings: [] })
    const report = await run({ signers: new Map([['urn:a', new Set([next])]]) })
    expect(report.findings).toMatchObject([
      { kind: 'foreign-signature', ledgerIndex: '0', found: `one by ${old}`, verdict: 'false' },
    ])
  })

  test('ONE ID IN TWO BATCHES, and names it', async () => {
    const { run } = await publish([
      sealFor(0, submissionOf('urn:a', 0, 300), submissionOf('urn:b', 0, 20)),
      sealFor(1, { ...submissionOf('urn:a', 0, 4), sequence: 1n }, submissionOf('urn:c', 0, 9)),
    ])
    const report = await run()
    expect(told(report)).toEqual([[1, 'duplicate-id', 'false']])
    expect(report.findings[0]).toMatchObject({ positions: [0, 1, 2, 3] })
    expect(report.findings[0]?.found).toMatch(
      /^4 records .* 0-0 of urn:a, is record 0 of ledger entry 0 too$/,
    )
  })

  test('A NUMBER LEFT OUT and ONE TAKEN TWICE', async () => {
    const { run } = await publish([
      sealFor(0, submissionOf('urn:a', 0, 3)),
      sealFor(1, submissionOf('urn:a', 2, 3)),
      sealFor(2, { ...submissionOf('urn:a', 3, 3), sequence: 2n }),
    ])
    expect(told(await run())).toEqual([
      [1, 'sequence-gap', 'false'],
      [2, 'sequence-repeat', 'false'],
    ])
  })
})

test('receipts are held against the blocks of what they promise', async () => {
  const { run } = await publish(await soundBatches())
  const promised = submissionOf('urn:a', 1, 20)
  const gone = submissionOf('urn:gone', 0, 2)
  const { ledger } = chain
  const given: [name: string, receipt: unknown, expected?: string][] = [
    ['kept', await receiptFor(ledger, promised)],
    ['KEPT TOO LATE', await receiptFor(ledger, promised, { anchorBy: LONG_AGO }), 'broken-receipt'],
    ['NEVER CAME', await receiptFor(ledger, gone, { anchorBy: LONG_AGO }), 'broken-receipt'],
    [
      'OTHER RECORDS',
      await receiptFor(ledger, promised, { root: new Uint8Array(32), anchorBy: LONG_AGO }),
      'broken-receipt',
    ],
    ['time left', await receiptFor(ledger, gone), 'open-receipt'],
    [
      'SIGNED BY SOMEBODY ELSE',
      { ...Object(await receiptFor(ledger, promised)), source: 'urn:b' },
      'bad-receipt',
    ],
    ['ANOTHER LEDGER', await receiptFor(`0x${'11'.repeat(20)}`, promised), 'bad-receipt'],
    ['NO RECEIPT', { none: true }, 'bad-receipt'],
    ['NO JSON', undefined, 'bad-receipt'],
  ]
  const report = await run({ given: given.map(([place, value]) => ({ place, value })) })
  expect(report.receipts).toEqual({ kept: 1, broken: 3, bad: 4, open: 1 })
  expect(report.findings.map(({ found, kind }) => [found.split(':')[0], kind])).toEqual(
    given.filter(([, , kind]) => kind !== undefined).map(([name, , kind]) => [name, kind]),
  )
})

describe('what could not be checked', () => {
  test('WITHHELD FILES are not false, and are checked once they have come', async () => {
    const batches = await soundBatches()
    const { run, pathOf, folder, path } = await publish(batches)
    await rm(pathOf(1), { recursive: true })
    const statePath = join(path, 'kept')
    const promised = await receiptFor(chain.ledger, submissionOf('urn:a', 1, 20), { anchorBy: LONG_AGO })
    const report = await run({ statePath, given: [{ place: 'here', value: promised }] })
    expect(report.verdict).toBe('unchecked')
    // Neither that a number is missing nor that a promise is broken is known.
    expect(told(report)).toEqual([
      [1, 'withheld', 'unchecked'],
      [2, 'sequence-gap', 'unchecked'],
      [-1, 'open-receipt', 'unchecked'],
    ])
    await folder.save(batches[1] as SealedBatch)
    expect(await run({ statePath })).toMatchObject({ verdict: 'verified', findings: [] })
  })

  test("A NODE WHOSE EVENTS ARE NOT THE CONTRACT'S is not believed", async () => {
    const { run } = await publish(await soundBatches())
    const lying: Rpc = {
      url: chain.rpc.url,
      call: async (method, params) => {
        const answer = await chain.rpc.call(method, params)
        if (method !== 'eth_getLogs') return answer
        return (answer as { data: string }[]).map((log) => ({
          ...log,
          data: log.data.replace(/^0x(.{128})../, '0x$1ff'),
        }))
      },
    }
    await expect(run({ rpc: lying })).rejects.toMatchObject({ code: 'RPC_MALFORMED' })
  })

  test('a part of the ledger is checked alone, and what is before it is not missed', async () => {
    const { run, pathOf } = await publish(await soundBatches())
    await rm(pathOf(0), { recursive: true })
    const report = await run({ from: 1n, to: 1n })
    expect(report).toMatchObject({ verdict: 'verified', records: 20, range: { first: '1', end: '2' } })
    await expect(run({ to: 3n })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
  })

  test('an audit that is ended early goes on where it was', async () => {
    const batches = await soundBatches()
    const { run, path } = await publish(batches)
    const server = await startPublisherServer(batches)
    const publishers = new Map([[PUBLISHER, { url: server.url }]])
    const statePath = join(path, 'kept')
    const ending = new AbortController()
    // The last batch never comes; once the others are done, the audit is ended.
    server.lie((_request, _response, { sequence }) => sequence === 2)
    let done = () => 0
    const options = { statePath, batches: { publishers } }
    const ended = expect(
      run({
        ...options,
        signal: ending.signal,
        onStart: (standing) => {
          done = () => standing().batches
        },
      }),
    ).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    await eventually(() => done() === 2 || undefined)
    ending.abort()
    await ended
    server.lie(() => false)
    const before = server.asked.length
    expect(await run(options)).toMatchObject({ verdict: 'verified', records: 336 })
    expect(server.asked.slice(before).every((file) => file.startsWith('2/'))).toBe(true)
    await expect(run({ ...options, from: 1n })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
  })
})
