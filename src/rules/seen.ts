import { readUint64 } from '../bytes/integer.ts'
import { InputError } from '../errors.ts'
import { type FlowRecord, openRecord, timeOf } from '../record/index.ts'
import type { Call, Seen, SeenSubmission } from './rule.ts'

/**
 * A record as the rules see it.
 *
 * @param record open, or sealed as the ledger keeps it
 * @param disclosures of its pseudonyms
 * @throws {VerificationError} `BAD_DISCLOSURE`
 */
export function seenOf(record: FlowRecord, disclosures: readonly string[] = []): Seen {
  const { _sd: digests = [], _sd_pseudonyms: pseudonyms = [] } = record.data
  const open = digests.length === 0 ? record : openRecord(record, disclosures)
  const seen: Seen = { source: record.source, id: record.id, timeMs: timeOf(record), record: open }
  if (record.type !== 'tidemark.call.v1') return seen
  return { ...seen, call: callOf(open, 'agent' in open.data || digests.length > pseudonyms.length) }
}

function callOf({ subject = '', data }: FlowRecord, hasAgent: boolean): Call {
  return {
    side: data.side === 'consumer' ? 'consumer' : 'provider',
    consumer: String(data.consumer),
    provider: String(data.provider),
    resource: subject,
    requestId: String(data.requestId),
    outcome: data.outcome === 'success' || data.outcome === 'refused' ? data.outcome : 'failed',
    purpose: textOf(data.purpose),
    sharing: textOf(data.sharing),
    authorization: textOf(data.authorization),
    person: textOf(data.person),
    hasAgent,
  }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined)

/**
 * A submission as JSON: `source`, `sequence` as a decimal string, `first` (id of its first record), and where there is
 * a receipt `anchorBy` and `anchoredAt`, in milliseconds since 1970, null when it is not on the chain.
 *
 * @throws {InputError} `BAD_RECORD`
 */
export function parseSeenSubmission(value: unknown): SeenSubmission {
  const { source, sequence, first, anchorBy, anchoredAt } = Object(value) as Record<string, unknown>
  const number = readUint64(sequence)
  if (typeof source !== 'string' || typeof first !== 'string' || number === undefined) {
    throw new InputError(
      'BAD_RECORD',
      'a submission has a source, a sequence as a decimal string and a first id',
    )
  }
  return {
    source,
    sequence: number,
    first,
    ...(isTime(anchorBy) && { anchorByMs: anchorBy }),
    ...(isTime(anchoredAt) && { anchoredAtMs: anchoredAt }),
  }
}

function isTime(value: unknown): value is number {
  if (value === undefined || value === null) return false
  if (typeof value === 'number' && Number.isSafeInteger(value)) return true
  throw new InputError('BAD_RECORD', 'the times of a submission are milliseconds since 1970')
}
