import { type FlowRecord, nameId, textOf, timeOf } from '../record/index.ts'
import { type RecordRef, refOf } from '../rules/rule.ts'

/** The grant that a call cites, as the ledger's records tell it. */
export interface GrantGiven {
  authorization: string
  /** null where no record of the ledger gives it */
  given: {
    record: RecordRef
    /** the address of who gave it */
    subject: string
    /** times in RFC 3339; those of the grant itself, both included */
    givenAt: string
    notBefore: string
    notAfter: string
    maxCalls: number
    /** what it covers of the call: whose, of what, for what and when */
    covers: { consumer: boolean; resource: boolean; purpose: boolean; time: boolean }
  } | null
  /** null where no record of the ledger withdraws it */
  revocation: { record: RecordRef; effectiveAt: string; reason: string | null; isBeforeCall: boolean } | null
}

/**
 * @param call that cites it
 * @param records under the id of the grant; of several of one kind the earliest counts
 */
export function grantGiven(
  authorization: string,
  call: FlowRecord,
  records: readonly FlowRecord[],
): GrantGiven {
  const earliest = (type: FlowRecord['type'], timeMsOf: (record: FlowRecord) => number) =>
    records
      .filter((record) => record.type === type && textOf(record, 'authorization') === authorization)
      .sort((a, b) => timeMsOf(a) - timeMsOf(b))[0]
  const given = earliest('tidemark.authorization.v1', timeOf)
  const revocation = earliest('tidemark.revocation.v1', effectiveMs)
  return {
    authorization,
    given: given === undefined ? null : givenBy(given, call),
    revocation:
      revocation === undefined
        ? null
        : {
            record: refOf(revocation),
            effectiveAt: new Date(effectiveMs(revocation)).toISOString(),
            reason: textOf(revocation, 'reason') ?? null,
            isBeforeCall: effectiveMs(revocation) <= timeOf(call),
          },
  }
}

const effectiveMs = (record: FlowRecord) => Date.parse(textOf(record, 'effectiveAt') ?? '')

function givenBy(record: FlowRecord, call: FlowRecord): NonNullable<GrantGiven['given']> {
  // The schema of the type has checked it.
  const grant = record.data.grant as Record<'subject' | 'consumer' | 'resource' | 'purpose', string> &
    Record<'notBefore' | 'notAfter' | 'maxCalls', number>
  const [fromMs, toMs] = [1_000 * grant.notBefore, 1_000 * grant.notAfter]
  const isOf = (hash: string, name: string | undefined) => name !== undefined && hash === nameId(name)
  return {
    record: refOf(record),
    subject: grant.subject,
    givenAt: record.time,
    notBefore: spell(fromMs),
    notAfter: spell(toMs),
    maxCalls: grant.maxCalls,
    covers: {
      consumer: isOf(grant.consumer, textOf(call, 'consumer')),
      resource: isOf(grant.resource, call.subject),
      purpose: isOf(grant.purpose, textOf(call, 'purpose')),
      time: fromMs <= timeOf(call) && timeOf(call) <= toMs,
    },
  }
}

/** A grant may name times that no calendar reaches. */
const LAST_MS = 8.64e15
const spell = (ms: number) => new Date(Math.min(ms, LAST_MS)).toISOString()
