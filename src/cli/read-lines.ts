import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { readRecord, type SourceLine } from '../client/send.ts'
import { fromXroad, parseXroad } from '../client/xroad.ts'
import { InputError } from '../errors.ts'

/** The records of a file, or of standard input when it is `-`; one JSON record a line. */
export async function* readRecordLines(path: string, input: Readable): AsyncGenerator<SourceLine> {
  const stream: Readable = path === '-' ? input : createReadStream(path)
  const failed = new Promise<never>((_, reject) =>
    stream.once('error', (cause) => reject(cannotRead(path, cause))),
  )
  // Only the race below listens to it.
  failed.catch(() => undefined)
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })[
    Symbol.asyncIterator
  ]()
  for (let line = 1; ; line++) {
    const next = await Promise.race([lines.next(), failed])
    if (next.done === true) return
    if (next.value.trim() !== '') yield readRecord(parseJson(next.value, line), line)
  }
}

/** The rows of an X-Road operational-monitoring file as calls. */
export async function readXroadLines(path: string, input: Readable): Promise<SourceLine[]> {
  return parseXroad(await readText(path, input)).map(({ line, value }) => ({
    line,
    record: fromXroad(value, line),
  }))
}

/** A whole file, or standard input when it is `-`. */
async function readText(path: string, input: Readable): Promise<string> {
  let bytes: Uint8Array
  try {
    if (path === '-') return await text(input)
    bytes = await readFile(path)
  } catch (cause) {
    throw cannotRead(path, cause)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new InputError('BAD_JSON', `${path} is not UTF-8`, {}, { cause })
  }
}

/** A file as parsed JSON. */
export async function readBundle(file: string): Promise<unknown> {
  return parseBundle(await readText(file, process.stdin), file)
}

function parseBundle(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new InputError(
      'BAD_BUNDLE',
      `${file} is not JSON, perhaps cut off: ${(cause as Error).message}`,
      {},
      { cause },
    )
  }
}

function parseJson(content: string, line: number): unknown {
  try {
    return JSON.parse(content)
  } catch (cause) {
    throw new InputError('BAD_JSON', `line ${line}: ${(cause as Error).message}`, { line }, { cause })
  }
}

const cannotRead = (path: string, cause: unknown) =>
  new InputError('BAD_ARGUMENT', `cannot read ${path}: ${(cause as Error).message}`, {}, { cause })
