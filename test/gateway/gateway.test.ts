import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { recoverReceiptSigner } from '../../src/chain/signing.ts'
import { contentOf } from '../../src/gateway/draft.ts'
import { decodeBody } from '../../src/gateway/log-entry.ts'
import { hashLeaves, treeRoot } from '../../src/merkle/index.ts'
import type { Receipt } from '../../src/proof/index.ts'
import { canonicalBytes } from '../../src/record/index.ts'
import { listSegments } from '../../src/store/write-ahead-log.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'
import { domain, draftOf, PUBLISHER, readLedger, startGateway } from './world.ts'

const signerOf = (receipt: Receipt) =>
  recoverReceiptSigner(
    domain,
    {
      ...receipt,
      size: BigInt(receipt.size),
      receivedAt: BigInt(receipt.receivedAt),
      anchorBy: BigInt(receipt.anchorBy),
    },
    receipt.signature,
  )

/** What a receipt promises; the signature is another each time in principle. */
const promise = ({ source, sequence, root, size, receivedAt, anchorBy }: Receipt) => ({
  source,
  sequence,
  root,
  size,
  receivedAt,
  anchorBy,
})

describe('an accepted submission', () => {
  test('is answered with a receipt of the publisher over its very records', async () => {
    const { gateway } = await startGateway(await temporaryFolder(), { promiseMs: 5_000 })
    const draft = draftOf('urn:a', 'x', 9)
    const receipt = await gateway.accept(draft)
    expect(signerOf(receipt)).toBe(PUBLISHER)
    expect(receipt).toMatchObject({ source: 'urn:a', sequence: 0n, size: 9, ...domain, publisher: PUBLISHER })
    expect(receipt.root).toEqual(
      treeRoot(
        hashLeaves(contentOf(decodeBody(draft.body)).items.map(({ record }) => canonicalBytes(record))),
      ),
    )
    expect(receipt.anchorBy - receipt.receivedAt).toBe(5_000)
    expect(signerOf({ ...receipt, anchorBy: receipt.anchorBy + 1 })).not.toBe(PUBLISHER)
  })

  test('waits until its batch is in the catalogue, however many the batch holds', async () => {
    const { gateway, sealed } = await startGateway(await temporaryFolder(), { sealRecords: 600 })
    await Promise.all(Array.from({ length: 600 }, (_, i) => gateway.accept(draftOf('urn:a', `${i}`, 1))))
    while (gateway.waitingRecords > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(sealed.nextSequence(PUBLISHER)).toBe(1n)
  })

  test('gets the next number of its source, without gaps, however many come at once', async () => {
    const path = await temporaryFolder()
    const { gateway, stop } = await startGateway(path, { sealRecords: 40 })
    const sources = ['urn:a', 'urn:b', 'urn:c']
    const receipts = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        gateway.accept(draftOf(sources[i % 3] ?? '', `${i}`, 1 + (i % 4))),
      ),
    )
    for (const source of sources) {
      const sequences = receipts
        .filter((receipt) => receipt.source === source)
        .map(({ sequence }) => sequence)
      expect(sequences).toEqual(Array.from({ length: 100 }, (_, i) => BigInt(i)))
      expect(gateway.nextSequence(source)).toBe(100n)
    }
    await stop()
    const ledger = await readLedger(path)
    expect(ledger.size).toBe(300)
    for (const [i, { source, sequence, size }] of receipts.entries()) {
      expect(ledger.get(`${source}#${sequence}`)).toEqual(Array.from({ length: size }, (_, k) => `${i}-${k}`))
    }
  })

  test('sent again under its number gets the same receipt: while it waits, after it is sealed, after a restart', async () => {
    const path = await temporaryFolder()
    const first = await startGateway(path)
    const receipt = await first.gateway.accept(draftOf('urn:a', 'x', 300))
    await first.gateway.accept(draftOf('urn:a', 'y'))
    const again = () => draftOf('urn:a', 'x', 300)
    expect(promise(await first.gateway.accept(again(), 0n))).toEqual(promise(receipt))
    await first.abandon()

    const second = await startGateway(path)
    const found = await second.gateway.accept(again(), 0n)
    expect(promise(found)).toEqual(promise(receipt))
    expect(signerOf(found)).toBe(PUBLISHER)
    await second.stop()

    const third = await startGateway(path)
    expect(third.sealed.submission('urn:a', 0n)).toMatchObject({ batch: 0n, first: 0, size: 300 })
    expect(promise(await third.gateway.accept(again(), 0n))).toEqual(promise(receipt))
    expect((await third.gateway.find('urn:a', 0n))?.sealed?.batch).toBe(0n)
    expect(third.gateway.nextSequence('urn:a')).toBe(2n)
  })

  test('sent twice at the same time is one submission', async () => {
    const { gateway } = await startGateway(await temporaryFolder())
    const receipts = await Promise.all([1, 2, 3].map(() => gateway.accept(draftOf('urn:a', 'x'), 0n)))
    expect(new Set(receipts.map(({ receivedAt }) => receivedAt)).size).toBe(1)
    expect(gateway.nextSequence('urn:a')).toBe(1n)
  })

  test.each(['waiting', 'sealed'])(
    'with other content under the number of one that is %s is a SEQUENCE_CONFLICT',
    async (where) => {
      const path = await temporaryFolder()
      const first = await startGateway(path)
      await first.gateway.accept(draftOf('urn:a', 'x'))
      if (where === 'sealed') await first.stop()
      const { gateway } = where === 'sealed' ? await startGateway(path) : first
      for (const draft of [draftOf('urn:a', 'y'), draftOf('urn:a', 'x', 2), draftOf('urn:a', 'x', 4)]) {
        await expect(gateway.accept(draft, 0n)).rejects.toMatchObject({
          code: 'SEQUENCE_CONFLICT',
          message: expect.stringContaining('the next is 1'),
        })
      }
    },
  )

  test('beyond the next number is a SEQUENCE_GAP that names the next', async () => {
    const { gateway } = await startGateway(await temporaryFolder())
    for (const sequence of [1n, 2n ** 64n - 1n]) {
      await expect(gateway.accept(draftOf('urn:a', 'x'), sequence)).rejects.toMatchObject({
        code: 'SEQUENCE_GAP',
        message: expect.stringContaining('is number 0,'),
      })
    }
    expect((await gateway.accept(draftOf('urn:a', 'x'), 0n)).sequence).toBe(0n)
  })

  test('is found with its receipt and, once sealed, its place', async () => {
    const path = await temporaryFolder()
    const { gateway, sealed } = await startGateway(path, { sealRecords: 6 })
    const receipt = await gateway.accept(draftOf('urn:a', 'x'))
    expect(await gateway.find('urn:a', 0n)).toEqual({
      receipt: expect.objectContaining(promise(receipt)),
      voucher: { by: 'open' },
      sealed: undefined,
    })
    expect(await gateway.find('urn:a', 1n)).toBeUndefined()
    expect(await gateway.find('urn:b', 0n)).toBeUndefined()
    await gateway.accept(draftOf('urn:b', 'y'))
    const submission = await eventually(() => sealed.submission('urn:b', 0n))
    expect(submission).toMatchObject({ batch: 0n, first: 3, publisher: PUBLISHER })
    expect(await gateway.find('urn:b', 0n)).toMatchObject({ sealed: { batch: 0n, first: 3 } })
    expect(gateway.waitingRecords).toBe(0)
  })
})

