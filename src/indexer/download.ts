import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { OperationError } from '../errors.ts'
import { syncDirectory } from '../store/durable.ts'

/** How long a publisher's server may take, in milliseconds. */
export interface DownloadTimeouts {
  /** until its answer begins */
  answerMs: number
  /** without a byte of it */
  idleMs: number
  /** for a whole file, besides the time that its largest size takes at `leastBytesPerSecond` */
  fileMs: number
  /** whoever sends more slowly is cut off in the end, however regularly something comes */
  leastBytesPerSecond: number
}

export const DEFAULT_DOWNLOAD_TIMEOUTS: DownloadTimeouts = {
  answerMs: 10_000,
  idleMs: 15_000,
  fileMs: 30_000,
  leastBytesPerSecond: 64 * 1024,
}

export interface Download {
  url: URL
  /** bearer token */
  token?: string
  path: string
  maxBytes: number
  timeouts: DownloadTimeouts
  /** ends it early */
  signal: AbortSignal
}

const MAX_REDIRECTS = 3

/**
 * Fetches a file from a server that nobody trusts, and syncs it; it is at `path` whole or not at all.
 *
 * Follows redirects within the server's own origin only, so that a token goes nowhere else.
 *
 * @throws {OperationError} `PUBLISHER_UNREACHABLE`: retryable when it does not answer, stalls, breaks off or fails, not
 *   so when it does not give the file out or gives something else; `STORE_FAILED` when the disk fails
 */
export async function download(job: Download): Promise<void> {
  const { url, timeouts, maxBytes, signal } = job
  const budgetMs = timeouts.fileMs + (1_000 * maxBytes) / timeouts.leastBytesPerSecond
  // One signal for all that can end it; the reason says which.
  const late = new AbortController()
  const end = () => late.abort(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  const whole = setTimeout(
    () => late.abort(new Error('it sends too slowly')),
    Math.min(budgetMs, 2 ** 31 - 1),
  )
  const stalled = startIdle(timeouts.answerMs, () => late.abort(new Error('it stalls')))
  try {
    signal.throwIfAborted()
    const response = await request(job, late.signal)
    await save(response, job, () => stalled.restart(timeouts.idleMs))
  } catch (cause) {
    if (cause instanceof OperationError) throw cause
    if (cause instanceof Error && 'syscall' in cause) throw ours(job.path, cause)
    const reason = late.signal.aborted ? late.signal.reason : cause
    throw unreachable(url, (reason as Error).message, cause)
  } finally {
    signal.removeEventListener('abort', end)
    clearTimeout(whole)
    stalled.stop()
    // Whatever is still open is not wanted any more.
    late.abort()
  }
}

async function request({ url, token }: Download, signal: AbortSignal): Promise<Response> {
  let target = url
  for (let followed = 0; ; followed++) {
    const response = await fetch(target.href, {
      // What is compressed expands without a bound that we set.
      headers: {
        'accept-encoding': 'identity',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      redirect: 'manual',
      signal,
    })
    const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null
    if (location === null) return expectFile(response, url)
    await response.body?.cancel()
    const next = URL.canParse(location, target.href) ? new URL(location, target.href) : undefined
    if (next?.origin !== url.origin || followed === MAX_REDIRECTS) {
      throw refused(url, `it sends us to ${next?.origin ?? 'nowhere'}`)
    }
    target = next
  }
}

async function expectFile(response: Response, url: URL): Promise<Response> {
  const { status, headers } = response
  if (status === 200 && headers.get('content-encoding') === null) return response
  await response.body?.cancel()
  if (status === 429 || status >= 500) throw unreachable(url, `HTTP status ${status}`)
  if (status === 401 || status === 403)
    throw refused(url, `HTTP status ${status}: it wants a token that it knows`)
  throw refused(url, status === 200 ? 'it sends the file compressed, unasked' : `HTTP status ${status}`)
}

async function save(response: Response, { url, path, maxBytes }: Download, alive: () => void): Promise<void> {
  const part = `${path}.part`
  const handle = await open(part, 'w')
  try {
    let size = 0
    for await (const chunk of response.body ?? []) {
      alive()
      size += chunk.length
      if (size > maxBytes)
        throw refused(url, `it sends more than the ${maxBytes} bytes that the file can have`)
      await handle.writeFile(chunk)
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(part, path)
  await syncDirectory(dirname(path))
}

function startIdle(ms: number, onIdle: () => void) {
  let timer = setTimeout(onIdle, ms)
  return {
    restart(nextMs: number) {
      clearTimeout(timer)
      timer = setTimeout(onIdle, nextMs)
    },
    stop: () => clearTimeout(timer),
  }
}

/** `fetch` wraps what befalls the connection: what comes bare is the disk's. */
const ours = (path: string, cause: Error) =>
  new OperationError('STORE_FAILED', `could not write ${path}: ${cause.message}`, { cause })

/** Paths are named in full: they hold nothing secret, and whoever reads the alert can ask for the same file. */
const unreachable = (url: URL, reason: string, cause?: unknown) =>
  new OperationError('PUBLISHER_UNREACHABLE', `${bare(url)}: ${reason}`, { cause })

const refused = (url: URL, reason: string) =>
  new OperationError('PUBLISHER_UNREACHABLE', `${bare(url)}: ${reason}`, { retryable: false })

const bare = ({ origin, pathname }: URL): string => `${origin}${pathname}`
