import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { OperationError } from '../errors.ts'
import { GUARDS } from './pages.ts'
import { toProblem } from './problems.ts'

/** A server that has its port, and says that it is starting until it is given an application. */
export interface Listening {
  url: string
  serve(application: RequestListener): void
  /** Takes no new connections; those in use get their answer, then `closeAll` ends what is left. */
  close(): void
  /** Resolves when no request waits for its answer any more, or after a while. */
  answered(graceMs: number): Promise<void>
  /** Also when nothing was closed before, as after a start that failed. */
  closeAll(): void
}

/** How long a client may take, in milliseconds; whoever takes longer is answered 408 and cut off. */
export interface ClientTimeouts {
  /** for the head of a request: a few hundred bytes, which no line needs seconds for */
  headersMs: number
  /** for a whole request: the largest body of 32 MiB arrives in time on a line of 5 Mbit/s */
  requestMs: number
  /** for the next request on a connection: longer than the pause of a proxy's pool, or the two race */
  keepAliveMs: number
  /** without a byte in either direction: whoever does not read an answer is cut off */
  idleMs: number
}

const DEFAULT_TIMEOUTS: ClientTimeouts = {
  headersMs: 10_000,
  requestMs: 60_000,
  keepAliveMs: 75_000,
  idleMs: 120_000,
}

const ANSWERED_POLL_MS = 10

/** Node looks for late clients so many times within the shortest time that it gives them. */
const CHECKS_PER_TIMEOUT = 4

/**
 * @param port 0 for any free one
 * @throws {OperationError} `PORT_IN_USE` naming the port, or `STORE_FAILED`
 */
export async function listen(
  host: string,
  port: number,
  timeouts: ClientTimeouts = DEFAULT_TIMEOUTS,
): Promise<Listening> {
  let application: RequestListener = answerStarting
  let open = 0
  let closing = false
  const server = createServer(
    {
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      keepAliveTimeout: timeouts.keepAliveMs,
      connectionsCheckingInterval: Math.ceil(
        Math.min(timeouts.headersMs, timeouts.requestMs) / CHECKS_PER_TIMEOUT,
      ),
    },
    (request, response) => {
      open++
      response.once('close', () => open--)
      if (closing) response.setHeader('Connection', 'close')
      application(request, response)
    },
  )
  server.setTimeout(timeouts.idleMs)
  server.on('clientError', refuseClient)
  await bind(server, host, port)
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    serve(next) {
      application = next
    },
    close() {
      closing = true
      server.close()
      server.closeIdleConnections()
    },
    async answered(graceMs) {
      const late = AbortSignal.timeout(graceMs)
      while (open > 0 && !late.aborted) await delay(ANSWERED_POLL_MS)
    },
    closeAll() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const inUse = cause.code === 'EADDRINUSE'
      const message = inUse
        ? `port ${port} is in use: end what listens there, or choose another with --port`
        : `cannot listen on ${host} port ${port}: ${cause.message}`
      reject(new OperationError(inUse ? 'PORT_IN_USE' : 'STORE_FAILED', message, { cause, retryable: false }))
    })
    server.listen(port, host, resolve)
  })
}

const answerStarting: RequestListener = (_request, response) => {
  const problem = toProblem(new OperationError('STARTING', 'the server is starting; try again soon'))
  response.writeHead(problem.status, {
    ...GUARDS,
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    'Retry-After': '1',
  })
  response.end(JSON.stringify(problem))
}

/** What cannot be read as a request at all: its sender is told why, and cut off. */
function refuseClient(cause: NodeJS.ErrnoException, socket: Duplex): void {
  if (cause.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [line, code, detail] =
    cause.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? ['408 Request Timeout', 'TOO_SLOW', 'the request took too long to arrive']
      : cause.code === 'HPE_HEADER_OVERFLOW'
        ? ['431 Request Header Fields Too Large', 'TOO_LARGE', 'the head of the request is too long']
        : ['400 Bad Request', 'BAD_REQUEST', 'this is not HTTP']
  const problem = {
    type: `urn:tidemark:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: line.slice(4),
    status: Number(line.slice(0, 3)),
    code,
    detail,
  }
  const headers = { ...GUARDS, 'Content-Type': 'application/problem+json', Connection: 'close' }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${line}\r\n${head.join('')}\r\n${JSON.stringify(problem)}`)
}
