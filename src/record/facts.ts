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
    consumer: textOf(record, 'consumer'),
    provider: textOf(record, 'provider'),
    side: textOf(record, 'side'),
    outcome: textOf(record, 'outcome'),
    sharing: textOf(record, 'sharing'),
    authorization: textOf(record, 'authorization'),
    rows: countOf(data.rows),
    requestBytes: countOf(data.requestBytes),
    responseBytes: countOf(data.responseBytes),
  }
}

/** A text member of `data`. */
export function textOf({ data }: FlowRecord, name: string): string | undefined {
  const value = data[name]
  return typeof value === 'string' ? value : undefined
}

const countOf = (value: unknown) => (typeof value === 'number' ? value : 0)