describe('sealing', () => {
  test('happens when a batch has so many records, and never puts more into one', async () => {
    const path = await temporaryFolder()
    const { gateway, sealed, stop } = await startGateway(path, { sealRecords: 10 })
    for (const [i, count] of [4, 4, 4, 10, 3, 7, 1, 1].entries()) {
      await gateway.accept(draftOf('urn:a', `${i}`, count))
    }
    await eventually(() => sealed.nextSequence(PUBLISHER) >= 4n || undefined)
    expect(gateway.waitingRecords).toBe(2)
    await stop()
    expect(await counts(path)).toEqual([8, 4, 10, 10, 2])
  })

  test('happens when the first record has waited so long', async () => {
    const path = await temporaryFolder()
    const { gateway, sealed } = await startGateway(path, { sealAfterMs: 30 })
    await gateway.accept(draftOf('urn:a', 'x'))
    await eventually(() => sealed.submission('urn:a', 0n))
    await gateway.accept(draftOf('urn:a', 'y'))
    await eventually(() => sealed.submission('urn:a', 1n))
    expect(sealed.nextSequence(PUBLISHER)).toBe(2n)
  })

  test('leaves nothing of what it sealed in the log', async () => {
    const path = await temporaryFolder()
    const { gateway, sealed } = await startGateway(path, { sealRecords: 3 })
    for (const tag of ['x', 'y', 'z']) await gateway.accept(draftOf('urn:a', tag))
    await eventually(() => sealed.nextSequence(PUBLISHER) === 3n || undefined)
    await eventually(async () => (await listSegments(join(path, 'log'))).length === 1 || undefined)
  })

  test('A DISK THAT CANNOT TAKE THE BATCH is told, tried again, and loses nothing', async () => {
    const path = await temporaryFolder()
    // Nothing can be made below a file.
    await writeFile(join(path, 'batches'), '')
    const { gateway, sealed, troubles } = await startGateway(path, { sealRecords: 3 })
    await gateway.accept(draftOf('urn:a', 'x'))
    await eventually(() => troubles.length > 1 || undefined)
    expect(gateway.waitingRecords).toBe(3)
    await rm(join(path, 'batches'))
    await eventually(() => sealed.submission('urn:a', 0n))
    expect(gateway.waitingRecords).toBe(0)
  })

  test('A DISK THAT CANNOT TAKE THE BATCH does not keep the gateway from ending; the next start seals it', async () => {
    const path = await temporaryFolder()
    await writeFile(join(path, 'batches'), '')
    const first = await startGateway(path)
    await first.gateway.accept(draftOf('urn:a', 'x'))
    await first.stop()
    expect(first.troubles.length).toBeGreaterThan(0)
    await rm(join(path, 'batches'))
    const second = await startGateway(path)
    await second.stop()
    expect([...(await readLedger(path)).keys()]).toEqual(['urn:a#0'])
  })
})

