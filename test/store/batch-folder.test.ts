import { readdir, readFile, readlink, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { BatchFileName, SealedBatch } from '../../src/batch/index.ts'
import { InputError, OperationError, VerificationError } from '../../src/errors.ts'
import { type IndexName, indexKey, recordValue } from '../../src/lookup/index.ts'
import { verifyInclusion } from '../../src/merkle/index.ts'
import { leafHash } from '../../src/record/index.ts'
import { BatchCache } from '../../src/store/batch-cache.ts'
import { BatchFolder, type OpenBatch } from '../../src/store/batch-folder.ts'
import { batchOf, PUBLISHER, submissionOf } from '../batch/items.ts'
import { runs } from '../bytes/runs.ts'
import { temporaryFolder } from './temporary.ts'

const submissions = [submissionOf('urn:a', 3, 300), submissionOf('urn:b', 9, 230)]
const items = submissions.flatMap((submission) => submission.items)
const vault = submissions.flatMap((submission) => submission.vault)
const batch: SealedBatch = batchOf(...submissions)
const { header } = batch

async function saved(sealed = batch) {
  const root = await temporaryFolder()
  const folder = new BatchFolder(root)
  await folder.save(sealed)
  const path = join(root, PUBLISHER, String(sealed.header.sequence).padStart(12, '0'))
  return { root, folder, path }
}

async function opened(): Promise<OpenBatch> {
  const { folder } = await saved()
  const open = await folder.open(PUBLISHER, header.sequence)
  onTestFinished(() => open.close())
  return open
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

/** Files below a folder that this process has open. */
async function openFiles(root: string): Promise<string[]> {
  const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''))
  return (await Promise.all(links)).filter((path) => path.startsWith(root))
}

