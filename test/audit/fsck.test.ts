import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fsck } from '../../src/audit/fsck.ts'
import type { SealedBatch } from '../../src/batch/index.ts'
import { LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { identityPath, saveIdentity } from '../../src/cli/identity.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { openDatabase } from '../../src/store/database.ts'
import { carryOutErasures } from '../../src/store/erase.ts'
import { Erasures } from '../../src/store/erasures.ts'
import { SealedBatches } from '../../src/store/sealed-batches.ts'
import { WriteAheadLog } from '../../src/store/write-ahead-log.ts'
import { submissionOf } from '../batch/items.ts'
import { PUBLISHER } from '../chain/fixture.ts'
import { tidemark } from '../e2e/processes.ts'
import { sealFor } from '../indexer/world.ts'
import { temporaryFolder } from '../store/temporary.ts'

const submissions = [0, 1, 2, 3].map((i) => submissionOf('urn:a', i, 20))
const batches = submissions.map((submission, i) => sealFor(i, submission))

const domain = { chainId: LOCAL_CHAIN_ID, ledger: `0x${'1e'.repeat(20)}` } as const

/** The folder of a gateway whose batches are on disk; its catalogue knows nothing yet. */
async function start() {
  const path = await temporaryFolder()
  const database = openDatabase(join(path, 'catalogue.sqlite'))
  onTestFinished(() => database.close())
  const folder = new BatchFolder(join(path, 'batches'))
  for (const batch of batches) await folder.save(batch)
  const logPath = join(path, 'log')
  const run = async (repair: boolean) => {
    const report = await fsck({
      database,
      batchesPath: folder.root,
      logPath,
      domain,
      repair,
      promiseMs: 600_000,
      threads: 1,
      now: 1_790_000_000_000,
    })
    return report.troubles.map(({ where, state }) => [
      where
        .slice(path.length + 1)
        .split('/')
        .at(-1),
      state,
    ])
  }
  const pathOf = (sequence: number, file = '') => join(folder.pathOf(PUBLISHER, BigInt(sequence)), file)
  return { path, database, sealed: new SealedBatches(database), folder, logPath, pathOf, run }
}

const nameOf = (sequence: number) => String(sequence).padStart(12, '0')

test('A LOST CATALOGUE gets its rows back from the files, when that is asked for', async () => {
  const { sealed, run } = await start()
  expect(await run(false)).toEqual(batches.map((_, i) => [nameOf(i), 'repairable']))
  expect(sealed.nextSequence(PUBLISHER)).toBe(0n)
  expect(await run(true)).toEqual(batches.map((_, i) => [nameOf(i), 'repaired']))
  expect(sealed.headersFrom(PUBLISHER, 0n, 9)).toEqual(batches.map(({ header }) => header))
  expect(sealed.submission('urn:a', 2n)).toMatchObject({
    size: 20,
    batch: 2n,
    first: 0,
    voucher: { by: 'open' },
  })
  expect(await run(false)).toEqual([])
})

test('tree.bin, index.bin and header.json are made anew from the records, byte for byte', async () => {
  const { pathOf, run } = await start()
  await run(true)
  await rm(pathOf(0, 'tree.bin'))
  await writeFile(pathOf(1, 'index.bin'), 'bent')
  await writeFile(pathOf(2, 'header.json'), '{}')
  const troubles = [0, 1, 2].map(nameOf)
  expect((await run(false)).sort()).toEqual(troubles.map((name) => [name, 'repairable']))
  expect((await run(true)).sort()).toEqual(troubles.map((name) => [name, 'repaired']))
  for (const [sequence, file] of [
    [0, 'tree.bin'],
    [1, 'index.bin'],
    [2, 'header.json'],
  ] as const) {
    const sound = (batches[sequence] as SealedBatch).files[file]
    expect(new Uint8Array(await readFile(pathOf(sequence, file)))).toEqual(new Uint8Array(sound))
  }
  expect(await run(false)).toEqual([])
})

test('RECORDS THAT ARE BENT OR GONE are said to be lost, and nothing is made out of them', async () => {
  const { pathOf, run } = await start()
  await run(true)
  const other = (batches[2] as SealedBatch).files['records.ndjson.zst']
  await writeFile(pathOf(1, 'records.ndjson.zst'), other)
  await rm(pathOf(3), { recursive: true })
  expect((await run(true)).sort()).toEqual([
    [nameOf(1), 'lost'],
    [nameOf(3), 'lost'],
  ])
  const index = (batches[1] as SealedBatch).files['index.bin']
  expect(new Uint8Array(await readFile(pathOf(1, 'index.bin')))).toEqual(index)
})

test('A BATCH BEFORE IT MISSING: what follows is not put into the catalogue in its place', async () => {
  const { pathOf, sealed, run } = await start()
  await rm(pathOf(1), { recursive: true })
  expect(await run(true)).toEqual([
    [nameOf(0), 'repaired'],
    [nameOf(2), 'lost'],
    [nameOf(3), 'lost'],
  ])
  expect(sealed.nextSequence(PUBLISHER)).toBe(1n)
})

test('DAMAGE IN THE LOG is told with its place; what the log still holds is no trouble', async () => {
  const { logPath, run } = await start()
  await mkdir(logPath)
  const log = await WriteAheadLog.open(logPath, 3n)
  await log.append(new Uint8Array(2_000).fill(7))
  await log.append(new Uint8Array(2_000).fill(8))
  await log.close()
  expect(await run(true)).toEqual([0, 1, 2].map((i) => [nameOf(i), 'repaired']))
  const path = join(logPath, `${nameOf(3)}.wal`)
  const bytes = await readFile(path)
  bytes[300] = (bytes[300] as number) ^ 1
  await writeFile(path, bytes)
  expect(await run(false)).toEqual([[`${nameOf(3)}.wal`, 'lost']])
})

test('A VAULT PUT BACK FROM A COPY holds what was erased, which is removed once more', async () => {
  const { database, sealed, folder, pathOf, logPath, run } = await start()
  await run(true)
  expect(sealed.nextSequence(PUBLISHER)).toBe(4n)
  const vault = pathOf(1, 'vault.ndjson.zst')
  const copy = await readFile(vault)
  const erasures = new Erasures(database)
  const erased = { publisher: PUBLISHER, sequence: 1n }
  erasures.order([{ ...erased, id: 'x', members: [{ position: 0, member: 'agent' }], document: '{}' }])
  expect(await run(false), 'ordered, and not carried out').toEqual([['vault.ndjson.zst', 'repairable']])
  await carryOutErasures({ erasures, batches: folder, logPath, publisher: PUBLISHER, now: () => 0 })
  expect(await run(false)).toEqual([])
  const without = await readFile(vault)
  await writeFile(vault, copy)
  expect(await run(false)).toEqual([['vault.ndjson.zst', 'repairable']])
  expect(await run(true)).toEqual([['vault.ndjson.zst', 'repaired']])
  expect(await readFile(vault)).toEqual(without)
  await rm(vault)
  expect(await run(true)).toEqual([['vault.ndjson.zst', 'lost']])
})

test('the command says by its exit code whether anything is left to do', { timeout: 60_000 }, async () => {
  const { path, pathOf } = await start()
  await rm(pathOf(3), { recursive: true })
  await saveIdentity(identityPath(path), { ...domain, deploymentBlock: 0n })
  const found = await tidemark(['fsck', '--data', path])
  expect(found).toMatchObject({ code: 1, stdout: expect.stringContaining('run it with --repair') })
  const repaired = await tidemark(['fsck', '--data', path, '--repair', '--json'])
  expect(repaired.code).toBe(0)
  expect(JSON.parse(repaired.stdout).troubles).toHaveLength(3)
  expect((await tidemark(['fsck', '--data', join(path, 'none')])).code).toBe(2)
})
