import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../src/bytes/bytes.ts'
import type { Draft } from '../../src/gateway/draft.ts'
import { encodeLogHead } from '../../src/gateway/log-entry.ts'
import type { Receipt } from '../../src/proof/index.ts'
import { listSegments, readSegment } from '../../src/store/write-ahead-log.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'
import { damageByte, tearGroup } from './segments.ts'
import { sealedItems, signedSubmission, sourceKey } from './signed.ts'
import { domain, draftOf, PUBLISHER, readLedger, startGateway } from './world.ts'

const SENT = [
  ['urn:a', 'a0'],
  ['urn:b', 'b0'],
  ['urn:a', 'a1'],
  ['urn:c', 'c0'],
] as const
const drafts = (): Draft[] => SENT.map(([source, tag]) => draftOf(source, tag))
const EXPECTED = new Map([
  ['urn:a#0', ['a0-0', 'a0-1', 'a0-2']],
  ['urn:b#0', ['b0-0', 'b0-1', 'b0-2']],
  ['urn:a#1', ['a1-0', 'a1-1', 'a1-2']],
  ['urn:c#0', ['c0-0', 'c0-1', 'c0-2']],
])

/** A gateway that acknowledged all of `SENT`, and was killed before it sealed any of it. */
async function crashed(): Promise<{ path: string; receipts: Receipt[] }> {
  const path = await temporaryFolder()
  const { gateway, abandon } = await startGateway(path)
  const receipts = []
  for (const draft of drafts()) receipts.push(await gateway.accept(draft))
  await abandon()
  return { path, receipts }
}

/** A gateway that was killed after it closed two segments, of which it could seal none. */
async function killedWithClosedSegments(path: string): Promise<Receipt[]> {
  // Nothing can be made below a file.
  await writeFile(join(path, 'batches'), '')
  const { gateway, abandon } = await startGateway(path, { sealRecords: 6 })
  const receipts = []
  for (const draft of drafts()) receipts.push(await gateway.accept(draft))
  await abandon()
  return receipts
}

/** A copy of a folder in which everything went on to the end. */
async function finished(path: string): Promise<string> {
  const copy = await temporaryFolder()
  await cp(path, copy, { recursive: true })
  const { stop } = await startGateway(copy)
  await stop()
  expect(await readLedger(copy)).toEqual(EXPECTED)
  return copy
}

/** Starts again, sends everything again as clients do, and looks where it all ended. */
async function expectEachOnce(path: string, receipts: readonly Receipt[]): Promise<void> {
  const { gateway, stop } = await startGateway(path)
  for (const [i, draft] of drafts().entries()) {
    const receipt = receipts[i]
    const again = await gateway.accept(draft, receipt?.sequence)
    expect(again).toMatchObject({ root: receipt?.root, receivedAt: receipt?.receivedAt })
  }
  await stop()
  expect(await readLedger(path)).toEqual(EXPECTED)
  // And once more: a second restart changes nothing.
  const { stop: stopAgain, sealed } = await startGateway(path)
  const batches = sealed.nextSequence(PUBLISHER)
  await stopAgain()
  expect(await readLedger(path)).toEqual(EXPECTED)
  expect(await readdir(join(path, 'batches', PUBLISHER))).toHaveLength(Number(batches))
}

const firstSegment = (path: string) => join(path, 'log', '000000000000.wal')

