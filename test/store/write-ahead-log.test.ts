import { execFile } from 'node:child_process'
import { type FileHandle, mkdir, open, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, type MockInstance, onTestFinished, test, vi } from 'vitest'
import { concatBytes } from '../../src/bytes/bytes.ts'
import { decodeSegment, encodeEnd, encodeFrameHead, encodeGroup } from '../../src/store/log-format.ts'
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

/** A segment as a killed process leaves it, each of the payloads a group. */
async function segmentOf(directory: string, payloads: string[]): Promise<Segment> {
  const log = await WriteAheadLog.open(directory, 0n)
  for (const text of payloads) await log.append(payload(text))
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
    expect(texts(await readSegment(moved, 'torn'))).toEqual(['a'])
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

describe('groups', () => {
  test('ONE SYNC serves all appends that came while the one before was under way', async () => {
    const disk = await spyOnDisk()
    const directory = await temporaryFolder()
    const log = await WriteAheadLog.open(directory, 0n)
    disk.datasync.mockClear()
    const [syncing, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    disk.datasync.mockImplementationOnce(async () => {
      syncing.resolve()
      await release.promise
    })
    let settled = 0
    const append = (text: string) => log.append(payload(text)).then(() => settled++)
    const first = append('first')
    await syncing.promise
    const sent = Array.from({ length: 500 }, (_, i) => `${i}`)
    const waiting = sent.map(append)
    expect([disk.datasync.mock.calls.length, settled], 'nothing is acknowledged before its sync').toEqual([
      1, 0,
    ])
    release.resolve()
    await Promise.all([first, ...waiting])
    expect([disk.datasync.mock.calls.length, log.syncedGroups]).toEqual([2, 2])
    await log.close()
    expect(await readAll(directory)).toEqual([['first', ...sent]])
  })

  test('lie in the file as written down, zeros after them', async () => {
    const { path } = await segmentOf(await temporaryFolder(), ['first', 'x'.repeat(1_000)])
    const frame = (text: string) => [encodeFrameHead(payload(text)), payload(text)]
    const groups = concatBytes(
      ...encodeGroup(frame('first'), 0),
      ...encodeGroup(frame('x'.repeat(1_000)), 512),
    )
    const bytes = await readFile(path)
    expect(bytes.subarray(0, groups.length)).toEqual(Buffer.from(groups))
    expect(bytes.subarray(groups.length).every((byte) => byte === 0)).toBe(true)
  })

  test('find their room prepared: the file grows in steps, and by no more than a large group needs', async () => {
    const directory = await temporaryFolder()
    const log = await WriteAheadLog.open(directory, 0n)
    const sizeAfter = async (bytes: number) => {
      await log.append(new Uint8Array(bytes).fill(1))
      return (await stat(segmentFile(directory, 0))).size
    }
    const step = 256 * 1024
    expect(await sizeAfter(100)).toBe(512 + step)
    for (let i = 0; i < 100; i++) expect(await sizeAfter(100)).toBe(512 + step)
    const large = 1_024 * 1_024 - 24
    expect(await sizeAfter(large)).toBe(101 * 512 + large + 24 + 512)
    await log.close()
  })
})

describe('a segment after a crash', () => {
  const whole = ['first', 'the second payload', 'third']

  test('with a torn end is cut there and ended: from then on it must be whole', async () => {
    const directory = await temporaryFolder()
    const segment = await segmentOf(directory, whole)
    const bytes = await readFile(segment.path)
    await writeFile(segment.path, bytes.fill(0, 1_024))
    expect(texts(await readSegment(segment, 'torn'))).toEqual(whole.slice(0, 2))
    expect(texts(await readSegment(segment, 'whole'))).toEqual(whole.slice(0, 2))
    const settled = await readFile(segment.path)
    expect(settled).toEqual(Buffer.concat([bytes.subarray(0, 1_024), encodeEnd(1_024)]))
    expect(texts(await readSegment(segment, 'torn')), 'a second crash changes nothing').toEqual(
      whole.slice(0, 2),
    )
    expect(await readFile(segment.path)).toEqual(settled)
  })

  test('is written and synced again before anybody hears what is in it', async () => {
    const segment = await segmentOf(await temporaryFolder(), whole)
    const { size } = decodeSegment(await readFile(segment.path))
    const disk = await spyOnDisk()
    await readSegment(segment, 'torn')
    const written = disk.write.mock.calls.find(([bytes]) => bytes.length === size)
    expect(written?.slice(1)).toEqual([0, size, 0])
    expect(disk.datasync).toHaveBeenCalledTimes(1)
    expect(disk.datasync.mock.invocationCallOrder[0]).toBeGreaterThan(
      disk.truncate.mock.invocationCallOrder[0] ?? Infinity,
    )
    disk.datasync.mockRejectedValueOnce(diskError('EIO'))
    await expect(readSegment(segment, 'torn')).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })

  test('with nothing in it is empty', async () => {
    const directory = await temporaryFolder()
    const path = segmentFile(directory, 0)
    await writeFile(path, Buffer.alloc(300_000))
    expect(await readSegment({ number: 0n, path }, 'torn')).toEqual([])
    expect((await stat(path)).size).toBe(0)
  })

  test('of before there were groups is cut at its torn end', async () => {
    const directory = await temporaryFolder()
    const path = segmentFile(directory, 0)
    const old = concatBytes(...whole.flatMap((text) => [encodeFrameHead(payload(text)), payload(text)]))
    await writeFile(path, old.subarray(0, -1))
    await expect(readSegment({ number: 0n, path }, 'whole')).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
    for (const ending of ['torn', 'whole', 'torn'] as const) {
      expect(texts(await readSegment({ number: 0n, path }, ending))).toEqual(whole.slice(0, 2))
      expect(await readFile(path)).toEqual(Buffer.from(old.subarray(0, 12 + 5 + 12 + 18)))
    }
  })

  test('that was ended is refused when anything of it is lost: everything in it was acknowledged', async () => {
    const directory = await temporaryFolder()
    const log = await WriteAheadLog.open(directory, 0n)
    for (const text of whole) await log.append(payload(text))
    const closed = await log.rotate()
    await log.close()
    if (closed === undefined) throw new Error('there was something to close')
    const bytes = await readFile(closed.path)
    expect(bytes).toHaveLength(3 * 512 + 12)
    for (const size of [0, 1, 511, 512, 1_024, 1_536, 1_547]) {
      for (const damaged of [bytes.subarray(0, size), Buffer.from(bytes).fill(0, size)]) {
        await writeFile(closed.path, damaged)
        await expect(readSegment(closed, 'whole'), `at ${size}`).rejects.toMatchObject({
          code: 'STORE_DAMAGED',
        })
        expect(await readFile(closed.path), 'it is left as it is').toEqual(damaged)
      }
    }
  })

  test('damaged in any group is refused with the file and the offset', async () => {
    const directory = await temporaryFolder()
    const segment = await segmentOf(directory, whole)
    const bytes = await readFile(segment.path)
    for (const [i, text] of whole.entries()) {
      for (const [at, place] of [
        [0, 0],
        [11, 0],
        [12, 12],
        [23 + text.length, 12],
      ] as const) {
        const damaged = Buffer.from(bytes)
        damaged[512 * i + at] = (damaged[512 * i + at] ?? 0) ^ 1
        await writeFile(segment.path, damaged)
        await expect(readSegment(segment, 'torn'), `byte ${at} of ${i}`).rejects.toMatchObject({
          code: 'STORE_DAMAGED',
          retryable: false,
          message: expect.stringContaining(`${segment.path} is damaged at byte ${512 * i + place}:`),
        })
        expect(await readFile(segment.path), 'it is left as it is').toEqual(damaged)
      }
    }
  })
})

describe('a log that cannot be written', () => {
  test('A DISK THAT FAILS at any call: what was acknowledged is there, what was refused is not, nothing is said twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('refuses', 'takes a part', 'does not sync', 'does nothing more'),
        fc.nat(5),
        fc.array(fc.array(fc.nat(900), { minLength: 1, maxLength: 3 }), { minLength: 3, maxLength: 6 }),
        async (fault, call, groups) => {
          const directory = await temporaryFolder()
          const log = await WriteAheadLog.open(directory, 0n)
          const disk = await spyOnDisk()
          breakDisk(disk, fault, call)
          const [acknowledged, refused]: [string[], string[]] = [[], []]
          for (const [i, sizes] of groups.entries()) {
            const sent = sizes.map((size, j) => `${i}.${j}${'x'.repeat(size)}`)
            const outcomes = await Promise.allSettled(sent.map((text) => log.append(payload(text))))
            for (const [j, outcome] of outcomes.entries()) {
              const list = outcome.status === 'fulfilled' ? acknowledged : refused
              list.push(sent[j] ?? '')
              if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('STORE_FAILED')
            }
          }
          await log.close()
          disk.restore()
          const [found = []] = await readAll(directory)
          expect(found.slice(0, acknowledged.length)).toEqual(acknowledged)
          // A disk that does nothing more cannot even take back what it was given.
          if (fault !== 'does nothing more') expect(found).toEqual(acknowledged)
          expect(refused.length > 0).toBe(call < groups.length)
          if (fault === 'refuses' || fault === 'takes a part') {
            expect(log.failure?.code).toBe('SHUTTING_DOWN')
          } else if (call < groups.length) {
            const message = expect.stringContaining('restart')
            expect(log.failure).toMatchObject({ code: 'STORE_FAILED', message })
            expect(acknowledged.length, 'nothing after it is taken').toBe(groups.slice(0, call).flat().length)
          }
        },
      ),
      runs(40),
    )
  })

  test('NO ROOM but for what is there: a segment can still be ended', async () => {
    const directory = await temporaryFolder()
    const log = await WriteAheadLog.open(directory, 0n)
    const disk = await spyOnDisk()
    // The first group fits, and a sector of the zeros after it.
    fillDisk(disk, 1_024 + 512)
    await log.append(payload('x'.repeat(900)))
    await expect(log.append(payload('y'.repeat(900)))).rejects.toMatchObject({ code: 'STORE_FAILED' })
    const closed = await log.rotate()
    await log.close()
    if (closed === undefined) throw new Error('there was something to close')
    expect(texts(await readSegment(closed, 'whole'))).toEqual(['x'.repeat(900)])
  })

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
    const found = await readSegment(segment, 'torn')
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

/** What the log asks of the file system; spies see it, and may answer instead. */
async function spyOnDisk() {
  const file = await open(import.meta.filename)
  const prototype: FileHandle = Object.getPrototypeOf(file)
  await file.close()
  const real = { write: prototype.write as unknown as WriteBytes, datasync: prototype.datasync }
  const spies = {
    write: vi.spyOn(prototype, 'write') as unknown as MockInstance<WriteBytes>,
    writev: vi.spyOn(prototype, 'writev') as MockInstance<FileHandle['writev']>,
    truncate: vi.spyOn(prototype, 'truncate'),
    datasync: vi.spyOn(prototype, 'datasync'),
  }
  const restore = () => {
    for (const spy of Object.values(spies)) spy.mockRestore()
  }
  onTestFinished(restore)
  return { ...spies, real, restore }
}

type WriteBytes = (
  this: FileHandle,
  bytes: Uint8Array,
  from: number,
  length: number,
  at: number,
) => Promise<{ bytesWritten: number; buffer: Uint8Array }>
type Disk = Awaited<ReturnType<typeof spyOnDisk>>

/** Makes the disk fail at its group number `call`. */
function breakDisk(disk: Disk, fault: string, call: number): void {
  const failed = () => Promise.reject(diskError('EIO'))
  let writes = 0
  let syncs = 0
  disk.writev.mockImplementation(async function (this: FileHandle, parts, at = 0) {
    const bytes = Buffer.concat(parts as Uint8Array[])
    const isCalled = writes++ === call
    if (isCalled && fault === 'refuses') throw diskError('ENOSPC')
    const isPart = isCalled && fault === 'takes a part'
    const length = isPart ? Buffer.concat(parts.slice(0, -1) as Uint8Array[]).length >> 1 : bytes.length
    const { bytesWritten } = await disk.real.write.call(this, bytes, 0, length, at ?? 0)
    return { bytesWritten, buffers: parts }
  })
  if (fault !== 'does not sync' && fault !== 'does nothing more') return
  disk.datasync.mockImplementation(function (this: FileHandle) {
    if (syncs++ !== call) return disk.real.datasync.call(this)
    if (fault === 'does nothing more') {
      for (const spy of [disk.write, disk.writev, disk.truncate, disk.datasync]) {
        spy.mockImplementation(failed)
      }
    }
    return failed()
  })
}

/** Makes a disk that has room for the first `sizeBytes` of a file. */
function fillDisk(disk: Disk, sizeBytes: number): void {
  async function writeSome(this: FileHandle, bytes: Uint8Array, at: number): Promise<number> {
    const length = Math.min(bytes.length, sizeBytes - at)
    if (length <= 0 && bytes.length > 0) throw diskError('ENOSPC')
    return (await disk.real.write.call(this, bytes, 0, length, at)).bytesWritten
  }
  disk.write.mockImplementation(async function (this: FileHandle, bytes, from, length, at) {
    const bytesWritten = await writeSome.call(this, bytes.subarray(from, from + length), at)
    return { bytesWritten, buffer: bytes }
  })
  disk.writev.mockImplementation(async function (this: FileHandle, parts, at) {
    const bytesWritten = await writeSome.call(this, Buffer.concat(parts as Uint8Array[]), at ?? 0)
    return { bytesWritten, buffers: parts }
  })
}

const diskError = (code: string) => Object.assign(new Error(`${code}: the disk failed`), { code })
