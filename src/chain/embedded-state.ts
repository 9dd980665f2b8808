import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { OperationError } from '../errors.ts'

const OPENING = /^\s*\{[^{}[\]]*?"result"\s*:\s*"0x/
const LONGEST_OPENING = 256

/**
 * Unpacks a saved chain into a file that anvil reads, and checks gzip's checksum on the way.
 *
 * @throws {OperationError} `STORE_DAMAGED` naming the file
 */
export async function unpackState(stateFile: string, unpackedFile: string): Promise<void> {
  try {
    await pipeline(
      createReadStream(stateFile),
      createGunzip(),
      createWriteStream(unpackedFile, { mode: 0o600 }),
    )
  } catch (cause) {
    await rm(unpackedFile, { force: true })
    const zlib = cause instanceof Error && 'code' in cause && String(cause.code).startsWith('Z_')
    if (zlib) throw damagedState(stateFile, cause)
    throw new OperationError('STORE_FAILED', `cannot read the embedded chain's state ${stateFile}`, { cause })
  }
}

export function damagedState(stateFile: string, cause: unknown): OperationError {
  return new OperationError(
    'STORE_DAMAGED',
    `the embedded chain's state ${stateFile} is damaged: restore it from a copy`,
    { cause, retryable: false },
  )
}

export async function stateExists(stateFile: string): Promise<boolean> {
  try {
    return (await stat(stateFile)).isFile()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw new OperationError('STORE_FAILED', `cannot read the embedded chain's state ${stateFile}`, {
      cause: error,
    })
  }
}

/** A dump on disk, not yet in the place of the state file. */
export interface WrittenDump {
  /** Puts it in place; it outlives a crash when this returns. */
  commit(): Promise<void>
  discard(): Promise<void>
}

/**
 * Asks anvil for its whole chain (gzipped JSON, as a hexadecimal string) and writes it beside the state file, synced.
 *
 * Decoded piece by piece as it arrives, because a long chain's dump would hold up everything else as one string.
 */
export async function writeDump(url: string, stateFile: string, timeoutMs: number): Promise<WrittenDump> {
  const temporary = `${stateFile}.tmp`
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'anvil_dumpState', params: [] }),
    signal: AbortSignal.timeout(timeoutMs),
  })
  const file = await open(temporary, 'w', 0o600)
  try {
    for await (const bytes of decodeDump(response.body ?? [])) await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  return {
    commit: async () => {
      await rename(temporary, stateFile)
      await syncDirectory(dirname(stateFile))
    },
    discard: () => rm(temporary, { force: true }),
  }
}

/** The bytes of the JSON-RPC answer's result. */
async function* decodeDump(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Buffer> {
  let state: 'opening' | 'digits' | 'closed' = 'opening'
  let rest = ''
  for await (const chunk of body) {
    if (state === 'closed') continue
    rest += Buffer.from(chunk).toString('latin1')
    if (state === 'opening') {
      const opening = OPENING.exec(rest)
      if (opening === null) {
        if (rest.length > LONGEST_OPENING) break
        continue
      }
      rest = rest.slice(opening[0].length)
      state = 'digits'
    }
    const quote = rest.indexOf('"')
    if (quote >= 0) state = 'closed'
    const digits = quote >= 0 ? quote : rest.length - (rest.length % 2)
    const bytes = Buffer.from(rest.slice(0, digits), 'hex')
    if (bytes.length * 2 !== digits)
      throw new OperationError('RPC_MALFORMED', "the embedded chain's dump is not hex")
    rest = rest.slice(digits)
    yield bytes
  }
  if (state !== 'closed') throw new OperationError('RPC_MALFORMED', "the embedded chain's dump is cut off")
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
