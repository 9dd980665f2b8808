import { type FlowRecord, timeOf } from './parse.ts'

/** What a record says that is counted and shown in charts: its parties, and of a call how it went. */
export interface RecordFacts {
  type: FlowRecord['type']
  source: string
  /** milliseconds since 1970 */
  timeMs: number
  subject: string | undefined
  /** members of `data` under their names, where they are texts or numbers */
  consumer: string | undefined
  provider: string | undefined
  side: string | undefined
  outcome: string | undefined
  sharing: string | undefined
  authorization: string | undefined
  rows: number
  requestBytes: number
  responseBytes: number
}

export function factsOf(record: FlowRecord): RecordFacts {
  const { type, source, subject, data } = record
  return {
    type,
    source,
    timeMs: timeOf(record),
    subject,
    consumer: textOf(data.consumer),
    provider: textOf(data.provider),
    side: textOf(data.side),
    outcome: textOf(data.outcome),
    sharing: textOf(data.sharing),
    authorization: textOf(data.authorization),
    rows: countOf(data.rows),
    requestBytes: countOf(data.requestBytes),
    responseBytes: countOf(data.responseBytes),
  }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined)
const countOf = (value: unknown) => (typeof value === 'number' ? value : 0)
