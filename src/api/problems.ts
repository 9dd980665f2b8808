import type { ErrorRequestHandler, Response } from 'express'
import {
  type InputCode,
  InputError,
  type OperationCode,
  OperationError,
  VerificationError,
} from '../errors.ts'

/** HTTP status and title of each code, as RFC 9457 problems. */
const INPUT: Record<InputCode, [status: number, title: string]> = {
  BAD_ARGUMENT: [400, 'A parameter is wrong'],
  BAD_BODY: [400, 'The body cannot be read'],
  BAD_JSON: [400, 'The body is not the JSON that its type announces'],
  BAD_RECORD: [422, 'A record does not fit its type'],
  BAD_DISCLOSURE: [422, 'A disclosure does not fit its record'],
  BAD_BUNDLE: [400, 'Not a Tidemark bundle'],
  BAD_CONFIG: [500, 'The server is not set up'],
  EMPTY_SUBMISSION: [400, 'The submission is empty'],
  MIXED_SOURCES: [422, 'A submission has one source'],
  DUPLICATE_ID: [422, 'An id stands twice in the submission'],
  SEQUENCE_CONFLICT: [409, 'This sequence holds other content'],
  SEQUENCE_GAP: [409, 'This is not the next sequence'],
  TOO_LARGE: [413, 'Too large'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'This media type is not taken'],
  NOT_FOUND: [404, 'Not found'],
  NOT_READY: [409, 'Not ready yet'],
  NOT_ANCHORED: [404, 'Not in the ledger'],
  HISTORY_INCOMPLETE: [409, 'Not every batch is verified'],
  UNKNOWN_SOURCE: [403, 'This source is not registered'],
  BAD_SIGNATURE: [400, 'The signature cannot be read'],
  ROOT_MISMATCH: [422, 'The body is not what was signed'],
  WRONG_KEY: [403, 'Not a key of this source'],
  NO_CREDENTIALS: [401, 'A signature or a token is needed'],
  BAD_TOKEN: [401, 'This token is not known, or revoked'],
  WRONG_SOURCE: [403, 'This token is of another source'],
  WRONG_ROLE: [403, 'This token is for something else'],
  NO_BATCH_FILES: [403, 'Batch files are not given out'],
  NO_EVIDENCE: [404, 'There is no evidence'],
  NO_RIGHTS: [404, 'Nobody decides on calls here'],
  BAD_RANGE: [416, 'There is no such range'],
  PRECONDITION_FAILED: [412, 'The file is another'],
  ALERT_CLOSED: [409, 'The alert is closed'],
}

const OPERATION: Partial<Record<OperationCode, [status: number, title: string]>> = {
  OVERLOADED: [503, 'Too much is waiting'],
  STARTING: [503, 'The server is starting'],
  SHUTTING_DOWN: [503, 'The server is shutting down'],
  CHAIN_STALLED: [503, 'The chain takes nothing'],
  STORE_FAILED: [503, 'The disk failed'],
  RPC_UNREACHABLE: [503, 'The chain cannot be reached'],
  RPC_LAGS: [503, 'The chain lags'],
}

/** A chain that has stalled for minutes will not be back within a second. */
const RETRY_AFTER_SECONDS: Partial<Record<string, string>> = { CHAIN_STALLED: '30' }

/** The body of a problem document. */
export interface Problem {
  type: string
  title: string
  status: number
  code: string
  detail: string
  /** names the request, as its answer's `X-Request-Id` does */
  instance?: string
  line?: number
  pointer?: string
}

/** What an error says to the outside; of a fault of ours, nothing but that it happened. */
export function toProblem(error: unknown): Problem {
  if (error instanceof InputError) {
    const [status, title] = INPUT[error.code]
    return { ...problem(error.code, status, title, error.message), ...error.place }
  }
  if (error instanceof OperationError) {
    const [status, title] = OPERATION[error.code] ?? [500, 'The server failed']
    return problem(error.code, status, title, error.message)
  }
  if (error instanceof VerificationError)
    return problem(error.code, 500, 'A stored proof is refuted', error.message)
  return problem('INTERNAL', 500, 'The server failed', 'this is a fault of the server, not yours')
}

const problem = (code: string, status: number, title: string, detail: string): Problem => ({
  type: `urn:tidemark:problem:${code.toLowerCase().replaceAll('_', '-')}`,
  title,
  status,
  code,
  detail,
})

function sendProblem(response: Response, found: Problem): void {
  if (found.status === 503 || found.code === 'NOT_READY') {
    response.set('Retry-After', RETRY_AFTER_SECONDS[found.code] ?? '1')
  }
  if (found.status === 401) response.set('WWW-Authenticate', 'Bearer')
  response.status(found.status).type('application/problem+json').send(JSON.stringify(found))
}

/** The last handler: every error becomes a problem document, and those that are ours are told to `onFault`. */
export const problemHandler =
  (onFault: (error: unknown, requestId: string) => void): ErrorRequestHandler =>
  (error, _request, response, next) => {
    const requestId = String(response.locals.requestId)
    const found = { ...toProblem(error), instance: `urn:tidemark:request:${requestId}` }
    response.locals.problem = found.code
    if (found.status >= 500 && found.status !== 503) onFault(error, requestId)
    if (response.headersSent) next(error)
    else sendProblem(response, found)
  }
