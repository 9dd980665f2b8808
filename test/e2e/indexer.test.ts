import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../store/temporary.ts'
import { end, get, startIndexerProgram } from './indexer-process.ts'
import { endAfterTest, expectNoProcess, makeFolder, startUp, tidemark } from './processes.ts'

/** Waits until the indexer has judged so many batches, and answers their states, oldest first. */
const statesOf = (url: string, count: number) =>
  eventually(async () => {
    const { batches } = await get(`${url}/v1/batches`)
    const states: string[] = batches.map(({ state }: { state: string }) => state).reverse()
    return states.length >= count && !states.includes('announced') ? states : undefined
  }, 60_000)

test('an indexer that knows nothing but a node, the ledger and where its publisher is, follows, is killed, and goes on', {
  timeout: 240_000,
}, async () => {
  const folder = await makeFolder()
  onTestFinished(folder.remove)
  const operator = join(folder.path, 'operator')
  const secret = (await tidemark(['token', 'create', '--read', '--data', operator])).stdout
  const tokenFile = join(folder.path, 'token')
  await writeFile(tokenFile, secret)
  const up = endAfterTest(
    await startUp([
      '--port',
      '0',
      '--chain-port',
      '0',
      '--data',
      operator,
      '--seal-after',
      '50',
      '--no-rules',
      '--batch-files',
      'token',
    ]),
  )
  const publisher = (await get(`${up.url}/v1/ledger`)).publisher
  const send = async (count: number) => {
    const sample = await tidemark(['sample', '--count', String(count), '--seed', String(count)])
    const sent = await tidemark(['send', '-', '--wait', '--api', up.url], { stdin: sample.stdout })
    expect(sent.code, sent.stderr).toBe(0)
  }
  await send(20)
  const args = [
    ...['--rpc', up.rpcUrl, '--ledger', up.ledger, '--finality', '1', '--data', join(folder.path, 'own')],
    '--no-rules',
    ...['--publisher', `${publisher}=${up.url}`, '--publisher-token', `${publisher}=${tokenFile}`],
  ]

  const first = await startIndexerProgram(args)
  const before = (await get(`${up.url}/v1/batches`)).batches.length
  expect(new Set(await statesOf(first.url, before))).toEqual(new Set(['verified']))
  await end(first.child, 'SIGKILL')
  await send(30)

  const second = await startIndexerProgram(args)
  const all = (await get(`${up.url}/v1/batches`)).batches.length
  expect(all).toBeGreaterThan(before)
  expect(new Set(await statesOf(second.url, all))).toEqual(new Set(['verified']))
  const [theirs, ours] = [await get(`${up.url}/v1/ledger`), await get(`${second.url}/v1/ledger`)]
  expect([ours.size, ours.root]).toEqual([theirs.size, theirs.root])
  expect((await get(`${second.url}/v1/alerts`)).alerts).toEqual([])

  // What takes submissions is not there.
  expect((await fetch(`${second.url}/v1/submissions`, { method: 'POST', body: '{}' })).status).toBe(404)
  const openapi = await get(`${second.url}/openapi.json`)
  expect(Object.keys(openapi.paths)).not.toContain('/v1/submissions')
  expect((await fetch(`${second.url}/metrics`)).status).toBe(200)
  expect((await get(`${second.url}/healthz`)).status).toBe('ok')
  expect(await end(second.child, 'SIGINT')).toBe(0)

  // Over a copy of the operator's folder, in which somebody has changed a byte.
  const copy = join(folder.path, 'copy')
  await cp(join(operator, 'batches'), copy, { recursive: true })
  await writeFile(join(copy, publisher, '000000000000', 'index.bin'), 'bent')
  const third = await startIndexerProgram([
    ...['--rpc', up.rpcUrl, '--ledger', up.ledger, '--finality', '1', '--data', join(folder.path, 'other')],
    ...['--batches', copy],
  ])
  expect((await statesOf(third.url, all))[0]).toBe('fraud')
  const { alerts } = await get(`${third.url}/v1/alerts`)
  expect(alerts.map(({ alert }: { alert: { kind: string } }) => alert.kind)).toContain('fraud')
  expect(third.stderr()).toContain('fraud')
  expect(await end(third.child, 'SIGINT')).toBe(0)
  expect(await up.stop()).toBe(0)
  await expectNoProcess(folder.path)
})