describe('a gateway under load', () => {
  test('A FULL DISK refuses what does not fit, gives its numbers to what comes after, and loses nothing', async () => {
    const path = await temporaryFolder()
    const program = fileURLToPath(new URL('./full-disk.ts', import.meta.url))
    // Blocks of 1,024 bytes a file; the catalogue is smaller than that, the log is not.
    const { stdout } = await promisify(execFile)('bash', [
      '-c',
      'ulimit -f 300; exec "$0" "$1" "$2"',
      process.execPath,
      program,
      path,
    ])
    const { acknowledged, codes, next, waiting, small } = JSON.parse(stdout)
    expect(new Set(codes)).toEqual(new Set(['STORE_FAILED']))
    expect(acknowledged).toEqual(acknowledged.map((_: string, i: number) => String(i)))
    expect(acknowledged.length).toBeGreaterThan(5)
    expect([next, small, waiting]).toEqual([
      String(acknowledged.length),
      String(acknowledged.length),
      20 * acknowledged.length,
    ])
    const { stop } = await startGateway(path)
    await stop()
    const ledger = await readLedger(path)
    expect([...ledger.keys()]).toEqual([...acknowledged, small].map((sequence) => `urn:a#${sequence}`))
    expect(ledger.get(`urn:a#${small}`)).toEqual(['small-0'])
  })

  test('refuses what is too much, numbers nothing of it, and takes it later', async () => {
    const path = await temporaryFolder()
    await writeFile(join(path, 'batches'), '')
    const { gateway, stop } = await startGateway(path, { sealRecords: 4, maxWaitingRecords: 10 })
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => gateway.accept(draftOf('urn:a', `${i}`, 3))),
    )
    const refused = outcomes.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(5)
    for (const outcome of refused) {
      expect(outcome).toMatchObject({ reason: { code: 'OVERLOADED', retryable: true } })
    }
    expect(gateway.nextSequence('urn:a')).toBe(3n)
    await rm(join(path, 'batches'))
    await eventually(() => gateway.waitingRecords === 3 || undefined)
    expect((await gateway.accept(draftOf('urn:a', 'later', 3))).sequence).toBe(3n)
    await stop()
    const ledger = await readLedger(path)
    expect([...ledger.values()].map(([id]) => id)).toEqual(['0-0', '1-0', '2-0', 'later-0'])
  })

  test('takes one submission larger than what may wait, when nothing waits', async () => {
    const { gateway } = await startGateway(await temporaryFolder(), { maxWaitingRecords: 2 })
    expect((await gateway.accept(draftOf('urn:a', 'x', 5))).size).toBe(5)
    await expect(gateway.accept(draftOf('urn:a', 'y', 1))).rejects.toMatchObject({ code: 'OVERLOADED' })
  })

  test('that shuts down refuses new submissions, and seals every one that it has taken', async () => {
    const path = await temporaryFolder()
    const { gateway, stop } = await startGateway(path)
    const taken = Array.from({ length: 20 }, (_, i) => gateway.accept(draftOf('urn:a', `${i}`)))
    const stopped = stop()
    await expect(gateway.accept(draftOf('urn:a', 'late'))).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    await Promise.all(taken)
    await stopped
    expect((await readLedger(path)).size).toBe(20)
  })
})

async function counts(path: string): Promise<number[]> {
  const { sealed } = await startGateway(path)
  return sealed.headersFrom(PUBLISHER, 0n, 99).map(({ recordCount }) => recordCount)
}
