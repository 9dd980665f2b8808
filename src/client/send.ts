import { setTimeout as delay } from 'node:timers/promises'
import { InputError, OperationError } from '../errors.ts'
import { type FlowRecord, parseRecord } from '../record/index.ts'
import { type GatewayApi, ProblemError, type SubmissionAnswer } from './gateway-api.ts'

/** A record of a file, and the line that it stands on. */
export interface SourceLine {
  line: number
  record: FlowRecord
}

export interface SendOptions {
  api: GatewayApi
  /** records in one submission, at most */
  size: number
  /** pauses between tries while the gateway cannot be reached; then it gives up */
  retryPausesMs: readonly number[]
  /** told of each acknowledged submission */
  onAcknowledged: (answer: SubmissionAnswer, records: number) => void
}

/**
 * Submits records in their order, each source's in submissions of its own, each exactly once.
 *
 * A submission whose answer is lost is sent again under its sequence, which the gateway answers with the same
 * receipt.
 *
 * @throws {InputError} with the line of the file that the gateway refused
 * @throws {OperationError} `GATEWAY_UNREACHABLE` after the last try
 */
export async function sendRecords(
  lines: AsyncIterable<SourceLine> | Iterable<SourceLine>,
  options: SendOptions,
) {
  const collected = new Map<string, SourceLine[]>()
  const sequences = new Map<string, bigint>()
  for await (const line of lines) {
    const { source } = line.record
    const waiting = collected.get(source) ?? []
    collected.set(source, waiting)
    waiting.push(line)
    if (waiting.length === options.size) await submit(waiting.splice(0), sequences, options)
  }
  for (const waiting of collected.values()) {
    if (waiting.length > 0) await submit(waiting, sequences, options)
  }
}

async function submit(
  lines: SourceLine[],
  sequences: Map<string, bigint>,
  options: SendOptions,
): Promise<void> {
  const source = lines[0]?.record.source ?? ''
  const records = lines.map(({ record }) => record)
  for (const pauseMs of [...options.retryPausesMs, undefined]) {
    try {
      const sequence = sequences.get(source) ?? (await options.api.nextSequence(source))
      sequences.set(source, sequence)
      const answer = await options.api.submit(records, sequence)
      sequences.set(source, sequence + 1n)
      options.onAcknowledged(answer, records.length)
      return
    } catch (error) {
      if (error instanceof ProblemError) {
        if (error.status !== 409) throw atFileLine(error, lines)
        // Someone else sends for this source too: ask which sequence is next.
        sequences.delete(source)
      } else if (!(error instanceof OperationError)) throw error
      if (pauseMs === undefined) throw error
      await delay(pauseMs)
    }
  }
}

/**
 * Reads a line as a record of the ledger.
 *
 * @throws {InputError} `BAD_RECORD` with the line
 */
export function readRecord(value: unknown, line: number): SourceLine {
  try {
    return { line, record: parseRecord(value) }
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
