import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { OperationError } from '../errors.ts'
import { toProblem } from './problems.ts'

/** A server that has its port, and says that it is starting until it is given an application. */
export interface Listening {
  url: string
  serve(application: RequestListener): void
  /** Takes no new connections; those in use get their answer, then `closeAll` ends what is left. */
  close(): void
  /** Also when nothing was closed before, as after a start that failed. */
  closeAll(): void
}

/**
 * @param port 0 for any free one
 * @throws {OperationError} `PORT_IN_USE` naming the port, or `STORE_FAILED`
 */
export async function listen(host: string, port: number): Promise<Listening> {
  let application: RequestListener = answerStarting
  const server = createServer((request, response) => application(request, response))
  await bind(server, host, port)
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    serve(next) {
      application = next
    },
    close() {
      server.close()
      server.closeIdleConnections()
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
  response.writeHead(problem.status, { 'content-type': 'application/problem+json', 'retry-after': '1' })
  response.end(JSON.stringify(problem))
}
