import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { encodeFrames, framesOf } from '../../src/batch/frames.ts'
import {
  FRAME_RECORDS,
  frameLines,
  MAX_LINE_BYTES,
  readFrame,
  readFrameTable,
} from '../../src/batch/index.ts'
import { utf8 } from '../../src/bytes/bytes.ts'
import { runs } from '../bytes/runs.ts'
import { compress, decompress, readerOf } from './items.ts'

const damaged = expect.objectContaining({ name: 'OperationError', code: 'STORE_DAMAGED', retryable: false })

/** Lines as a batch has them: no line feed within. */
const line = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replaceAll('\n', ' '))
const lines = fc.array(line, { minLength: 1, maxLength: 40 })

/** The lines of each frame of a file, read one frame after the other, the last first. */
async function readAll(file: Uint8Array): Promise<string[][]> {
  const frames = await readFrameTable(readerOf(file), file.length)
  const read: string[][] = []
  for (const frame of frames.toReversed()) {
    read.unshift(frameLines(await readFrame(readerOf(file), frame, decompress)))
  }
  return read
}

/**
 * The text of all frames as RFC 8878, section 3.1, has it: one frame after the other, skippable ones passed over.
 * (Node alone stops after the first.)
 */
function decompressAll(bytes: Uint8Array): string {
  const file = Buffer.from(bytes)
  let text = ''
  for (let offset = 0; offset < file.length; ) {
    const magic = file.readUInt32LE(offset)
    if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) {
      offset += 8 + file.readUInt32LE(offset + 4)
      continue
    }
    const frame: unknown = zstdDecompressSync(file.subarray(offset), { info: true })
    const { buffer, engine } = frame as { buffer: Buffer; engine: { bytesWritten: number } }
    text += buffer.toString()
    offset += engine.bytesWritten
  }
  return text
}

const linesOf = (lines: readonly string[]) => utf8(lines.map((line) => `${line}\n`).join(''))

const fileOf = (...frames: string[][]) =>
  encodeFrames(
    frames.map((frame) => utf8(`${frame.join('\n')}\n`)),
    compress,
  )

describe('frames', () => {
  test('are read back alone, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(lines, { maxLength: 6 }), async (frames) => {
        expect(await readAll(fileOf(...frames))).toEqual(frames)
      }),
      runs(100),
    )
  })

  test('are one file to whoever knows zstd and not our table', () => {
    fc.assert(
      fc.property(fc.array(lines, { maxLength: 6 }), (frames) => {
        expect(decompressAll(fileOf(...frames))).toBe(frames.map((frame) => `${frame.join('\n')}\n`).join(''))
      }),
      runs(50),
    )
  })

  // zstd_seekable_compression_format.md, version 0.1.0: "Seek_Table_Footer" and "Seek_Table_Entries"
  test('end with the seek table of the zstd seekable format', () => {
    const file = Buffer.from(fileOf(['a'], ['bcd', '']))
    const table = file.subarray(-(8 + 2 * 8 + 9))
    expect(table.readUInt32LE(0)).toBe(0x184d2a5e)
    expect(table.readUInt32LE(4)).toBe(2 * 8 + 9)
    expect([table.readUInt32LE(12), table.readUInt32LE(20)]).toEqual([2, 5])
    expect(8 + 2 * 8 + 9 + table.readUInt32LE(8) + table.readUInt32LE(16)).toBe(file.length)
    expect(table.readUInt32LE(24)).toBe(2)
    expect(table.readUInt8(28)).toBe(0)
    expect(table.readUInt32LE(29)).toBe(0x8f92eab1)
  })

  test.each([1, 255, 256, 257, 512, 513])('hold 256 of %d lines each, the last the rest', async (count) => {
    const all = Array.from({ length: count }, (_, i) => `line ${i}`)
    const frames = await readAll(encodeFrames(framesOf(linesOf(all)), compress))
    expect(frames).toHaveLength(Math.ceil(count / FRAME_RECORDS))
    expect(frames.slice(0, -1).every((frame) => frame.length === FRAME_RECORDS)).toBe(true)
    expect(frames.flat()).toEqual(all)
  })

  test('may be empty, or none at all', async () => {
    const file = encodeFrames(['', 'a\n', ''].map(utf8), compress)
    expect(await readAll(file)).toEqual([[], ['a'], []])
    expect(decompressAll(file)).toBe('a\n')
    expect(await readAll(encodeFrames([], compress))).toEqual([])
  })

  test('keep every byte of their text, a byte order mark too', async () => {
    expect(await readAll(fileOf(['\ufeff{}', '\ufeff']))).toEqual([['\ufeff{}', '\ufeff']])
  })

  test('take no line that no one would read back', () => {
    const longest = 'é'.repeat((MAX_LINE_BYTES - 2) / 2)
    expect(framesOf(linesOf([`${longest}x`]))).toEqual([utf8(`${longest}x\n`)])
    expect(() => framesOf(linesOf(['{}', `${longest}é`]))).toThrow(
      expect.objectContaining({ name: 'InputError', code: 'TOO_LARGE', place: { line: 2 } }),
    )
  })

  test('of the longest lines there may be are read back', async () => {
    const all = Array.from({ length: FRAME_RECORDS }, () => 'x'.repeat(MAX_LINE_BYTES - 1))
    const file = encodeFrames(framesOf(linesOf(all)), compress)
    expect(file.length).toBeLessThan(100_000)
    expect((await readAll(file)).flat().every((line) => line === all[0])).toBe(true)
  })
})

