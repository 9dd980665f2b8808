import { type Hex, isHex } from '../bytes/hex.ts'
import { readUint64 } from '../bytes/integer.ts'
import { InputError, OperationError } from '../errors.ts'
import { type AuthorizationAnswer, parseAuthorizationAnswer } from './authorization.ts'

/** A problem document (RFC 9457) that the server answered with. */
export class ProblemError extends InputError {
  readonly status: number
  readonly problem: Record<string, unknown>

  constructor(status: number, problem: Record<string, unknown>) {
    const { detail, title, line, pointer } = problem
    super('BAD_ARGUMENT', String(detail ?? title ?? `HTTP ${status}`), {
      ...(typeof line === 'number' && { line }),
      ...(typeof pointer === 'string' && { pointer }),
    })
    this.status = status
    this.problem = problem
  }
}

/** The gateway is away, or asks to be left alone for a while. */
export class GatewayAwayError extends OperationError {
  /** from its Retry-After */
  readonly retryAfterMs: number

  constructor(
    message: string,
    { retryAfterMs = 0, ...options }: ErrorOptions & { retryAfterMs?: number } = {},
  ) {
    super('GATEWAY_UNREACHABLE', message, options)
    this.retryAfterMs = retryAfterMs
  }
}

/** Whose receipts a gateway gives, and for which ledger: the domain of every signature. */
export interface GatewayIdentity {
  chainId: bigint
  ledger: Hex
  publisher: Hex
}

/** The gateway's HTTP API as its clients call it. */
export interface GatewayApi {
  /** Whose gateway it is, and how many headers of the ledger it knows. */
  identity(): Promise<GatewayIdentity & { size: bigint; lagging: boolean }>
  nextSequence(source: string): Promise<bigint>
  /**
   * Sending the same body again under the same `tidemark-sequence` is harmless.
   *
   * @returns the receipt as it came, not yet verified
   */
  submit(body: Uint8Array, headers: Record<string, string>): Promise<unknown>
  submissionState(source: string, sequence: string): Promise<string>
  /**
   * The proof that a submission is on the chain, parsed JSON; undefined when the gateway says that it is not there.
   *
   * @throws {OperationError} `NOT_FINAL` while its block is not final
   */
  submissionProof(source: string, sequence: bigint): Promise<unknown>
  /**
   * Whether a use is allowed; counting it twice is not harmless.
   *
   * @param question the body of POST /v1/decisions
   */
  decide(question: Readonly<Record<string, unknown>>): Promise<AuthorizationAnswer>
  /**
   * All records under some keys, newest first, page after page.
   *
   * @param query the parameters of GET /v1/records
   * @returns parsed JSON, as it came
   */
  records(query: Readonly<Record<string, string>>): AsyncGenerator<unknown>
  /** Who answers for a call or a refusal, parsed JSON as it came. */
  responsibility(source: string, id: string): Promise<Record<string, unknown>>
  /** The report of a month, parsed JSON as it came. */
  monthlyReport(month: string, utcOffset: number): Promise<unknown>
  /**
   * @param query.authorization whether what authorised a call must be there, or must not; if it can be had, otherwise
   * @param query.evidence whether it comes with evidence (`tidemark-offline/1`)
   * @returns the text of the bundle, and why it shows a call under a grant without the grant
   */
  proof(query: {
    source?: string
    id: string
    disclose: readonly string[]
    authorization?: boolean
    evidence?: boolean
  }): Promise<{ bundle: string; missing?: string }>
  /**
   * The parts of a history as they come. They end with `OperationError` `GATEWAY_UNREACHABLE` when it is cut off.
   *
   * @param query the parameters of GET /v1/histories
   */
  history(query: Record<string, string>): Promise<AsyncIterable<Uint8Array>>
  /** All alerts, newest first, page after page: parsed JSON, as it came. */
  alerts(): AsyncGenerator<Record<string, unknown>>
  /** Says what was done about an alert; its token is one that handles alerts. */
  handleAlert(id: string, handling: { state: string; note?: string }): Promise<Record<string, unknown>>
}

const TIMEOUT_MS = 60_000
/** A history may be long, and a report read the whole ledger; this is for all of it. */
const LONG_TIMEOUT_MS = 30 * 60_000
/** Request Timeout, Too Early, Too Many Requests: the client errors that pass by themselves. */
const PASSING = [408, 425, 429]
/** However long a gateway wants to be left alone, it is asked again after this. */
const MAX_RETRY_AFTER_MS = 300_000

/**
 * @param options.token a bearer token, where the source does not sign
 * @param options.signal ends what is under way
 */
