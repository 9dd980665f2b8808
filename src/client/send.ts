import { setTimeout as delay } from 'node:timers/promises'
import { InputError } from '../errors.ts'
import { type FlowRecord, parseRecord } from '../record/index.ts'
import { type GatewayApi, ProblemError } from './gateway-api.ts'
import type { JsonReceipt } from './receipt.ts'
import { sealLine } from './sealed-line.ts'
import { identifyOnce, Submitter } from './submitter.ts'

/** A record of a file, and the line that it stands on. */
export interface SourceLine {
  line: number
  record: FlowRecord
}

/** The gateway's answer to a submission, verified: the receipt is for the source to keep. */
export interface SubmissionAnswer {
  receipt: JsonReceipt
}

export interface SendOptions {
  api: GatewayApi
  /** records in one submission, at most */
  size: number
  /** pauses between tries while the gateway cannot be reached; then it gives up */
  retryPausesMs: readonly number[]
  /** told of each acknowledged submission */
  onAcknowledged: (answer: SubmissionAnswer, records: number) => void
  /** milliseconds since 1970 */
  now?: () => number
}

/**
 * Submits records in their order, each source's in submissions of its own, each exactly once.
 *
 * A submission whose answer is lost is sent again under its sequence, which the gateway answers with the same
 * receipt.
 *
 * @throws {InputError} with the line of the file that the gateway refused
 * @throws {OperationError} `GATEWAY_UNREACHABLE` after the last try
 * @throws {VerificationError} when a receipt is not what it should be
 */
export async function sendRecords(
  lines: AsyncIterable<SourceLine> | Iterable<SourceLine>,
  { api, size, retryPausesMs, onAcknowledged, now = Date.now }: SendOptions,
) {
  const collected = new Map<string, SourceLine[]>()
  const submitters = new Map<string, Submitter>()
  const identify = identifyOnce(api)
  const submitterOf = (source: string) => {
    const pauses = (failures: number) => retryPausesMs[failures - 1]
    const clock = { now, delay: (ms: number) => delay(ms) }
    const known =
      submitters.get(source) ?? new Submitter({ api, source, identify, pauses, clock, manner: 'hasty' })
    submitters.set(source, known)
    return known
  }
  const submit = async (source: string, waiting: SourceLine[]) => {
    try {
      const receipt = await submitterOf(source).submit(waiting.map(sealSourceLine))
      onAcknowledged({ receipt }, waiting.length)
    } catch (error) {
      throw error instanceof ProblemError && error.status !== 409 ? atFileLine(error, waiting) : error
    }
  }
  for await (const line of lines) {
    const { source } = line.record
    const waiting = collected.get(source) ?? []
    collected.set(source, waiting)
    waiting.push(line)
    if (waiting.length === size) await submit(source, waiting.splice(0))
  }
  for (const [source, waiting] of collected) if (waiting.length > 0) await submit(source, waiting)
}

/**
 * Reads a line as a record of the ledger.
 *
 * @throws {InputError} `BAD_RECORD` with the line
 */
export function readRecord(value: unknown, line: number): SourceLine {
  return atLine(line, () => ({ line, record: parseRecord(value) }))
}

const sealSourceLine = ({ line, record }: SourceLine) => atLine(line, () => sealLine(record))

/** Gives an error of `read` the line that it is about. */
export function atLine<T>(line: number, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause
    throw new InputError(cause.code, `line ${line}: ${cause.message}`, { ...cause.place, line }, { cause })
  }
}

function atFileLine(problem: ProblemError, lines: readonly SourceLine[]): InputError {
  const line = problem.place.line === undefined ? undefined : lines[problem.place.line - 1]?.line
  if (line === undefined) return problem
  return new InputError(
    'BAD_RECORD',
    `line ${line}: ${problem.message}`,
    { ...problem.place, line },
    { cause: problem },
  )
}
