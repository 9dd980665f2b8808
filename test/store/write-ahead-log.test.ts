import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  listSegments,
  readSegment,
  removeSegment,
  renumberSegment,
  type Segment,
  WriteAheadLog,
} from '../../src/store/write-ahead-log.ts'
import { runs } from '../bytes/runs.ts'
import { temporaryFolder } from './temporary.ts'

const payload = (text: string) => new TextEncoder().encode(text)
const texts = (payloads: Uint8Array[]) => payloads.map((bytes) => new TextDecoder().decode(bytes))
const segmentFile = (directory: string, number: number) =>
  join(directory, `${String(number).padStart(12, '0')}.wal`)

async function readAll(directory: string): Promise<string[][]> {
  const all: string[][] = []
  for (const segment of await listSegments(directory)) all.push(texts(await readSegment(segment, 'torn')))
  return all
}

/** One closed segment with these payloads. */
async function segmentOf(directory: string, payloads: string[]): Promise<Segment> {
  const log = await WriteAheadLog.open(directory, 0n)
  await Promise.all(payloads.map((text) => log.append(payload(text))))
  await log.close()
  const [segment] = await listSegments(directory)
  if (segment === undefined) throw new Error('the log made no segment')
  return segment
}

describe('the write-ahead log', () => {
  test('gives back many concurrent appends, all of them, in the order of the calls', async () => {
    const directory = await temporaryFolder()
    const log = await WriteAheadLog.open(directory, 0n)
    const sent = Array.from({ length: 2_000 }, (_, i) => `payload ${i} ${'x'.repeat(i % 97)}`)
    const waiting: Promise<void>[] = []
    for (const [i, text] of sent.entries()) {
      waiting.push(log.append(payload(text)))
      // Some come while an earlier group is being synced.
      if (i % 300 === 0) await waiting[i]
    }
    await Promise.all(waiting)
    await log.close()
    expect(await readAll(directory)).toEqual([sent])
  })

  test('has on disk whatever it acknowledged, without being closed', async () => {
    const directory = await temporaryFolder()
    const log = await WriteAheadLog.open(directory, 0n)
    for (let i = 0; i < 20; i++) {
      await log.append(payload(`${i}`))
      expect((await readAll(directory)).flat()).toHaveLength(i + 1)
    }
    await log.close()
  })

  test('rotates exactly between calls: what is called before is in the closed segment, what is called after is not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 5, arbitrary: fc.nat(300) }, fc.constantFrom('rotate', 'wait')), {
          maxLength: 40,
        }),
        async (calls) => {
          const directory = await temporaryFolder()
          const log = await WriteAheadLog.open(directory, 5n)
          const expected: string[][] = [[]]
          const waiting: Promise<unknown>[] = []
          for (const [i, call] of calls.entries()) {
            const open = expected.at(-1) ?? []
            if (call === 'wait') {
              await Promise.all(waiting)
            } else if (call === 'rotate') {
              const number = BigInt(4 + expected.length)
              const closed =
                open.length === 0 ? undefined : { number, path: segmentFile(directory, Number(number)) }
              waiting.push(log.rotate().then((segment) => expect(segment).toEqual(closed)))
              if (open.length > 0) expected.push([])
            } else {
              const text = `${i}${'.'.repeat(Number(call))}`
              open.push(text)
              waiting.push(log.append(payload(text)))
            }
          }
          await Promise.all(waiting)
          await log.close()
          expect(await readAll(directory)).toEqual(expected)
          expect((await listSegments(directory))[0]?.number).toBe(5n)
        },
      ),
      runs(40),
    )
  })

  test('refuses appends after it is closed', async () => {
    const log = await WriteAheadLog.open(await temporaryFolder(), 0n)
    await log.close()
    await expect(log.append(payload('late'))).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    await expect(log.rotate()).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
  })

  test('closes only after what waits is on disk', async () => {
    const directory = await temporaryFolder()
    const log = await WriteAheadLog.open(directory, 0n)
    const waiting = ['a', 'b'].map((text) => log.append(payload(text)))
    await log.close()
    await Promise.all(waiting)
    expect(await readAll(directory)).toEqual([['a', 'b']])
  })

  test('renumbers and removes segments', async () => {
    const directory = await temporaryFolder()
    const segment = await segmentOf(directory, ['a'])
    const moved = await renumberSegment(segment, 7n)
    expect(await listSegments(directory)).toEqual([moved])
    expect(texts(await readSegment(moved, 'whole'))).toEqual(['a'])
    await removeSegment(moved)
    await removeSegment(moved)
    expect(await listSegments(directory)).toEqual([])
  })

  test('lists nothing but its segments, oldest first', async () => {
    const directory = await temporaryFolder()
    for (const number of [12, 3, 100]) await writeFile(segmentFile(directory, number), '')
    await writeFile(join(directory, 'notes.txt'), '')
    expect((await listSegments(directory)).map(({ number }) => number)).toEqual([3n, 12n, 100n])
  })
})

