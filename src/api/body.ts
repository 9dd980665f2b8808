import { promisify } from 'node:util'
import { constants, gunzip, type ZlibOptions, type ZstdOptions, zstdDecompress } from 'node:zlib'
import type { Request, RequestHandler } from 'express'
import { InputError, OperationError } from '../errors.ts'
import type { BytesInFlight, Held } from './bytes-in-flight.ts'

/** What a body may be compressed with. */
const ENCODINGS = ['gzip', 'zstd'] as const
type Encoding = (typeof ENCODINGS)[number]

/** So many bodies are expanded at once: each may take its window of up to 8 MiB, and the largest body, on top. */
const EXPANDED_AT_ONCE = 2

/**
 * Reads the body of a request into `request.body`, expanded.
 *
 * A body is received whole before any of it is expanded, so that a slow client holds no decompressor.
 *
 * @param limit bytes that a body has at most, as it comes and expanded
 * @throws {InputError} `TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE` or `BAD_BODY`
 * @throws {OperationError} `OVERLOADED`
 */
export function readBody(limit: number, inFlight: BytesInFlight): RequestHandler {
  const enter = createGate(EXPANDED_AT_ONCE)
  return async (request, response, next) => {
    const held = inFlight.hold()
    response.once('finish', held.release).once('close', held.release)
    try {
      const encoding = encodingOf(request)
      const announced = Number(request.get('content-length') ?? 0)
      if (announced > limit) throw tooLarge(limit)
      inFlight.expectRoom(announced)
      const body = await receive(request, limit, held)
      request.body = encoding === undefined ? body : await enter(() => expand(body, encoding, limit))
      if (encoding !== undefined) held.add(request.body.length)
    } catch (cause) {
      // What still comes of it is read and dropped, until the time for a request is over: a client that is cut off
      // while it sends never sees its answer.
      request.resume()
      if (cause instanceof InputError && cause.code === 'UNSUPPORTED_MEDIA_TYPE') {
        response.set('Accept-Encoding', ENCODINGS.join(', '))
      }
      throw cause
    }
    next()
  }
}

function encodingOf(request: Request): Encoding | undefined {
  const name = request.get('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (name === 'identity') return undefined
  const found = ENCODINGS.find((encoding) => encoding === name || `x-${encoding}` === name)
  if (found !== undefined) return found
  throw new InputError(
    'UNSUPPORTED_MEDIA_TYPE',
    `a body may be compressed with ${ENCODINGS.join(' or ')}, not with ${name}`,
  )
}

async function receive(request: Request, limit: number, held: Held): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += chunk.length
      if (size > limit) throw tooLarge(limit)
      held.add(chunk.length)
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof InputError || cause instanceof OperationError) throw cause
    throw new InputError('BAD_BODY', 'the body ended before it was whole', {}, { cause })
  }
  return Buffer.concat(chunks, size)
}

/** With `info`, Node answers with the engine as well, which its types do not know. */
interface Expanded {
  buffer: Buffer
  engine: { bytesWritten: number }
}

const EXPAND: Record<Encoding, (body: Buffer, options: ZlibOptions & ZstdOptions) => Promise<Buffer>> = {
  gzip: promisify<Buffer, ZlibOptions, Buffer>(gunzip),
  zstd: promisify<Buffer, ZstdOptions, Buffer>(zstdDecompress),
}

/** RFC 9659: a zstd window has at most 8 MiB in HTTP. */
const ZSTD_WINDOW_LOG = 23

async function expand(body: Buffer, encoding: Encoding, limit: number): Promise<Buffer> {
  const options = {
    maxOutputLength: limit,
    info: true,
    ...(encoding === 'zstd' && { params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } }),
  }
  let expanded: Expanded
  try {
    expanded = (await EXPAND[encoding](body, options)) as unknown as Expanded
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit)
    throw new InputError('BAD_BODY', `the body is not what ${encoding} makes: ${message}`, {}, { cause })
  }
  // Node's zstd stops at the end of the first frame, and says nothing of those after it.
  if (expanded.engine.bytesWritten !== body.length) {
    throw new InputError(
      'BAD_BODY',
      `${encoding} data ends after ${expanded.engine.bytesWritten} of the body's ${body.length} bytes: send one frame`,
    )
  }
  return expanded.buffer
}

const tooLarge = (limit: number) =>
  new InputError('TOO_LARGE', `a body has at most ${limit} bytes, expanded as well`)

/** Lets so many pieces of work run at once; the others wait for their turn. */
function createGate(most: number) {
  let running = 0
  const waiting: (() => void)[] = []
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running === most) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
