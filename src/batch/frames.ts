import { InputError, OperationError } from '../errors.ts'
import type { ReadBytes } from '../merkle/index.ts'

/**
 * Text in frames that can each be read alone: the zstd seekable format, version 0.1.0 of
 * facebook/zstd/contrib/seekable_format, without checksums. Any zstd tool reads the whole file.
 */
export const FRAME_RECORDS = 256

/** No line of a batch is longer, the line feed included. */
export const MAX_LINE_BYTES = 65_536

const LINE_FEED = 0x0a
const SKIPPABLE_MAGIC = 0x184d2a5e
const SEEKABLE_MAGIC = 0x8f92eab1
const FOOTER_BYTES = 9
const ENTRY_BYTES = 8

export type Compress = (bytes: Uint8Array) => Uint8Array
/** MUST refuse to expand beyond `sizeBytes`. */
export type Decompress = (bytes: Uint8Array, sizeBytes: number) => Uint8Array

/** @param frames the UTF-8 text of each frame */
export function encodeFrames(frames: readonly Uint8Array[], compress: Compress): Uint8Array {
  const table = new DataView(new ArrayBuffer(8 + ENTRY_BYTES * frames.length + FOOTER_BYTES))
  table.setUint32(0, SKIPPABLE_MAGIC, true)
  table.setUint32(4, table.byteLength - 8, true)
  const parts: Uint8Array[] = []
  let size = table.byteLength
  frames.forEach((frame, i) => {
    const part = compress(frame)
    table.setUint32(8 + ENTRY_BYTES * i, part.length, true)
    table.setUint32(12 + ENTRY_BYTES * i, frame.length, true)
    parts.push(part)
    size += part.length
  })
  const footer = table.byteLength - FOOTER_BYTES
  table.setUint32(footer, frames.length, true)
  table.setUint32(footer + 5, SEEKABLE_MAGIC, true)
  const file = new Uint8Array(size)
  let offset = 0
  for (const part of [...parts, new Uint8Array(table.buffer)]) {
    file.set(part, offset)
    offset += part.length
  }
  return file
}

/** Where each frame of a file lies. */
export interface Frame {
  offset: number
  compressedBytes: number
  textBytes: number
}

/** @throws {OperationError} `STORE_DAMAGED` when the file does not end with a table that fits it */
export async function readFrameTable(read: ReadBytes, fileBytes: number): Promise<Frame[]> {
  const footer = viewOf(await read(Math.max(0, fileBytes - FOOTER_BYTES), FOOTER_BYTES), FOOTER_BYTES)
  const count = footer.getUint32(0, true)
  const tableBytes = 8 + ENTRY_BYTES * count + FOOTER_BYTES
  if (footer.getUint32(5, true) !== SEEKABLE_MAGIC || footer.getUint8(4) !== 0 || tableBytes > fileBytes) {
    throw damaged('the file does not end with a frame table')
  }
  const table = viewOf(await read(fileBytes - tableBytes, tableBytes), tableBytes)
  if (table.getUint32(0, true) !== SKIPPABLE_MAGIC || table.getUint32(4, true) !== tableBytes - 8) {
    throw damaged('the frame table does not start where it should')
  }
  const frames: Frame[] = []
  let offset = 0
  for (let i = 0; i < count; i++) {
    const compressedBytes = table.getUint32(8 + ENTRY_BYTES * i, true)
    const textBytes = table.getUint32(12 + ENTRY_BYTES * i, true)
    if (textBytes > FRAME_RECORDS * MAX_LINE_BYTES)
      throw damaged('a frame claims to be longer than any may be')
    frames.push({ offset, compressedBytes, textBytes })
    offset += compressedBytes
  }
  if (offset !== fileBytes - tableBytes) throw damaged('the frames do not fill the file')
  return frames
}

/** The text of one frame. */
export async function readFrame(read: ReadBytes, frame: Frame, decompress: Decompress): Promise<string> {
  const bytes = expandFrame(await read(frame.offset, frame.compressedBytes), frame, decompress)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw damaged('a frame does not decompress to text', cause)
  }
}

/** The bytes of the text of one frame, out of those in the file. */
export function expandFrame(bytes: Uint8Array, frame: Frame, decompress: Decompress): Uint8Array {
  if (bytes.length !== frame.compressedBytes) throw damaged('the file ends within a frame')
  let text: Uint8Array
  try {
    text = decompress(bytes, frame.textBytes)
  } catch (cause) {
    throw damaged('a frame does not decompress', cause)
  }
  if (text.length !== frame.textBytes) throw damaged('a frame is not as long as the table says')
  return text
}

/** Splits the text of a frame into its lines, each of which ends with a line feed. */
export function frameLines(text: string): string[] {
  const lines = text.split('\n')
  if (lines.pop() !== '') throw damaged('a frame does not end with its line')
  return lines
}

/**
 * Cuts lines into frames of 256.
 *
 * @param lines UTF-8, each with its line feed
 * @throws {InputError} `TOO_LARGE` for a line that no reader would take
 */
export function framesOf(lines: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = []
  let [frameStart, lineStart, count] = [0, 0, 0]
  while (lineStart < lines.length) {
    const feed = lines.indexOf(LINE_FEED, lineStart)
    const end = feed === -1 ? lines.length : feed + 1
    count++
    if (end - lineStart > MAX_LINE_BYTES) {
      throw new InputError('TOO_LARGE', `a line of a batch has at most ${MAX_LINE_BYTES - 1} bytes`, {
        line: count,
      })
    }
    lineStart = end
    if (count % FRAME_RECORDS === 0 || lineStart === lines.length) {
      frames.push(lines.subarray(frameStart, lineStart))
      frameStart = lineStart
    }
  }
  return frames
}

function viewOf(bytes: Uint8Array, length: number): DataView {
  if (bytes.length !== length) throw damaged('the file is too short')
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const damaged = (message: string, cause?: unknown) =>
  new OperationError('STORE_DAMAGED', message, { cause, retryable: false })
