import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createRpc } from '../../src/chain/rpc.ts'
import { eventually } from '../store/temporary.ts'
import { end, get, startIndexerProgram } from './indexer-process.ts'
import { endAfterTest, expectNoProcess, makeFolder, startUp, tidemark, type Up } from './processes.ts'

const HOUR = 3_600
const LIAR = 'urn:liar'

/** Sets the clock of the chain, which nothing else here looks at, by that of its last block. */
async function setClock(up: Up, next: (last: number) => number): Promise<void> {
  const rpc = createRpc(up.rpcUrl)
  const { timestamp } = (await rpc.call('eth_getBlockByNumber', ['latest', false])) as { timestamp: string }
  await rpc.call('evm_setNextBlockTimestamp', [next(Number(timestamp))])
}
const beginHour = (up: Up) => setClock(up, (last) => HOUR * (Math.floor(last / HOUR) + 1))

async function send(up: Up, records: string): Promise<void> {
  const sent = await tidemark(['send', '-', '--wait', '--api', up.url], { stdin: records })
  expect(sent.code, sent.stderr).toBe(0)
}

const sample = async (seed: number) =>
  (await tidemark(['sample', '--count', '3', '--seed', String(seed)])).stdout

const sizeOf = async (up: Up) => Number((await get(`${up.url}/v1/ledger`)).size)

/** Waits for the record of a run; answers how many there are of this id. */
const recordsOf = (url: string, source: string, id: string) =>
  eventually(async () => {
    const { records } = await get(`${url}/v1/records?${new URLSearchParams({ source, id })}`)
    return records?.length
  }, 60_000)

test('a closed period becomes a run: said once, merged again by every indexer, and of use to a stranger', {
  timeout: 300_000,
}, async () => {
  const folder = await makeFolder()
  onTestFinished(folder.remove)
  const start = async () =>
    endAfterTest(
      await startUp([
        ...['--port', '0', '--chain-port', '0', '--data', join(folder.path, 'operator')],
        ...['--seal-after', '50', '--run-hours', '1', '--batch-files', 'public'],
      ]),
    )
  const first = await start()
  const { publisher } = await get(`${first.url}/v1/ledger`)
  const source = `urn:tidemark:runs:${publisher}`
  await beginHour(first)
  const calls = await sample(1)
  await send(first, calls)
  for (const seed of [2, 3, 4]) await send(first, await sample(seed))
  const count = await sizeOf(first)
  expect(count).toBeGreaterThanOrEqual(4)

  // The next hour begins with a batch of its own.
  await beginHour(first)
  await send(first, await sample(5))
  expect(await recordsOf(first.url, source, `run-0-${count}`)).toBe(1)
  expect(
    (await fetch(`${first.url}/v1/submissions`, { method: 'POST', headers: NDJSON, body: lie(source) }))
      .status,
  ).toBe(401)

  await first.kill()
  const up = await start()
  // A chain that starts again takes the time of the machine.
  await setClock(up, (last) => last + 1)
  const args = ['--rpc', up.rpcUrl, '--ledger', up.ledger, '--finality', '1']
  const indexer = await startIndexerProgram([
    ...args,
    ...['--data', join(folder.path, 'own'), '--publisher', `${publisher}=${up.url}`],
  ])
  const kept = (wanted: number) =>
    eventually(
      async () => ((await get(`${indexer.url}/healthz`)).runs.kept === wanted ? true : undefined),
      60_000,
    )
  await kept(1)

  const resource = String(JSON.parse(calls.split('\n')[0] ?? '').subject)
  const histories = await Promise.all(
    [[], ['--runs']].map(async (flags, i) => {
      const out = join(folder.path, `history-${i}.json`)
      const asked = [
        'history',
        '--no-evidence',
        '--resource',
        resource,
        '--end',
        String(count),
        '--api',
        indexer.url,
        '--out',
        out,
      ]
      const made = await tidemark([...asked, ...flags])
      expect(made.code, made.stderr).toBe(0)
      const verified = await tidemark(['verify', out, ...args, '--json'])
      expect(verified.code, verified.stderr).toBe(0)
      return { out, format: JSON.parse(await readFile(out, 'utf8')).format, ...JSON.parse(verified.stdout) }
    }),
  )
  const [plain, over] = histories
  expect([plain?.format, over?.format]).toEqual(['tidemark-history/1', 'tidemark-history/2'])
  expect(over?.records).toEqual(plain?.records)
  expect(over?.records.length).toBeGreaterThan(0)
  expect(over?.runs).toMatchObject([
    { source, id: `run-0-${count}`, ledgerEntries: { from: '0', to: String(count) } },
  ])
  const words = await tidemark(['verify', String(over?.out), ...args])
  expect(words.stdout).toContain(
    `that ${source} tells the truth in 1 run over ${count} batches: run-0-${count}`,
  )

  // The maker goes on where it was, and a run that somebody else invents helps nobody.
  await send(up, lie(LIAR))
  await send(up, await sample(6))
  const end2 = await sizeOf(up)
  await beginHour(up)
  await send(up, await sample(7))
  expect(await recordsOf(up.url, source, `run-${count}-${end2 - count}`)).toBe(1)
  await kept(2)
  const told = await eventually(async () => {
    const { alerts } = await get(`${indexer.url}/v1/alerts`)
    return alerts.find(({ alert }: { alert: { kind: string } }) => alert.kind === 'false-run')?.alert
  }, 60_000)
  expect(told.found).toMatch(/^record lie of urn:liar is false: the run says entries 1, its batches say \d+$/)
  expect(await recordsOf(up.url, source, `run-0-${count}`)).toBe(1)

  const audited = await tidemark([
    ...['audit', ...args, '--json', '--publisher', `${publisher}=${up.url}`],
    ...['--state', join(folder.path, 'audit')],
  ])
  expect(audited.code, audited.stderr).toBe(1)
  const { findings } = JSON.parse(audited.stdout)
  expect(findings).toMatchObject([{ kind: 'false-run', verdict: 'false', positions: [0] }])

  expect(await end(indexer.child, 'SIGINT')).toBe(0)
  expect(await up.stop()).toBe(0)
  await expectNoProcess(folder.path)

  function lie(by: string): string {
    const data = {
      ...{ chainId: '31337', ledger: first.ledger, firstIndex: '0', count: 2 },
      ...{ indexRoot: `0x${'00'.repeat(32)}`, indexSize: 1, entries: 1 },
    }
    const time = '2026-03-01T09:30:00.000Z'
    return `${JSON.stringify({ specversion: '1.0', id: 'lie', source: by, type: 'tidemark.index-run.v1', time, data })}\n`
  }
})

const NDJSON = { 'content-type': 'application/x-ndjson' }
