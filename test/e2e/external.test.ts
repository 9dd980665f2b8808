import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Wallet } from 'ethers'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { isHex } from '../../src/bytes/hex.ts'
import { createLedger } from '../../src/chain/ledger.ts'
import { externalChain } from '../../src/cli/external-chain.ts'
import { createGatewayApi } from '../../src/client/gateway-api.ts'
import { type SourceLine, type SubmissionAnswer, sendRecords } from '../../src/client/send.ts'
import { parseRecord } from '../../src/record/index.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { callOf, ndjson, startTestSystem, type TestSystem } from '../api/world.ts'
import { allAppended, headNumber } from '../chain/fixture.ts'
import {
  addressOf,
  deployFor,
  type ForeignChain,
  fundedWallet,
  PASSWORD,
  startForeignChain,
  writeKeystore,
} from '../cli/external-world.ts'
import { exampleOf } from '../record/examples.ts'
import { eventually } from '../store/temporary.ts'
import { endAfterTest, expectNoProcess, startUp, tidemark } from './processes.ts'

const DEADLINE_MS = 60_000

let folder: string
let chain: ForeignChain

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-external-'))
  // Every block is final at once.
  chain = await startForeignChain('--slots-in-an-epoch', '0')
})
afterAll(async () => {
  await chain?.close()
  await expectNoProcess(folder)
  await rm(folder, { recursive: true, force: true })
})

test("FROM NOTHING TO A PROOF ON A CHAIN OF ONE'S OWN: keys, ledger, publisher, gateway, restart", async () => {
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, `${PASSWORD}\n`, { mode: 0o600 })
  const password = ['--password-file', passwordFile]
  const run = async (...args: string[]) => {
    const ended = await tidemark(args)
    expect(ended.code, ended.stderr).toBe(0)
    return ended.stdout.trim()
  }
  const registrar = join(folder, 'registrar.json')
  const address = await run('keystore', 'create', '--out', registrar, ...password)
  expect(await run('keystore', 'address', registrar)).toBe(address)
  await chain.rpc.call('anvil_setBalance', [address, '0x8ac7230489e80000'])
  const asRegistrar = ['--rpc', chain.url, '--keystore', registrar, ...password]
  const ledger = await run('ledger', 'deploy', ...asRegistrar)
  if (!isHex(ledger, 20)) throw new Error(`not an address: ${ledger}`)
  const wallet = await fundedWallet(chain.rpc)
  const publisher = addressOf(wallet)
  const keystore = await writeKeystore(folder, wallet)

  const data = join(folder, 'data')
  const on = ['--rpc', chain.url, '--ledger', ledger]
  const up = ['--data', data, '--port', '0', ...on, '--keystore', keystore, ...password]
  const early = await tidemark(['up', ...up])
  expect(early).toMatchObject({ code: 3, stdout: '' })
  // The command that it names is the one that helps.
  const named = /"npx tidemark (ledger publisher add .*) --rpc/.exec(early.stderr)?.[1]?.split(' ') ?? []
  expect(await run(...named, ...asRegistrar)).toMatch(/is active: since block \d+$/)

  const options = [...up, '--seal-after', '50', '--poll-every', '50', '--no-rules']
  const verified = async (id: string, gateway: string) => {
    const proof = await fetch(`${gateway}/v1/proofs?${new URLSearchParams({ source: 'urn:external', id })}`)
    const path = join(folder, `${id}.json`)
    await writeFile(path, await proof.text())
    return run('verify', path, '--rpc', chain.url, '--ledger', ledger)
  }
  const send = async (gateway: string, ...ids: string[]) => {
    const records = ndjson(...ids.map((id) => callOf('urn:external', id)))
    const ended = await tidemark(['send', '-', '--wait', '--api', gateway], { stdin: records })
    expect(ended.code, ended.stderr).toBe(0)
  }
  const first = endAfterTest(await startUp(options))
  expect(first).toMatchObject({ rpcUrl: chain.url, ledger })
  expect(first.screen).toContain('(chain id 4242)')
  expect(first.screen).toContain(publisher)
  await send(first.url, 'one', 'two')
  expect(await verified('two', first.url)).toContain(`of ${ledger} on chain 4242`)
  await first.kill()

  const second = endAfterTest(await startUp(options))
  await send(second.url, 'three')
  expect(await verified('three', second.url)).toContain(`batch     1 of publisher ${publisher}`)
  expect(await second.stop()).toBe(0)
  expect(await createLedger(chain.rpc, ledger).size()).toBe(2n)
}, 300_000)

const SENDERS = 3
const SUBMISSIONS = 12
const RECORDS = 7

