import { type Hex, isHex } from '../bytes/hex.ts'
import { readUint64 } from '../bytes/integer.ts'
import { OperationError } from '../errors.ts'
import { isAllowed, REASONS, type Reason } from '../record/index.ts'

/** What a service wants to know before it makes a call, or answers one. */
export interface AuthorizationRequest {
  /** who uses it; the client's own source when left out */
  consumer?: string
  /** its catalogue id */
  resource: string
  purpose: string
  /** the grant that the use rests on, where it needs one */
  authorization?: Hex
  /** whether the call is counted against the grant's calls, if it is allowed */
  use?: boolean
}

/** A decision, and the block whose state it speaks for. Times in seconds since 1970. */
export interface AuthorizationAnswer {
  allowed: boolean
  reason: Reason
  time: bigint
  block: { number: bigint; hash: Hex; time: bigint }
  /** calls that the grant allows after this; absent where it allows any number, or decided nothing */
  remaining?: number
}

/**
 * Reads an answer of POST /v1/decisions.
 *
 * @throws {OperationError} `GATEWAY_UNREACHABLE` unless it is a decision that does not contradict itself
 */
export function parseAuthorizationAnswer(value: Record<string, unknown>): AuthorizationAnswer {
  const { allowed, reason, time, block, remaining } = value
  const { number, hash, time: blockTime } = Object(block) as Record<string, unknown>
  const known = REASONS.find((one) => one === reason)
  const [at, height, blockAt] = [readUint64(time), readUint64(number), readUint64(blockTime)]
  if (
    known === undefined ||
    isAllowed(known) !== allowed ||
    at === undefined ||
    height === undefined ||
    blockAt === undefined ||
    !isHex(hash, 32)
  ) {
    throw new OperationError('GATEWAY_UNREACHABLE', 'the answer is no decision: nothing is allowed by it')
  }
  return {
    allowed,
    reason: known,
    time: at,
    block: { number: height, hash, time: blockAt },
    ...(typeof remaining === 'number' && { remaining }),
  }
}
