import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Backlog } from '../../src/gateway/backlog.ts'
import { openDatabase } from '../../src/store/database.ts'
import { type AcceptedSubmission, SealedBatches } from '../../src/store/sealed-batches.ts'
import { addBatch, headerOf, PUBLISHER } from '../store/headers.ts'
import { temporaryFolder } from '../store/temporary.ts'

async function startBacklog(next: bigint) {
  const database = openDatabase(join(await temporaryFolder(), 'catalogue.sqlite'))
  onTestFinished(() => database.close())
  const sealed = new SealedBatches(database)
  const seal = (batch: number, ...anchorBy: number[]) => {
    addBatch(
      sealed,
      headerOf(batch),
      anchorBy.map((time, i) => submission(batch, i, time)),
      1_000 * (1 + batch),
    )
  }
  seal(0, 9_000)
  seal(1, 8_000, 7_000)
  seal(2, 12_000)
  return { database, open: () => new Backlog((from) => sealed.timesFrom(PUBLISHER, from), next) }
}

const submission = (batch: number, i: number, anchorBy: number): AcceptedSubmission => ({
  source: `urn:backlog:${batch}:${i}`,
  sequence: 0n,
  root: new Uint8Array(32),
  size: 1,
  receivedAt: 0,
  anchorBy,
  voucher: { by: 'open' },
})

test('a start takes up what earlier runs sealed and the chain does not have', async () => {
  const { open } = await startBacklog(1n)
  const backlog = open()
  expect(backlog.size).toBe(2)
  expect(backlog.ageMs(5_000)).toBe(3_000)
  expect(backlog.anchorBy).toBe(7_000)
})

test('a start reads batches, never their submissions, however many there are', async () => {
  const { database, open } = await startBacklog(0n)
  database.exec('DELETE FROM submissions')
  expect([open().size, open().anchorBy]).toEqual([3, 7_000])
})

test('it shrinks as batches arrive and grows again when a reorg takes them back', async () => {
  const { open } = await startBacklog(0n)
  const backlog = open()
  backlog.follow(2n)
  expect([backlog.size, backlog.ageMs(5_000), backlog.anchorBy]).toEqual([1, 2_000, 12_000])
  backlog.follow(3n)
  expect([backlog.size, backlog.ageMs(5_000), backlog.anchorBy]).toEqual([0, 0, undefined])
  backlog.follow(1n)
  expect([backlog.size, backlog.ageMs(5_000), backlog.anchorBy]).toEqual([2, 3_000, 7_000])
})

test('a batch that is sealed while it runs counts once, and not when the chain has it already', async () => {
  const { open } = await startBacklog(3n)
  const backlog = open()
  backlog.add({ sequence: 2n, sealedAt: 4_000, anchorBy: 9_000 })
  expect(backlog.size).toBe(0)
  backlog.add({ sequence: 3n, sealedAt: 5_000, anchorBy: 9_500 })
  expect([backlog.size, backlog.anchorBy]).toEqual([1, 9_500])
})
