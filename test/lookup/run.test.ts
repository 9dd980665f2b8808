import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  buildIndex,
  buildRun,
  IndexReader,
  indexKey,
  verifyLookup,
  verifyRun,
} from '../../src/lookup/index.ts'
import { runs } from '../bytes/runs.ts'

/** The requests of each record of each batch. */
type Batches = readonly (readonly number[])[]

const batches = fc.array(fc.array(fc.nat(60), { minLength: 1, maxLength: 40 }), {
  minLength: 1,
  maxLength: 20,
})
const keyOf = (request: number) => indexKey('request', `r-${request}`)
const readerOf = (file: Uint8Array) =>
  IndexReader.open(async (offset, length) => file.slice(offset, offset + length))

const indexOf = (requests: readonly number[]) =>
  buildIndex(requests.map((request) => new Map([['request', `r-${request}`]])))

async function runOf(given: Batches) {
  let file = new Uint8Array()
  const readers = await Promise.all(given.map((requests) => readerOf(indexOf(requests).file)))
  const run = await buildRun(readers, async (offset, bytes) => {
    if (offset + bytes.length > file.length) {
      const grown = new Uint8Array(offset + bytes.length)
      grown.set(file)
      file = grown
    }
    file.set(bytes, offset)
  })
  return { run, file }
}

describe('the index of a run', () => {
  test('finds exactly the batches that hold a key, and proves it', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (given) => {
        const { run, file } = await runOf(given)
        const holders = new Map<number, number[]>()
        for (const [batch, requests] of given.entries()) {
          for (const request of new Set(requests)) {
            holders.set(request, [...(holders.get(request) ?? []), batch])
          }
        }
        const reader = await readerOf(file)
        expect(reader.entryCount).toBe(holders.size)
        expect(run).toMatchObject({ count: given.length, entries: holders.size })
        const header = { ...run, recordCount: run.count }
        for (let request = 0; request <= 62; request++) {
          const expected = holders.get(request) ?? []
          const lookup = await reader.prove(keyOf(request))
          expect([...verifyLookup(keyOf(request), lookup, header)]).toEqual(expected)
        }
      }),
      runs(30),
    )
  })

  test('of one batch of one record is, byte for byte, that of the batch', async () => {
    const { run, file } = await runOf([[5]])
    const { indexRoot, indexSize, file: own } = indexOf([5])
    expect(run).toEqual({ count: 1, indexRoot, indexSize, entries: 1 })
    expect(file).toEqual(own)
  })

  test('needs a batch', async () => {
    await expect(runOf([])).rejects.toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })
})

describe('what a run claims', () => {
  const given = [[1, 2], [2, 3, 4], [9]]

  test('is right when its batches give the same', async () => {
    verifyRun((await runOf(given)).run, (await runOf(given)).run)
  })

  test.each([
    ['a batch left out', given.slice(1)],
    ['a key left out', [[1, 2], [2, 3], [9]]],
    [
      'a key added',
      [
        [1, 2],
        [2, 3, 4],
        [9, 10],
      ],
    ],
    [
      'a key moved to another batch',
      [
        [1, 2],
        [2, 3],
        [4, 9],
      ],
    ],
    ['two batches exchanged', [[2, 3, 4], [1, 2], [9]]],
  ])('is refused with %s', async (_, other) => {
    const [claimed, found] = [(await runOf(other)).run, (await runOf(given)).run]
    expect(() => verifyRun(claimed, found)).toThrow(
      expect.objectContaining({ name: 'VerificationError', code: 'BATCH_MISMATCH' }),
    )
  })
})