describe('a segment after a crash', () => {
  const whole = ['first', 'the second payload', 'third']

  test('cut off at any byte gives the payloads that are whole, and goes on from there', async () => {
    const directory = await temporaryFolder()
    const { path } = await segmentOf(directory, whole)
    const bytes = await readFile(path)
    const ends = whole.map((_, i) => whole.slice(0, i + 1).reduce((sum, text) => sum + 12 + text.length, 0))
    expect(ends.at(-1)).toBe(bytes.length)
    for (let length = 0; length <= bytes.length; length++) {
      await writeFile(path, bytes.subarray(0, length))
      const expected = ends.filter((end) => end <= length).length
      expect(texts(await readSegment({ number: 0n, path }, 'torn')), `cut at ${length}`).toEqual(
        whole.slice(0, expected),
      )
      expect((await readFile(path)).length, `cut at ${length}`).toBe(ends[expected - 1] ?? 0)
    }
  })

  test('whose last frame was not written whole, its length notwithstanding, is cut there', async () => {
    const directory = await temporaryFolder()
    const { path } = await segmentOf(directory, whole)
    const bytes = await readFile(path)
    for (let i = bytes.length - 5; i < bytes.length; i++) bytes[i] = 0
    await writeFile(path, bytes)
    expect(texts(await readSegment({ number: 0n, path }, 'torn'))).toEqual(whole.slice(0, 2))
  })

  test.each([1, 11, 12, 13, 64, 4_096])(
    'that ends with %i zeros, as a file system may leave it, is cut there',
    async (zeros) => {
      const directory = await temporaryFolder()
      const { path } = await segmentOf(directory, whole)
      const { length } = await readFile(path)
      await truncate(path, length + zeros)
      expect(texts(await readSegment({ number: 0n, path }, 'torn'))).toEqual(whole)
      expect((await readFile(path)).length).toBe(length)
    },
  )

  test('that was closed is refused when it is cut off: everything in it was acknowledged', async () => {
    const directory = await temporaryFolder()
    const { path } = await segmentOf(directory, whole)
    const bytes = await readFile(path)
    for (const damaged of [
      bytes.subarray(0, -1),
      bytes.subarray(0, -12),
      Buffer.concat([bytes, Buffer.alloc(64)]),
    ]) {
      await writeFile(path, damaged)
      await expect(readSegment({ number: 0n, path }, 'whole')).rejects.toMatchObject({
        code: 'STORE_DAMAGED',
      })
      expect(await readFile(path), 'it is left as it is').toEqual(damaged)
    }
  })

  test('damaged at any byte before its last frame is refused with the file and the offset', async () => {
    const directory = await temporaryFolder()
    const { path } = await segmentOf(directory, whole)
    const bytes = await readFile(path)
    const starts = [0, 12 + 5]
    for (let i = 0; i < 12 + 5 + 12 + 18; i++) {
      const damaged = Buffer.from(bytes)
      damaged[i] = (damaged[i] ?? 0) ^ 1
      await writeFile(path, damaged)
      await expect(readSegment({ number: 0n, path }, 'torn'), `byte ${i}`).rejects.toMatchObject({
        code: 'STORE_DAMAGED',
        retryable: false,
        message: expect.stringContaining(
          `${path} is damaged at byte ${starts.findLast((start) => start <= i)}:`,
        ),
      })
      expect(await readFile(path), 'it is left as it is').toEqual(damaged)
    }
  })
})

describe('a log that cannot be written', () => {
  test('FULL DISK: acknowledges nothing that is not there whole, cuts the rest off, and goes on when there is room', async () => {
    const directory = await temporaryFolder()
    const writer = fileURLToPath(new URL('./log-writer.ts', import.meta.url))
    // 32 blocks of 1,024 bytes a file; the size is reached in the middle of a group and of a frame.
    const { stdout } = await promisify(execFile)('bash', [
      '-c',
      'ulimit -f 32; exec "$0" "$1" "$2"',
      process.execPath,
      writer,
      directory,
    ])
    const { acknowledged, codes, small } = JSON.parse(stdout)
    expect(new Set(codes)).toEqual(new Set(['STORE_FAILED']))
    expect(small).toBe(1)
    const [segment] = await listSegments(directory)
    if (segment === undefined) throw new Error('the log made no segment')
    const found = await readSegment(segment, 'whole')
    expect(found.map(({ length }) => length)).toEqual([...Array(acknowledged).fill(3_000), 1])
    expect(acknowledged).toBeGreaterThan(0)
  })

  test('TORN BEYOND REPAIR: refuses what waits and everything after it', async () => {
    const directory = await temporaryFolder()
    // Always full, and it cannot be cut back.
    await symlink('/dev/full', segmentFile(directory, 0))
    const log = await WriteAheadLog.open(directory, 0n)
    const outcomes = await Promise.allSettled(['a', 'b'].map((text) => log.append(payload(text))))
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_FAILED' } })
    }
    await expect(log.append(payload('c'))).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('restart'),
    })
    await expect(log.rotate()).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await log.close()
  })

  test('NO NEXT SEGMENT: refuses everything after the rotation, and keeps what it acknowledged', async () => {
    const directory = await temporaryFolder()
    const log = await WriteAheadLog.open(directory, 0n)
    await mkdir(segmentFile(directory, 1))
    const outcomes = await Promise.allSettled([
      log.append(payload('a')),
      log.rotate(),
      log.append(payload('b')),
      log.rotate(),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected'])
    await expect(log.append(payload('c'))).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await log.close()
    expect(texts(await readSegment({ number: 0n, path: segmentFile(directory, 0) }, 'torn'))).toEqual(['a'])
  })

  test('APPENDS BEHIND A FAILURE fail with it, because they build on it', async () => {
    const directory = await temporaryFolder()
    await symlink('/dev/full', segmentFile(directory, 0))
    const log = await WriteAheadLog.open(directory, 0n)
    const first = log.append(payload('a'))
    await Promise.resolve()
    await Promise.resolve()
    // The first is being written by now; these wait behind it, one of them behind a rotation.
    const second = log.append(payload('b'))
    const rotated = log.rotate()
    const outcomes = await Promise.allSettled([first, second, log.append(payload('c'))])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(await rotated, 'there is nothing to close').toBeUndefined()
    await log.close()
  })
})