export function createGatewayApi(
  baseUrl: string,
  {
    token,
    signal: ended,
    now = Date.now,
  }: { token?: string | undefined; signal?: AbortSignal; now?: () => number } = {},
): GatewayApi {
  const away = (cause: unknown) =>
    new GatewayAwayError(`cannot reach ${baseUrl}: is "tidemark up" running there?`, { cause })

  async function fetchGood(path: string, init: RequestInit = {}, timeoutMs = TIMEOUT_MS): Promise<Response> {
    const headers = new Headers(init.headers)
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
    const late = AbortSignal.timeout(timeoutMs)
    const signal = ended ? AbortSignal.any([ended, late]) : late
    const response = await fetch(new URL(path, baseUrl), { ...init, headers, signal }).catch(
      (cause: unknown) => {
        throw away(cause)
      },
    )
    if (response.ok) return response
    const problem = parseObject(await textOf(response)) ?? { title: `HTTP ${response.status}` }
    if (response.status < 500 && !PASSING.includes(response.status))
      throw new ProblemError(response.status, problem)
    throw new GatewayAwayError(`${baseUrl}: ${String(problem.detail ?? problem.title)}`, {
      retryAfterMs: readRetryAfter(response.headers.get('retry-after'), now),
    })
  }

  const textOf = (response: Response): Promise<string> =>
    response.text().catch((cause: unknown) => {
      throw away(cause)
    })

  const call = async (path: string, init?: RequestInit, timeoutMs?: number): Promise<string> =>
    textOf(await fetchGood(path, init, timeoutMs))

  async function* partsOf({ body }: Response): AsyncGenerator<Uint8Array> {
    try {
      if (body !== null) yield* body
    } catch (cause) {
      throw new GatewayAwayError(`${baseUrl} ended in the middle of its answer`, { cause })
    }
  }

  async function callJson(
    path: string,
    init?: RequestInit,
    timeoutMs?: number,
  ): Promise<Record<string, unknown>> {
    const value = parseObject(await call(path, init, timeoutMs))
    if (value === undefined) throw notAGateway()
    return value
  }

  const notAGateway = () => new GatewayAwayError(`${baseUrl} does not answer like a gateway`)

  return {
    async identity() {
      const { chainId, ledger, publisher, size, lagging } = await callJson('/v1/ledger')
      const chain = readUint64(chainId)
      const headers = readUint64(size)
      if (chain === undefined || headers === undefined) throw notAGateway()
      if (!isHex(ledger, 20) || !isHex(publisher, 20)) throw notAGateway()
      return { chainId: chain, ledger, publisher, size: headers, lagging: lagging !== false }
    },
    async nextSequence(source) {
      const { nextSequence } = await callJson(`/v1/submissions?${new URLSearchParams({ source })}`)
      const next = readUint64(nextSequence)
      if (next === undefined) throw notAGateway()
      return next
    },
    async submit(body, headers) {
      return (await callJson('/v1/submissions', { method: 'POST', headers, body })).receipt
    },
    async submissionState(source, sequence) {
      const { state } = await callJson(`/v1/submissions?${new URLSearchParams({ source, sequence })}`)
      return String(state)
    },
    async submissionProof(source, sequence) {
      const query = new URLSearchParams({ source, sequence: String(sequence) })
      try {
        return await callJson(`/v1/submissions/proof?${query}`)
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error
        if (error.problem.code === 'NOT_ANCHORED') return undefined
        const isReady = error.problem.code !== 'NOT_READY'
        throw new OperationError(
          isReady ? 'GATEWAY_UNREACHABLE' : 'NOT_FINAL',
          `${baseUrl}: ${error.message}`,
          {
            cause: error,
          },
        )
      }
    },
    async decide(question) {
      const init = {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(question),
      }
      return parseAuthorizationAnswer(await callJson('/v1/decisions', init))
    },
    async *records(query) {
      let cursor: unknown
      do {
        const next = cursor === undefined ? query : { ...query, cursor: String(cursor) }
        const page = await callJson(`/v1/records?${new URLSearchParams(next)}`)
        if (!Array.isArray(page.records)) throw notAGateway()
        yield* page.records
        cursor = page.cursor
      } while (cursor !== undefined)
    },
    async proof({ source, id, disclose, authorization, evidence }) {
      const query = new URLSearchParams({
        id,
        ...(source !== undefined && { source }),
        ...(disclose.length > 0 && { disclose: disclose.join(',') }),
        ...(authorization !== undefined && { authorization: String(authorization) }),
        ...(evidence !== undefined && { evidence: String(evidence) }),
      })
      const response = await fetchGood(`/v1/proofs?${query}`)
      const missing = response.headers.get('tidemark-authorization-missing')
      return { bundle: await textOf(response), ...(missing !== null && { missing }) }
    },
    responsibility(source, id) {
      return callJson(`/v1/responsibility?${new URLSearchParams({ source, id })}`)
    },
    monthlyReport(month, utcOffset) {
      const query = new URLSearchParams({ month, utcOffset: String(utcOffset) })
      return callJson(`/v1/kpis?${query}`, {}, LONG_TIMEOUT_MS)
    },
    async history(query) {
      const path = `/v1/histories?${new URLSearchParams(query)}`
      return partsOf(await fetchGood(path, {}, LONG_TIMEOUT_MS))
    },
    async *alerts() {
      let before: unknown
      do {
        const query = before === undefined ? '' : `?${new URLSearchParams({ before: String(before) })}`
        const page = await callJson(`/v1/alerts${query}`)
        if (!Array.isArray(page.alerts)) throw notAGateway()
        yield* page.alerts
        before = page.next
      } while (before !== undefined)
    },
    handleAlert: (id, handling) =>
      callJson(`/v1/alerts/${encodeURIComponent(id)}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(handling),
      }),
  }
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function readRetryAfter(value: string | null, now: () => number): number {
  if (value === null) return 0
  const waitMs = /^\d+$/.test(value) ? 1_000 * Number(value) : Date.parse(value) - now()
  return waitMs > 0 ? Math.min(waitMs, MAX_RETRY_AFTER_MS) : 0
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
