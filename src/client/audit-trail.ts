import { randomUUID } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import { countRequestBytes, countResponseBytes } from './body-bytes.ts'
import type { RecordInput } from './tidemark.ts'
import { newTraceparent, readTraceparent } from './traceparent.ts'

/** A text, or what finds it once the response is over. */
type Told = string | ((request: Request, response: Response) => string)

/** Members of a call that only the service knows (docs/format.md, section 4); `person`, `agent` and `note` are sealed. */
export interface CallDetails {
  purpose?: string
  legalBasis?: string
  sharing?: 'unconditional' | 'conditional' | 'prohibited'
  level?: string
  authorization?: string
  rows?: number
  person?: string
  agent?: string
  note?: string
}

export interface AuditTrailOptions {
  /** who calls, and who answers */
  consumer: Told
  provider: Told
  /** the data resource's id in the catalogue */
  subject: Told
  /** the method and the route's pattern when left out: never the path itself, which may name a person */
  operation?: Told
  /** shared with the other side of the call; the header `x-request-id` when left out, or a new one */
  requestId?: Told
  /** provider when left out */
  side?: 'provider' | 'consumer'
  details?: (request: Request, response: Response) => CallDetails
  /** told of each call that could not be recorded; Node prints warnings when left out */
  onError?: (error: unknown) => void
  /** milliseconds that only grow */
  elapsed?: () => number
}

/**
 * Express middleware that records every call of a service, however it ends; put it before the routes.
 *
 * The response never waits for the record, and no failure here reaches the caller. A valid `traceparent` is kept, an
 * invalid or missing one is replaced in `request.headers`, so that calls further on carry the one that is recorded.
 *
 * Outcome: success for 2xx and 3xx, refused for 401 and 403, failed for others and for a response that was cut off,
 * whose status is then `aborted`.
 */
export function auditTrail(
  ledger: { record(event: RecordInput): Promise<unknown> },
  {
    side = 'provider',
    details = () => ({}),
    onError = warn,
    elapsed = () => performance.now(),
    operation = routeOf,
    requestId = requestIdOf,
    ...told
  }: AuditTrailOptions,
): RequestHandler {
  /** @throws what an option throws, and {InputError} when what it finds fits no record */
  async function recordCall(request: Request, response: Response, measured: object): Promise<void> {
    const tell = (value: Told) => (typeof value === 'string' ? value : value(request, response))
    await ledger.record({
      type: 'tidemark.call.v1',
      subject: tell(told.subject),
      ...(request.headers.traceparent !== undefined && { traceparent: String(request.headers.traceparent) }),
      data: {
        side,
        consumer: tell(told.consumer),
        provider: tell(told.provider),
        operation: tell(operation),
        requestId: tell(requestId),
        ...details(request, response),
        ...endOf(response),
        ...measured,
      },
    })
  }

  return (request, response, next) => {
    const startedAt = elapsed()
    propagateTrace(request)
    const requestBytes = countRequestBytes(request)
    const responseBytes = countResponseBytes(response)
    response.once('close', () => {
      const durationMs = Math.max(0, Math.round(elapsed() - startedAt))
      const measured = { durationMs, requestBytes: requestBytes(), responseBytes: responseBytes() }
      // Not even an `onError` that throws may end the service.
      recordCall(request, response, measured).catch(onError).catch(warn)
    })
    next()
  }
}

function propagateTrace(request: Request): void {
  const { headers } = request
  const valid = readTraceparent(headers.traceparent?.toString())
  headers.traceparent = valid ?? newTraceparent()
  // W3C Trace Context, section 3.3: without a valid traceparent there is no tracestate.
  if (valid === undefined) delete headers.tracestate
}

/** Cut off: the connection ended before everything was handed to it. */
function endOf(response: Response): { outcome: string; status: string } {
  const { statusCode } = response
  if (!response.writableFinished) return { outcome: 'failed', status: 'aborted' }
  const refused = statusCode === 401 || statusCode === 403
  const outcome = refused ? 'refused' : statusCode >= 200 && statusCode < 400 ? 'success' : 'failed'
  return { outcome, status: String(statusCode) }
}

function routeOf(request: Request): string {
  const pattern: unknown = request.route?.path
  return pattern === undefined ? request.method : `${request.method} ${String(pattern)}`.slice(0, 256)
}

function requestIdOf(request: Request): string {
  const given = request.get('x-request-id')
  return given !== undefined && given.length > 0 && given.length <= 128 ? given : randomUUID()
}

const warn = (error: unknown) => process.emitWarning(`a call was not recorded: ${error}`)
