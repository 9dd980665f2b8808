import { OperationError } from '../errors.ts'

/** A JSON-RPC endpoint of a node. Its answers are unchecked: read them with answers.ts. */
export interface Rpc {
  readonly url: string
  /** @throws {OperationError} `RPC_UNREACHABLE`, `RPC_REFUSED` (an `RpcRefusal`) or `RPC_MALFORMED` */
  call(method: string, params: readonly unknown[]): Promise<unknown>
}

export interface RpcOptions {
  /** for one call, answer included */
  timeoutMs?: number
  headers?: Record<string, string>
  /** larger answers are refused unread */
  maxAnswerBytes?: number
}

/** The node understood the call and said no; `rpcCode`, `rpcMessage` and `data` are its own words. */
export class RpcRefusal extends OperationError {
  readonly rpcCode: number
  readonly rpcMessage: string
  readonly data: unknown

  constructor(method: string, rpcCode: number, rpcMessage: string, data?: unknown) {
    const retryable = BUSY_CODES.includes(rpcCode)
    super('RPC_REFUSED', `the node refused ${method}: ${rpcMessage} (code ${rpcCode})`, { retryable })
    this.rpcCode = rpcCode
    this.rpcMessage = rpcMessage
    this.data = data
  }
}

/** EIP-1474: the limit is exceeded. Also given when an answer exceeds our own limit. */
const LIMIT_EXCEEDED = -32005

/** Codes that speak of the node's condition rather than of the call: resource unavailable, internal error. */
const BUSY_CODES = [LIMIT_EXCEEDED, -32002, -32603]

/**
 * JSON-RPC 2.0 over HTTP POST, one call a request.
 *
 * Messages name the endpoint's origin only, because paths and queries often hold API keys.
 */
export function createRpc(url: string, options: RpcOptions = {}): Rpc {
  const { timeoutMs = 30_000, headers = {}, maxAnswerBytes = 64 * 1024 * 1024 } = options
  const origin = new URL(url).origin
  let calls = 0

  return {
    url,
    async call(method, params) {
      const id = ++calls
      const body = JSON.stringify({ jsonrpc: '2.0', id, method, params })
      let status: number
      let text: string | undefined
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body,
          signal: AbortSignal.timeout(timeoutMs),
        })
        status = response.status
        text = await readBounded(response, maxAnswerBytes)
      } catch (cause) {
        throw new OperationError('RPC_UNREACHABLE', `no answer from ${origin} to ${method}`, { cause })
      }
      if (status === 429 || status >= 500) {
        throw new OperationError('RPC_UNREACHABLE', `${origin} answered ${method} with HTTP status ${status}`)
      }
      if (text === undefined) {
        throw new RpcRefusal(method, LIMIT_EXCEEDED, `its answer is larger than ${maxAnswerBytes} bytes`)
      }
      return readAnswer(text, { origin, method, id, status })
    },
  }
}

interface Call {
  origin: string
  method: string
  id: number
  status: number
}

function readAnswer(text: string, call: Call): unknown {
  const { origin, method, id, status } = call
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch (cause) {
    if (status >= 400) throw new RpcRefusal(method, status, `HTTP status ${status}`)
    throw new OperationError('RPC_MALFORMED', `${origin} answered ${method} with something else than JSON`, {
      cause,
    })
  }
  if (typeof answer === 'object' && answer !== null) {
    if ('error' in answer && typeof answer.error === 'object' && answer.error !== null) {
      const error: { code?: unknown; message?: unknown; data?: unknown } = answer.error
      if (typeof error.code === 'number' && typeof error.message === 'string') {
        throw new RpcRefusal(method, error.code, error.message, error.data)
      }
    } else if (status < 400 && 'result' in answer && 'id' in answer && answer.id === id) {
      return answer.result
    }
  }
  if (status >= 400) throw new RpcRefusal(method, status, `HTTP status ${status}`)
  throw new OperationError(
    'RPC_MALFORMED',
    `${origin} answered ${method} with something else than JSON-RPC 2.0`,
  )
}

/** @returns undefined when the body is larger than `maxBytes` */
async function readBounded(response: Response, maxBytes: number): Promise<string | undefined> {
  if (response.body === null) return ''
  const decoder = new TextDecoder()
  let text = ''
  let sizeBytes = 0
  for await (const chunk of response.body) {
    sizeBytes += chunk.length
    // Leaving the loop cancels the body.
    if (sizeBytes > maxBytes) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
