import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { encodeHeader, verifyBatch, verifySubmissions } from '../../src/batch/index.ts'
import { equalBytes } from '../../src/bytes/bytes.ts'
import { isHex } from '../../src/bytes/hex.ts'
import { createLedger } from '../../src/chain/ledger.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { createGatewayApi } from '../../src/client/gateway-api.ts'
import { type SourceLine, type SubmissionAnswer, sendRecords } from '../../src/client/send.ts'
import { parseRecord } from '../../src/record/index.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { openDatabase } from '../../src/store/database.ts'
import { SealedBatches } from '../../src/store/sealed-batches.ts'
import { allAppended } from '../chain/fixture.ts'
import { exampleOf } from '../record/examples.ts'
import { eventually } from '../store/temporary.ts'
import {
  endAfterTest,
  expectNoProcess,
  killWhileStarting,
  makeFolder,
  startUp,
  type Up,
} from './processes.ts'

const ROUNDS = 6
const SENDERS = 4
const SEED = 20_261_121

/** Numerical Recipes' generator: the same seed kills at the same moments after each start. */
function chance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test(`KILLED ${ROUNDS} TIMES AT ANY MOMENT: everything acknowledged is in exactly one batch of the ledger, numbered without gaps, and final`, async () => {
  const { path, remove } = await makeFolder()
  onTestFinished(remove)
  const random = chance(SEED)
  let port = '0'
  let up: Up | undefined
  const args = () => [
    ...['--data', path, '--port', port, '--chain-port', '0'],
    ...['--seal-after', '60', '--seal-records', '60', '--no-rules'],
  ]
  const start = async () => {
    up = endAfterTest(await startUp(args()))
    port = new URL(up.url).port
    return up
  }
  // Before there is anything, and while the ledger is being deployed.
  for (let i = 0; i < 2; i++) await killWhileStarting(args(), 200 + 700 * random())
  await start()
  const url = up?.url ?? ''

  const finished = new AbortController()
  const acknowledged: { source: string; answer: SubmissionAnswer; ids: string[] }[] = []

  /** One service that hands over its records until it is told to end, over every restart. */
  async function sender(number: number): Promise<void> {
    const source = `urn:kill:${number}`
    let next = 0
    let told = 0
    async function* lines(): AsyncGenerator<SourceLine> {
      for (; !finished.signal.aborted; next++) {
        const record = parseRecord({ ...exampleOf('tidemark.call.v1'), source, id: `${number}-${next}` })
        yield { line: next + 1, record }
        if (next % 40 === 39) await delay(2)
      }
    }
    await sendRecords(lines(), {
      api: createGatewayApi(url),
      size: 5 + 3 * number,
      retryPausesMs: Array(400).fill(50),
      onAcknowledged(answer, count) {
        acknowledged.push({ source, answer, ids: Array.from({ length: count }, () => `${number}-${told++}`) })
      },
    })
  }
  const senders = Array.from({ length: SENDERS }, (_, i) => sender(i))

  for (let round = 0; round < ROUNDS; round++) {
    const before = acknowledged.length
    await eventually(() => acknowledged.length > before + 3 || undefined)
    await delay(700 * random())
    await up?.kill()
    // Recovery is cut short as well, and starts over.
    if (round % 2 === 1) await killWhileStarting(args(), 200 + 800 * random())
    await start()
  }
  const before = acknowledged.length
  await eventually(() => acknowledged.length > before + 3 || undefined)
  finished.abort()
  await Promise.all(senders)

  // Every acknowledged submission becomes final.
  const api = createGatewayApi(url)
  for (const { source, answer } of acknowledged) {
    await eventually(
      async () => (await api.submissionState(source, answer.receipt.sequence)) === 'final' || undefined,
    )
  }

  // The chain, asked directly, holds exactly the batches of the catalogue.
  const ledgerAddress = up?.ledger
  if (!isHex(ledgerAddress, 20) || up === undefined) throw new Error(`no ledger on the screen: ${up?.screen}`)
  const rpc = createRpc(up.rpcUrl)
  const ledger = createLedger(rpc, ledgerAddress)
  const head = BigInt(String(await rpc.call('eth_blockNumber', [])))
  const appended = await allAppended(rpc, ledgerAddress, await ledger.deploymentBlock(), head)
  expect(BigInt(appended.length)).toBe(await ledger.size())
  expect(await up.stop()).toBe(0)
  const database = openDatabase(join(path, 'catalogue.sqlite'))
  onTestFinished(() => database.close())
  const sealed = new SealedBatches(database)
  const publisher = appended[0]?.appended.header.publisher ?? '0x'
  const headers = sealed.headersFrom(publisher, 0n, 100_000)
  expect(appended.length).toBe(headers.length)
  for (const [i, header] of headers.entries()) {
    const announced = appended[i]?.appended.header
    expect(
      announced !== undefined && equalBytes(encodeHeader(announced), encodeHeader(header)),
      `batch ${i}`,
    ).toBe(true)
  }

  // Every record is in exactly one verified batch, every sequence of every source is there once.
  const folder = new BatchFolder(join(path, 'batches'))
  const places = new Map<string, string>()
  const sequences = new Map<string, Map<bigint, string[]>>()
  for (const header of headers) {
    const batch = await folder.open(header.publisher, header.sequence)
    const items = []
    for await (const item of batch.items()) items.push(item)
    await batch.close()
    verifyBatch(header, items)
    const submissions = await folder.loadSubmissions(header)
    verifySubmissions(submissions, items)
    for (const { record } of items) {
      const name = `${record.source} ${record.id}`
      expect(places.get(name), `${name} is there once`).toBeUndefined()
      places.set(name, `${header.sequence}`)
    }
    for (const { source, sequence, first, count } of submissions) {
      const ofSource = sequences.get(source) ?? new Map<bigint, string[]>()
      sequences.set(source, ofSource)
      expect(ofSource.has(sequence), `submission ${sequence} of ${source} is there once`).toBe(false)
      ofSource.set(
        sequence,
        items.slice(first, first + count).map(({ record }) => record.id),
      )
    }
  }
  for (const [source, ofSource] of sequences) {
    const inOrder = [...ofSource.keys()].sort((a, b) => Number(a - b))
    expect(inOrder, source).toEqual(inOrder.map((_, i) => BigInt(i)))
  }
  for (const { source, answer, ids } of acknowledged) {
    expect(sequences.get(source)?.get(BigInt(answer.receipt.sequence))).toEqual(ids)
  }
  expect(acknowledged.length).toBeGreaterThan(10 * ROUNDS)
  await expectNoProcess(path)
}, 120_000)