describe('a batch on disk', () => {
  test('is there whole once it is saved, and keeps its files when it is saved again', async () => {
    const { folder, path } = await saved()
    expect(await folder.has(PUBLISHER, header.sequence)).toBe(true)
    expect(await folder.has(PUBLISHER, 8n)).toBe(false)
    expect((await readdir(path)).sort()).toEqual(Object.keys(batch.files).sort())
    await writeFile(join(path, 'vault.ndjson.zst'), 'erased since')
    await folder.save(batch)
    expect(await readFile(join(path, 'vault.ndjson.zst'), 'utf8')).toBe('erased since')
    expect(await readdir(join(path, '..'))).toHaveLength(1)
  })

  test('gives back its header and its submissions', async () => {
    const { folder } = await saved()
    expect(await folder.loadHeader(PUBLISHER, header.sequence)).toEqual(header)
    expect(await folder.loadSubmissions(header)).toEqual([
      {
        source: 'urn:a',
        sequence: 3n,
        first: 0,
        count: 300,
        signature: null,
        receivedAt: BigInt(submissions[0]?.receivedAt ?? 0),
      },
      {
        source: 'urn:b',
        sequence: 9n,
        first: 300,
        count: 230,
        signature: null,
        receivedAt: BigInt(submissions[1]?.receivedAt ?? 0),
      },
    ])
  })

  test('gives back every record, one by one and all in order', async () => {
    const open = await opened()
    for (const position of [0, 1, 255, 256, 257, 299, 300, 511, 512, 529]) {
      expect(await open.item(position)).toEqual(items[position])
    }
    expect(await collect(open.items())).toEqual(items)
    for (const position of [530, 767, 768, 1_000_000]) {
      await expect(open.item(position)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
    }
  })

  test('finds each record under its keys, and nothing under others', async () => {
    const { folder } = await saved()
    const find = (name: IndexName, value: string) =>
      folder.useIndex(PUBLISHER, header.sequence, (index) => index.find(indexKey(name, value)))
    for (const position of [0, 256, 529]) {
      const { record } = items[position] ?? { record: { source: '', id: '' } }
      expect([...(await find('record', recordValue(record.source, record.id)))]).toEqual([position])
    }
    const persons = await find('person', 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA')
    expect(persons.length).toBe(items.filter(({ disclosures }) => disclosures.length > 0).length)
    expect(await find('record', 'nobody')).toHaveLength(0)
  })

  test('proves the place of every record in its root', async () => {
    const open = await opened()
    for (const [index, { record }] of items.entries()) {
      verifyInclusion({
        leafHash: leafHash(record),
        index: BigInt(index),
        size: BigInt(items.length),
        path: await open.inclusionPath(header.recordCount, index),
        root: header.recordsRoot,
      })
    }
  })

  test('gives out of its vault what belongs to a record', async () => {
    const open = await opened()
    for (const position of [0, 2, 255, 256, 299, 300, 529, 530, 900]) {
      expect(await open.vaultFrom(position, 1)).toEqual([vault[position] ?? []])
    }
    expect(vault.filter((disclosures) => disclosures.length > 0).length).toBeGreaterThan(100)
  })
})

test('a batch gives back any run of its records and of its vault', async () => {
  const open = await opened()
  await fc.assert(
    fc.asyncProperty(fc.nat(529), fc.nat(530), async (first, wanted) => {
      const count = Math.min(wanted, 530 - first)
      expect(await open.itemsFrom(first, count)).toEqual(items.slice(first, first + count))
      expect(await open.vaultFrom(first, count)).toEqual(vault.slice(first, first + count))
    }),
    runs(20),
  )
  await expect(open.itemsFrom(500, 31)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
})

describe('a batch that is not whole', () => {
  test('that is not there is STORE_FAILED with its place', async () => {
    const { folder } = await saved()
    const expected = { code: 'STORE_FAILED', message: expect.stringContaining('000000000008') }
    await expect(folder.open(PUBLISHER, 8n)).rejects.toMatchObject(expected)
    await expect(folder.loadHeader(PUBLISHER, 8n)).rejects.toMatchObject(expected)
  })

  test.each(['tree.bin', 'records.ndjson.zst', 'index.bin'] as const)(
    'without its %s answers nothing of it, and no file stays open',
    async (name) => {
      const { root, folder, path } = await saved()
      await rm(join(path, name))
      const ask = async () => {
        await folder.useIndex(PUBLISHER, header.sequence, async () => undefined)
        const open = await folder.open(PUBLISHER, header.sequence)
        await open.inclusionPath(header.recordCount, 0).finally(() => open.close())
      }
      await expect(ask()).rejects.toMatchObject({ code: 'STORE_FAILED' })
      expect(await openFiles(root)).toEqual([])
    },
  )

  test.each(['tree.bin', 'records.ndjson.zst', 'index.bin', 'vault.ndjson.zst'] as const)(
    'whose %s is empty is refused with a code, and no file stays open',
    async (name) => {
      const { root, folder, path } = await saved()
      await truncate(join(path, name), 0)
      expect(await readEverything(folder)).toBe(false)
      expect(await openFiles(root)).toEqual([])
    },
  )

  test.each(['header.json', 'submissions.json'] as const)(
    'whose %s is no JSON is a mismatch',
    async (name) => {
      const { folder, path } = await saved()
      for (const text of ['', '{', 'null', '[]', '7', '{"publisher":1}']) {
        await writeFile(join(path, name), text)
        const load =
          name === 'header.json'
            ? folder.loadHeader(PUBLISHER, header.sequence)
            : folder.loadSubmissions(header)
        await expect(load, text).rejects.toBeInstanceOf(VerificationError)
      }
    },
  )

  test('damaged anywhere gives other answers or an error with a code, never another error', async () => {
    const small = batchOf(submissionOf('urn:a', 0, 40))
    const { root, folder, path } = await saved(small)
    const names: BatchFileName[] = ['tree.bin', 'records.ndjson.zst', 'index.bin', 'vault.ndjson.zst']
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.constantFrom('flip', 'cut', 'extend', 'fill'),
        fc.integer({ min: 1, max: 255 }),
        async (name, place, how, mask) => {
          const whole = small.files[name]
          const at = Math.floor(place * whole.length)
          const file = Buffer.from(whole)
          if (how === 'flip') file[at] = (file[at] ?? 0) ^ mask
          if (how === 'fill') file.fill(mask, at, Math.min(at + 8, file.length))
          const written =
            how === 'cut'
              ? file.subarray(0, at)
              : how === 'extend'
                ? Buffer.concat([file, Buffer.alloc(mask)])
                : file
          await writeFile(join(path, name), written)
          await readEverything(folder, 40)
          await writeFile(join(path, name), whole)
        },
      ),
      runs(400),
    )
    expect(await openFiles(root)).toEqual([])
  })
})

/** Asks a batch everything. Answers whether it answered all; an error without a code is thrown on. */
async function readEverything(folder: BatchFolder, count = 530): Promise<boolean> {
  try {
    await folder.useIndex(PUBLISHER, 7n, async (index) => {
      await index.find(indexKey('record', recordValue('urn:a', '3-1')))
      await index.prove(indexKey('record', 'nobody'))
    })
    const open = await folder.open(PUBLISHER, 7n)
    try {
      await collect(open.items())
      for (const position of [0, count - 1]) {
        await open.item(position)
        await open.vaultFrom(position, 1)
        await open.inclusionPath(count, position)
      }
    } finally {
      await open.close()
    }
    return true
  } catch (error) {
    if (
      error instanceof OperationError ||
      error instanceof VerificationError ||
      error instanceof InputError
    ) {
      return false
    }
    throw error
  }
}

describe('the batch cache', () => {
  const sequences = Array.from({ length: 8 }, (_, i) => BigInt(i))

  async function cacheOf(maxOpen: number) {
    const root = await temporaryFolder()
    const folder = new BatchFolder(root)
    for (const sequence of sequences) await folder.save({ ...batch, header: { ...header, sequence } })
    const cache = new BatchCache(folder, maxOpen)
    onTestFinished(() => cache.close())
    return { cache, open: async () => (await openFiles(root)).length }
  }
  test('keeps open no more than it may once nobody uses them', async () => {
    const { cache, open } = await cacheOf(3)
    for (const sequence of sequences) await cache.use(PUBLISHER, sequence, (found) => found.item(0))
    expect(await open()).toBe(3)
    await cache.close()
    expect(await open()).toBe(0)
  })

  test('closes the one whose use is longest ago', async () => {
    const { cache } = await cacheOf(2)
    const used: OpenBatch[] = []
    const use = (sequence: bigint) =>
      cache.use(PUBLISHER, sequence, async (found) => {
        used.push(found)
      })
    for (const sequence of [0n, 1n, 0n, 2n, 0n, 1n]) await use(sequence)
    expect(used[2], 'kept').toBe(used[0])
    expect(used[4], 'used again just before').toBe(used[0])
    expect(used[5], 'opened anew').not.toBe(used[1])
  })

  test('opens a batch once for all who ask at the same time', async () => {
    const { cache, open } = await cacheOf(2)
    const used = await Promise.all(
      Array.from({ length: 20 }, () => cache.use(PUBLISHER, 0n, async (found) => found)),
    )
    expect(new Set(used).size).toBe(1)
    expect(await open()).toBe(1)
  })

  test('never closes one in use, however many others are asked', async () => {
    const { cache, open } = await cacheOf(1)
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const waiting = sequences.slice(0, 4).map((sequence) =>
      cache.use(PUBLISHER, sequence, async (found) => {
        await released
        return found.item(0)
      }),
    )
    for (const sequence of sequences) await cache.use(PUBLISHER, sequence, (found) => found.item(0))
    expect(await open()).toBeGreaterThanOrEqual(4)
    await cache.close()
    release()
    for (const item of await Promise.all(waiting)) expect(item).toEqual(items[0])
    expect(await open()).toBe(0)
  })

  test('opens afresh what failed, and lets those who use the old one finish', async () => {
    const { cache, open } = await cacheOf(4)
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const slow = cache.use(PUBLISHER, 0n, async (found) => {
      await released
      return found.item(0)
    })
    await expect(
      cache.use(PUBLISHER, 0n, async () => {
        throw new Error('of the work')
      }),
    ).rejects.toThrow('of the work')
    await cache.use(PUBLISHER, 0n, (found) => found.item(0))
    expect(await open()).toBe(2)
    release()
    expect(await slow).toEqual(items[0])
    expect(await open(), 'the old one is closed').toBe(1)
    await cache.close()
    expect(await open()).toBe(0)
  })

  test('does not remember a batch that was not there', async () => {
    const { cache } = await cacheOf(4)
    await expect(cache.use(PUBLISHER, 99n, async () => undefined)).rejects.toMatchObject({
      code: 'STORE_FAILED',
    })
    await expect(cache.use(PUBLISHER, 99n, async () => undefined)).rejects.toMatchObject({
      code: 'STORE_FAILED',
    })
  })
})
