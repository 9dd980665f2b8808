import { randomUUID } from 'node:crypto'
import type { Request, RequestHandler } from 'express'

/** One answered request, for metrics and logs: nothing of its content, not even its query. */
export interface RequestSummary {
  requestId: string
  method: string
  /** the pattern that took it, or `none`: there are few of them, whatever is asked for */
  route: string
  /** 499 when the client left before it was answered */
  status: number
  /** the code of the problem that it was answered with */
  problem?: string
  durationMs: number
}

const SANE_ID = /^[\w.:-]{1,128}$/
const METHODS = ['GET', 'HEAD', 'POST']
const CLIENT_LEFT = 499

/**
 * Gives every request an id, the client's own if it sent a sane one, and tells `onRequest` of it in the end.
 *
 * @param now milliseconds of any steady clock
 */
export function trackRequests(
  onRequest: (summary: RequestSummary) => void,
  now: () => number,
): RequestHandler {
  return (request, response, next) => {
    const given = request.get('x-request-id')
    const requestId = given !== undefined && SANE_ID.test(given) ? given : randomUUID()
    response.locals.requestId = requestId
    response.set('X-Request-Id', requestId)
    const startedAt = now()
    response.once('close', () => {
      const problem: unknown = response.locals.problem
      onRequest({
        requestId,
        method: METHODS.includes(request.method) ? request.method : 'other',
        route: routeOf(request),
        status: response.writableFinished ? response.statusCode : CLIENT_LEFT,
        ...(typeof problem === 'string' && { problem }),
        durationMs: now() - startedAt,
      })
    })
    next()
  }
}

/** Express sets `route` once a route has taken the request. */
function routeOf({ route }: Request): string {
  const { path } = Object(route) as { path?: unknown }
  return typeof path === 'string' ? path : 'none'
}