test('TWO GATEWAYS ON ONE LEDGER AT ONCE: every acknowledged record is on the chain exactly once, in order of its source, and neither minds the other', async () => {
  const wallets = [await fundedWallet(chain.rpc), await fundedWallet(chain.rpc)] as const
  const { ledger } = await deployFor(chain.rpc, ...wallets)
  const start = async (signer: Wallet) => {
    const finality = { kind: 'depth', confirmations: 2 } as const
    const attachChain = externalChain({ url: chain.url, ledger, signer, finality })
    const started = await startTestSystem({ attachChain })
    onTestFinished(started.close)
    return { ...started, publisher: addressOf(signer), acknowledged: [] as Acknowledged[] }
  }
  const gateways = [await start(wallets[0]), await start(wallets[1])]

  await Promise.all(
    gateways.flatMap((gateway, g) =>
      Array.from({ length: SENDERS }, (_, s) => send(gateway, `urn:gateway:${g}:sender:${s}`)),
    ),
  )
  for (const { acknowledged } of gateways) expect(acknowledged).toHaveLength(SENDERS * SUBMISSIONS)

  for (const gateway of gateways) {
    const api = createGatewayApi(gateway.system.url)
    for (const { source, answer } of gateway.acknowledged) {
      await eventually(async () => {
        await chain.rpc.call('evm_mine', [])
        return (await api.submissionState(source, answer.receipt.sequence)) === 'final' || undefined
      }, DEADLINE_MS)
    }
  }

  const events = await allAppended(chain.rpc, ledger, 0n, await headNumber(chain.rpc))
  for (const gateway of gateways) {
    const { publisher, acknowledged, system, troubles } = gateway
    const own = events.filter(({ appended }) => appended.header.publisher === publisher)
    expect(own.map(({ appended }) => appended.header.sequence)).toEqual(own.map((_, i) => BigInt(i)))
    expect(
      await anchoredIds(
        gateway,
        own.map(({ appended }) => appended.header),
      ),
    ).toEqual(idsBySource(acknowledged))

    // It knows of the other's batches, does not have them, and is well.
    const entries = await eventually(async () => {
      const all = await batchesOf(system.url)
      return all.length === events.length && all.every(({ state }) => state !== 'announced') ? all : undefined
    }, DEADLINE_MS)
    for (const { batch, state } of entries) {
      expect(state).toBe(batch.publisher === publisher ? 'verified' : 'withheld')
    }
    const health = await fetch(`${system.url}/healthz`)
    expect([health.status, ((await health.json()) as { problems: unknown }).problems]).toEqual([200, []])
    expect(troubles).toEqual([])
  }
  expect(new Set(events.map(({ appended }) => appended.header.publisher)).size).toBe(2)
}, 180_000)

interface Acknowledged {
  source: string
  answer: SubmissionAnswer
  ids: string[]
}

async function send({ system, acknowledged }: TestSystem & { acknowledged: Acknowledged[] }, source: string) {
  let told = 0
  async function* lines(): AsyncGenerator<SourceLine> {
    for (let i = 0; i < SUBMISSIONS * RECORDS; i++) {
      yield { line: i + 1, record: parseRecord({ ...exampleOf('tidemark.call.v1'), source, id: `${i}` }) }
    }
  }
  await sendRecords(lines(), {
    api: createGatewayApi(system.url),
    size: RECORDS,
    retryPausesMs: Array(100).fill(50),
    onAcknowledged: (answer, count) =>
      acknowledged.push({ source, answer, ids: Array.from({ length: count }, () => `${told++}`) }),
  })
}

/** The ids of each source, in the order of the chain and of the batches' own files. */
async function anchoredIds(
  { dataPath }: TestSystem,
  headers: readonly { publisher: `0x${string}`; sequence: bigint }[],
): Promise<Record<string, string[]>> {
  const ids: Record<string, string[]> = {}
  const folder = new BatchFolder(join(dataPath, 'batches'))
  for (const { publisher, sequence } of headers) {
    const batch = await folder.open(publisher, sequence)
    for await (const { record } of batch.items()) addTo(ids, record.source, record.id)
    await batch.close()
  }
  return ids
}

function addTo(ids: Record<string, string[]>, source: string, ...more: string[]): void {
  ids[source] = [...(ids[source] ?? []), ...more]
}

function idsBySource(acknowledged: readonly Acknowledged[]): Record<string, string[]> {
  const ids: Record<string, string[]> = {}
  for (const one of acknowledged) addTo(ids, one.source, ...one.ids)
  return ids
}

interface Batch {
  state: string
  batch: { publisher: string }
}

async function batchesOf(url: string): Promise<Batch[]> {
  const answer = await fetch(`${url}/v1/batches?limit=500`)
  return ((await answer.json()) as { batches: Batch[] }).batches
}