describe('after a crash each submission is in exactly one batch:', () => {
  test('KILLED BEFORE THE LOG WAS WRITTEN: what was not acknowledged is not there, and its number is free', async () => {
    const { path, receipts } = await crashed()
    const draft = draftOf('urn:a', 'never acknowledged')
    const submission = { ...(receipts[0] as Receipt), sequence: 2n, voucher: { by: 'open' as const } }
    const payload = concatBytes(encodeLogHead(submission), draft.body)
    await tearGroup(firstSegment(path), payload, 1_024)
    const { gateway, abandon } = await startGateway(path)
    expect(gateway.nextSequence('urn:a')).toBe(2n)
    await abandon()
    await expectEachOnce(path, receipts)
  })

  test('KILLED AFTER THE LOG WAS SYNCED, BEFORE THE ANSWER: it is there, and sending it again gets its receipt', async () => {
    const { path, receipts } = await crashed()
    await expectEachOnce(path, receipts)
  })

  test('KILLED AFTER A SIGNED SUBMISSION WAS SYNCED: its signature goes into the batch and the catalogue', async () => {
    const path = await temporaryFolder()
    const { gateway, abandon } = await startGateway(path)
    const { draft, voucher, root } = await signedSubmission(
      domain,
      sourceKey,
      0,
      sealedItems('urn:s', 'a', 'b'),
    )
    const receipt = await gateway.accept(draft, 0n, voucher)
    await gateway.accept(draftOf('urn:t', 't'), 0n, { by: 'token' })
    await abandon()
    const { gateway: next, batches, stop } = await startGateway(path)
    expect(await next.accept(draft, 0n, voucher)).toMatchObject({ receivedAt: receipt.receivedAt })
    await stop()
    const reopened = await startGateway(path)
    expect(reopened.sealed.submission('urn:s', 0n)).toMatchObject({ root, voucher })
    expect(reopened.sealed.submission('urn:t', 0n)?.voucher).toEqual({ by: 'token' })
    const submissions = await batches.loadSubmissions(await batches.loadHeader(PUBLISHER, 0n))
    expect(submissions.map(({ signature }) => signature)).toEqual([
      voucher.by === 'signed' && voucher.signature,
      null,
    ])
  })

  test('KILLED AFTER A ROTATION: closed and open segments are sealed in their order', async () => {
    const path = await temporaryFolder()
    const receipts = await killedWithClosedSegments(path)
    expect(await listSegments(join(path, 'log'))).toHaveLength(3)
    await rm(join(path, 'batches'))
    await expectEachOnce(path, receipts)
  })

  test('KILLED WITH THE NEXT SEGMENT JUST MADE: the empty one is forgotten', async () => {
    const { path, receipts } = await crashed()
    // A rotation ends the one before.
    await readSegment({ number: 0n, path: firstSegment(path) }, 'torn')
    await writeFile(join(path, 'log', '000000000001.wal'), '')
    await expectEachOnce(path, receipts)
  })

  test('KILLED WHILE THE BATCH WAS WRITTEN: the half of it is written again', async () => {
    const { path, receipts } = await crashed()
    const whole = join(await finished(path), 'batches', PUBLISHER)
    const half = join(path, 'batches', PUBLISHER, '000000000000.tmp')
    await mkdir(join(path, 'batches', PUBLISHER), { recursive: true })
    await cp(join(whole, '000000000000'), half, { recursive: true })
    await rm(join(half, 'tree.bin'))
    await rm(join(half, 'records.ndjson.zst'))
    await expectEachOnce(path, receipts)
  })

  test('KILLED AFTER THE RENAME OF THE BATCH, BEFORE ITS ROW: the batch stays as it is and gets its row', async () => {
    const { path, receipts } = await crashed()
    const done = await finished(path)
    await rename(join(done, 'batches'), join(path, 'batches'))
    const { sealed, abandon } = await startGateway(path)
    await eventually(() => sealed.submission('urn:c', 0n))
    await abandon()
    await expectEachOnce(path, receipts)
  })

  test('KILLED AFTER THE ROW, BEFORE THE SEGMENT WAS REMOVED: the segment goes, the batch stays', async () => {
    const { path, receipts } = await crashed()
    const segments = await temporaryFolder()
    await cp(join(path, 'log'), segments, { recursive: true })
    const done = await finished(path)
    await rm(join(done, 'log'), { recursive: true })
    await cp(segments, join(done, 'log'), { recursive: true })
    const { recovered, abandon } = await startGateway(done)
    expect(recovered).toMatchObject({ segments: [], waiting: [], next: 1n })
    await abandon()
    await expectEachOnce(done, receipts)
  })

  test('KILLED BETWEEN TWO BATCHES: the sealed one stays, the other is sealed with the next number', async () => {
    const { path, receipts } = await crashed()
    const done = await finished(path)
    const second = await startGateway(done)
    await second.gateway.accept(draftOf('urn:d', 'd0'))
    await second.abandon()
    const third = await startGateway(done)
    expect(third.recovered).toMatchObject({ next: 2n, segments: [{ number: 1n }] })
    await third.stop()
    expect(await readLedger(done)).toEqual(new Map([...EXPECTED, ['urn:d#0', ['d0-0', 'd0-1', 'd0-2']]]))
    expect(receipts).toHaveLength(4)
  })
})

describe('a log that is damaged', () => {
  test('in the middle is refused with the file and the offset, and nothing of it is touched', async () => {
    const { path } = await crashed()
    await damageByte(firstSegment(path), 40)
    await expect(startGateway(path)).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      message: expect.stringContaining(`${firstSegment(path)} is damaged at byte 12`),
    })
    expect(await listSegments(join(path, 'log'))).toHaveLength(1)
  })

  test('at the end of a segment that was closed is refused, because all of it was acknowledged', async () => {
    const path = await temporaryFolder()
    await killedWithClosedSegments(path)
    await damageByte(firstSegment(path), -1)
    await expect(startGateway(path)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
  })
})

test('recovering an empty folder starts with batch 0', async () => {
  const { recovered } = await startGateway(await temporaryFolder())
  expect(recovered).toEqual({ segments: [], waiting: [], next: 0n })
})
