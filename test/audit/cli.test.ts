import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { submissionOf } from '../batch/items.ts'
import { append, PUBLISHER, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'
import { tidemark } from '../e2e/processes.ts'
import { startPublisherServer } from '../indexer/publisher-server.ts'
import { sealFor } from '../indexer/world.ts'
import { eventually } from '../store/temporary.ts'
import { receiptFor, startAudits } from './world.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

let chain: TestChain
const batches = [0, 1, 2].map((i) => sealFor(i, submissionOf('urn:a', i, 20)))

beforeAll(async () => {
  chain = await startUnsavedTestChain()
  await append(
    chain.rpc,
    chain.ledger,
    batches.map(({ header }) => header),
  )
})
afterAll(() => chain.close())

const argsOf = () => ['audit', '--rpc', chain.rpc.url, '--ledger', chain.ledger, '--finality', '1']

test('the command says what it found by its exit code, as text, as JSON and as a page', {
  timeout: 120_000,
}, async () => {
  const { path, folder, pathOf } = await startAudits(chain, batches)
  const args = [...argsOf(), '--batches', folder.root]
  const page = join(path, 'report.html')
  const sound = await tidemark([...args, '--html', page], { env: { TMPDIR: path } })
  expect(sound).toMatchObject({ code: 0, stdout: expect.stringMatching(/^VERIFIED(.|\n)*60 verified/) })
  expect(await readFile(page, 'utf8')).toContain('VERIFIED')
  expect((await readdir(path)).filter((name) => name.startsWith('tidemark-audit-'))).toEqual([])

  const receipts = join(path, 'receipts')
  await mkdir(receipts)
  const kept = await receiptFor(chain.ledger, submissionOf('urn:a', 1, 20))
  const broken = await receiptFor(chain.ledger, submissionOf('urn:a', 2, 20), { anchorBy: 1 })
  await writeFile(join(receipts, 'one.json'), JSON.stringify({ receipts: [kept] }, null, 2))
  await writeFile(join(receipts, 'two.ndjson'), `${JSON.stringify(kept)}\n${JSON.stringify(broken)}\n`)
  const refuted = await tidemark([...args, '--receipts', receipts, '--json'])
  expect(refuted.code).toBe(1)
  expect(JSON.parse(refuted.stdout)).toMatchObject({
    verdict: 'false',
    receipts: { kept: 2, broken: 1 },
    findings: [{ kind: 'broken-receipt', found: expect.stringContaining('two.ndjson, line 2: ') }],
  })

  await rm(pathOf(2), { recursive: true })
  const withheld = await tidemark(args)
  expect(withheld).toMatchObject({
    code: 3,
    stdout: expect.stringMatching(/^NOT ALL CHECKED(.|\n)*withheld: entry 2/),
  })
  expect((await tidemark([...args, '--rpc', 'http://127.0.0.1:9'])).code).toBe(3)
  expect((await tidemark(argsOf())).code).toBe(2)
  expect((await tidemark([...args, '--receipts', join(path, 'none')])).code).toBe(2)
})

test('KILLED, it goes on where it was', { timeout: 120_000 }, async () => {
  const { path } = await startAudits(chain, [])
  const server = await startPublisherServer(batches)
  server.lie((_request, _response, { sequence }) => sequence === 2)
  const state = join(path, 'state')
  const args = [...argsOf(), '--publisher', `${PUBLISHER}=${server.url}`, '--state', state]
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: 'ignore' })
  const closed = once(child, 'close')
  onTestFinished(() => void child.kill('SIGKILL'))
  // The last batch never comes; the others are verified.
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error('it ended')
    const names = await readdir(join(state, 'batches', PUBLISHER)).catch(() => [])
    return names.length === 2 || undefined
  }, 60_000)
  child.kill('SIGKILL')
  await closed

  server.lie(() => false)
  const before = server.asked.length
  const ended = await tidemark(args)
  expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('60 verified') })
  expect(server.asked.slice(before).every((file) => file.startsWith('2/'))).toBe(true)
})
