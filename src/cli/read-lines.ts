import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { readRecord, type SourceLine } from '../client/send.ts'
import { fromXroad, parseXroad, type XroadRow } from '../client/xroad.ts'
import { InputError } from '../errors.ts'
import { parseBundle } from '../proof/index.ts'

/** The records of a file, or of standard input when it is `-`; one JSON record a line. */
export async function* readRecordLines(path: string, input: Readable): AsyncGenerator<SourceLine> {
  for await (const { line, value } of readJsonLines(path, input)) yield readRecord(value, line)
}

/** The JSON values of a file, or of standard input when it is `-`, one a line. */
export async function* readJsonLines(
  path: string,
  input: Readable,
): AsyncGenerator<{ line: number; value: unknown }> {
  let line = 0
  for await (const text of splitLines(path, path === '-' ? input : createReadStream(path))) {
    line++
    if (text.trim() !== '') yield { line, value: parseJson(text, line) }
  }
}

/** No more of a line than this is held in memory; no record is as long. */
const MAX_LINE_LENGTH = 1024 * 1024

async function* splitLines(path: string, stream: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  try {
    for await (const chunk of stream) {
      const lines = `${rest}${decoder.decode(chunk as Uint8Array, { stream: true })}`.split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > MAX_LINE_LENGTH)
        throw new RangeError(`a line is longer than ${MAX_LINE_LENGTH} characters`)
      yield* lines
    }
    yield `${rest}${decoder.decode()}`
  } catch (cause) {
    if (cause instanceof InputError) throw cause
    throw cannotRead(path, cause)
  }
}

/** The rows of an X-Road operational-monitoring file as calls. */
export async function readXroadLines(path: string, input: Readable): Promise<SourceLine[]> {
  const rows = await readXroadRows(path, input)
  return rows.map(({ line, value }) => ({ line, record: fromXroad(value, line) }))
}

/** The rows of an X-Road operational-monitoring file, not yet checked. */
export const readXroadRows = async (path: string, input: Readable): Promise<XroadRow[]> =>
  parseXroad(await readText(path, input))

/** A whole file, or standard input when it is `-`. */
async function readText(path: string, input: Readable): Promise<string> {
  let bytes: Uint8Array
  try {
    bytes = path === '-' ? await buffer(input) : await readFile(path)
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
export const readBundle = async (file: string): Promise<unknown> =>
  parseBundle(await readText(file, process.stdin), file)

function parseJson(content: string, line: number): unknown {
  try {
    return JSON.parse(content)
  } catch (cause) {
    throw new InputError('BAD_JSON', `line ${line}: ${(cause as Error).message}`, { line }, { cause })
  }
}

const cannotRead = (path: string, cause: unknown) =>
  new InputError('BAD_ARGUMENT', `cannot read ${path}: ${(cause as Error).message}`, {}, { cause })
