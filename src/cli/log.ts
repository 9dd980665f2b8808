import { type Logger, pino } from 'pino'
import type { RequestSummary } from '../api/requests.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** `json` is a line of JSON each, `text` a line for people, `auto` the latter on a terminal. */
export const LOG_FORMATS = ['auto', 'json', 'text'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

/** What a running system says on the way; never the content of a record, a query or a token. */
export interface Log {
  progress(message: string): void
  trouble(message: string, error?: unknown, requestId?: string): void
  request(summary: RequestSummary): void
}

/** @param stream stderr, so that stdout stays clean for what was asked for */
export function createLog(
  stream: { write(line: string): unknown; isTTY?: boolean },
  format: LogFormat,
  level: LogLevel,
): Log {
  const asText = format === 'text' || (format === 'auto' && stream.isTTY === true)
  const write = asText ? (line: string) => stream.write(toText(line)) : (line: string) => stream.write(line)
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  )
  return {
    progress: (message) => logger.info(message),
    trouble: (message, error, requestId) =>
      logger.error({ ...(requestId !== undefined && { requestId }), ...describe(error) }, message),
    request: (summary) => logRequest(logger, summary),
  }
}

/** The chain of causes stays out: the text of a parser's error quotes what it could not parse. */
function describe(error: unknown): Record<string, unknown> {
  if (error === undefined) return {}
  if (!(error instanceof Error)) return { error: typeof error }
  const { name, message, stack = '' } = error
  const { code } = error as { code?: unknown }
  const at = stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim().slice(3))
  return { error: message, ...(code !== undefined && { code }), ...(code === undefined && { name, at }) }
}

/** One line an answer; those that are as usual only at level `debug`. */
function logRequest(logger: Logger, { durationMs, ...summary }: RequestSummary): void {
  const fields = { ...summary, durationMs: Math.round(durationMs * 1e3) / 1e3 }
  const { status } = summary
  if (status === 503) logger.warn(fields, 'refused for now')
  else if (status >= 500) logger.error(fields, 'failed')
  else if (status >= 400) logger.info(fields, 'refused')
  else logger.debug(fields, 'answered')
}

function toText(line: string): string {
  const { time, level, msg, error, at: _, ...rest } = JSON.parse(line) as Record<string, unknown>
  const fields = Object.entries(rest).map(([name, value]) => ` ${name}=${String(value)}`)
  const lead = level === 'info' ? '' : `${String(level)}: `
  const reason = error === undefined ? '' : `: ${String(error)}`
  return `${String(time).slice(11, 19)} tidemark: ${lead}${String(msg)}${reason}${fields.join('')}\n`
}
