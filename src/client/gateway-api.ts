import { InputError, OperationError } from '../errors.ts'
import type { FlowRecord } from '../record/index.ts'

/** The gateway's answer to a submission, as it is: the receipt is for the source to keep. */
export interface SubmissionAnswer {
  receipt: { source: string; sequence: string; size: string; [member: string]: unknown }
}

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

/** The gateway's HTTP API as its clients call it. */
export interface GatewayApi {
  nextSequence(source: string): Promise<bigint>
  /** Sending the same records again under the same sequence is harmless. */
  submit(records: readonly FlowRecord[], sequence: bigint): Promise<SubmissionAnswer>
  submissionState(source: string, sequence: string): Promise<string>
  /** Whose gateway it is, and how many headers of the ledger it knows. */
  ledger(): Promise<{ ledger: string; publisher: string; size: string; lagging: boolean }>
  /**
   * The proof that a submission is on the chain, parsed JSON; undefined when the gateway says that it is not there.
   *
   * @throws {OperationError} `NOT_FINAL` while its block is not final
   */
  submissionProof(source: string, sequence: bigint): Promise<unknown>
  /** @returns the text of the bundle */
  proof(query: { source?: string; id: string; disclose: readonly string[] }): Promise<string>
}

const TIMEOUT_MS = 60_000

/** @param token of the source whose records are submitted; without one the gateway may refuse them */
export function createGatewayApi(baseUrl: string, token?: string): GatewayApi {
  async function call(path: string, init: RequestInit = {}): Promise<string> {
    let response: Response
    let text: string
    try {
      response = await fetch(new URL(path, baseUrl), { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) })
      text = await response.text()
    } catch (cause) {
      throw new OperationError(
        'GATEWAY_UNREACHABLE',
        `cannot reach ${baseUrl}: is "tidemark up" running there?`,
        { cause },
      )
    }
    if (response.ok) return text
    const problem = parseObject(text) ?? { title: `HTTP ${response.status}` }
    if (response.status >= 500) {
      throw new OperationError(
        'GATEWAY_UNREACHABLE',
        `${baseUrl}: ${String(problem.detail ?? problem.title)}`,
      )
    }
    throw new ProblemError(response.status, problem)
  }

  async function callJson(path: string, init?: RequestInit): Promise<Record<string, unknown>> {
    const value = parseObject(await call(path, init))
    if (value === undefined)
      throw new OperationError('GATEWAY_UNREACHABLE', `${baseUrl} does not answer like a gateway`)
    return value
  }

  return {
    async nextSequence(source) {
      const { nextSequence } = await callJson(`/v1/submissions?${new URLSearchParams({ source })}`)
      return BigInt(String(nextSequence))
    },
    async submit(records, sequence) {
      const body = `${records.map((record) => JSON.stringify(record)).join('\n')}\n`
      const headers = {
        'content-type': 'application/x-ndjson',
        'tidemark-sequence': String(sequence),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      }
      return (await callJson('/v1/submissions', {
        method: 'POST',
        headers,
        body,
      })) as unknown as SubmissionAnswer
    },
    async submissionState(source, sequence) {
      const { state } = await callJson(`/v1/submissions?${new URLSearchParams({ source, sequence })}`)
      return String(state)
    },
    async ledger() {
      const { ledger, publisher, size, lagging } = await callJson('/v1/ledger')
      return {
        ledger: String(ledger),
        publisher: String(publisher),
        size: String(size),
        lagging: lagging !== false,
      }
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
    proof({ source, id, disclose }) {
      const query = new URLSearchParams({
        id,
        ...(source !== undefined && { source }),
        ...(disclose.length > 0 && { disclose: disclose.join(',') }),
      })
      return call(`/v1/proofs?${query}`)
    },
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