describe('a damaged file is named, and never costs more than it is long', () => {
  const file = fileOf(['alpha', 'beta'], ['gamma'], ['delta '.repeat(100)])
  const tableBytes = 8 + 3 * 8 + 9

  /** The most that any frame was allowed to expand to. */
  let most = 0
  afterEach(() => expect(most).toBeLessThanOrEqual(FRAME_RECORDS * MAX_LINE_BYTES))

  /** Reads all of a file and watches what that asks for. */
  async function readWatched(bytes: Uint8Array): Promise<string[][]> {
    const frames = await readFrameTable(async (offset, length) => {
      expect(length).toBeLessThanOrEqual(Math.max(9, bytes.length))
      return bytes.slice(offset, offset + length)
    }, bytes.length)
    const read: string[][] = []
    for (const frame of frames) {
      const text = await readFrame(
        async (offset, length) => {
          expect(length).toBeLessThanOrEqual(bytes.length)
          return bytes.slice(offset, offset + length)
        },
        frame,
        (part, sizeBytes) => {
          most = Math.max(most, sizeBytes)
          return decompress(part, sizeBytes)
        },
      )
      read.push(frameLines(text))
    }
    return read
  }

  test('any flipped bit of the table', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * tableBytes - 1), async (bit) => {
        const broken = file.slice()
        const at = file.length - tableBytes + (bit >> 3)
        broken[at] = (broken[at] ?? 0) ^ (1 << (bit & 7))
        await expect(readWatched(broken)).rejects.toThrow(damaged)
      }),
      runs(200),
    )
  })

  test('any end that is cut off', async () => {
    for (let length = 0; length < file.length; length++) {
      await expect(readWatched(file.slice(0, length))).rejects.toThrow(damaged)
    }
  })

  test('any change of a frame is refused, or gives other text of the same length', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(file.length - tableBytes - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, by) => {
          const broken = file.slice()
          broken[at] = (broken[at] ?? 0) ^ by
          try {
            expect((await readWatched(broken)).flat().join('\n')).toHaveLength(
              'alpha\nbeta\ngamma\n'.length + 600,
            )
          } catch (error) {
            expect(error).toEqual(damaged)
          }
        },
      ),
      runs(300),
    )
  })

  test('a table of more frames than the file could hold', async () => {
    const broken = Buffer.from(file)
    broken.writeUInt32LE(0xffff_ffff, broken.length - 9)
    await expect(readWatched(broken)).rejects.toThrow(damaged)
  })

  test('a frame that claims to be longer than any may be', async () => {
    const broken = Buffer.from(file)
    broken.writeUInt32LE(FRAME_RECORDS * MAX_LINE_BYTES + 1, broken.length - 9 - 4)
    await expect(readWatched(broken)).rejects.toThrow(damaged)
  })

  test('a frame that expands beyond what the table says', async () => {
    const bomb = encodeFrames([utf8('x'.repeat(10_000_000))], compress)
    const broken = Buffer.from(bomb)
    broken.writeUInt32LE(5, broken.length - 9 - 4)
    await expect(readWatched(broken)).rejects.toThrow(damaged)
  })

  test('a frame that is shorter than the table says', async () => {
    const broken = Buffer.from(file)
    broken.writeUInt32LE(700, broken.length - 9 - 4)
    await expect(readWatched(broken)).rejects.toThrow(damaged)
  })

  test('text that is not UTF-8, or that does not end its last line', async () => {
    const broken = encodeFrames([utf8('ab\n')], () => compress(Uint8Array.of(0xff, 0xfe, 0x0a)))
    await expect(readWatched(broken)).rejects.toThrow(damaged)
    await expect(readWatched(encodeFrames([utf8('ab')], compress))).rejects.toThrow(damaged)
  })

  test('a checksum flag, which no table of ours has', async () => {
    const broken = file.slice()
    broken[file.length - 5] = 0x80
    await expect(readWatched(broken)).rejects.toThrow(damaged)
  })
})
