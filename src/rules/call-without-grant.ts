import { nameId } from '../record/index.ts'
import { type Call, type Facts, type Grant, partiesOf, type RecordRef, type Rule, refOf } from './rule.ts'

/** Every answered call to what is shared conditionally stands on a grant that fits and is in force. */
export const callWithoutGrant: Rule = {
  name: 'call-without-grant',
  names: ['consumer', 'provider', 'resource'],
  severity: 'high',
  title: { en: 'Call without a grant', zh: '无授权调用' },
  description: {
    en: 'A call was answered without a grant, or under one that is for another consumer, resource, purpose or person, not yet or no longer in force, revoked, or used up.',
    zh: '调用得到了答复，却没有授权；或所引授权属于其他使用方、资源、用途或个人，尚未生效、已过期、已撤回或次数已用完。',
  },
  watch(facts, { graceMs }) {
    const uses = new Uses()
    return {
      *record(seen) {
        const { call, timeMs } = seen
        if (call === undefined || call.outcome !== 'success') return
        const fault = judge(call, timeMs, facts, uses, graceMs)
        if (fault === undefined) return
        const { reason, evidence } = fault
        yield {
          records: [refOf(seen)],
          evidence: evidence.map(refOf),
          values: {
            reason,
            ...(call.authorization !== undefined && { authorization: call.authorization }),
            ...partiesOf(call),
          },
        }
      },
    }
  },
}

interface Fault {
  reason: string
  evidence: RecordRef[]
}

function judge(call: Call, timeMs: number, facts: Facts, uses: Uses, graceMs: number): Fault | undefined {
  const sharing = sharingOf(call, timeMs, facts, graceMs)
  if (sharing === 'prohibited') return { reason: 'prohibited', evidence: [] }
  if (call.authorization === undefined) {
    return sharing === 'conditional' ? { reason: 'no-grant', evidence: [] } : undefined
  }
  const grant = facts.grantOf(call.authorization)
  if (grant === undefined) {
    return facts.hasAllGrants ? { reason: 'unknown-grant', evidence: [] } : undefined
  }
  const { revoked } = grant
  if (revoked !== undefined && timeMs > revoked.effectiveMs + graceMs) {
    return { reason: 'revoked', evidence: recordsOf(grant, revoked) }
  }
  const reason =
    mismatch(call, grant) ??
    (timeMs < grant.notBeforeMs - graceMs ? 'not-yet-in-force' : undefined) ??
    (timeMs > grant.notAfterMs + graceMs ? 'expired' : undefined) ??
    (isUsedUp(call, call.authorization, grant, uses, timeMs) ? 'used-up' : undefined)
  return reason === undefined ? undefined : { reason, evidence: recordsOf(grant) }
}

/** As the registry has it, whatever the call says of itself; around a change, as the call says. */
function sharingOf({ resource, sharing }: Call, timeMs: number, facts: Facts, graceMs: number) {
  const registered = facts.sharingOf(resource, timeMs - graceMs)
  return registered !== undefined && registered === facts.sharingOf(resource, timeMs + graceMs)
    ? registered
    : sharing
}

function isUsedUp(
  call: Call,
  authorization: string,
  { maxCalls, notAfterMs }: Grant,
  uses: Uses,
  timeMs: number,
): boolean {
  return maxCalls !== 0 && uses.count(call, authorization, notAfterMs, timeMs) > maxCalls
}

/** What the chain alone says has none. */
const recordsOf = (...places: Partial<RecordRef>[]): RecordRef[] =>
  places.filter((place): place is RecordRef => place.source !== undefined && place.id !== undefined)

function mismatch(call: Call, grant: Grant): string | undefined {
  if (nameId(call.consumer) !== grant.consumer) return 'other-consumer'
  if (nameId(call.resource) !== grant.resource) return 'other-resource'
  if (nameId(call.purpose ?? '') !== grant.purpose) return 'other-purpose'
  const isOther = grant.person !== undefined && call.person !== undefined && grant.person !== call.person
  return isOther ? 'other-person' : undefined
}

/** How often each side says that a grant was used. Forgets the grants that have ended when there are many. */
class Uses {
  readonly #counts = new Map<string, { count: number; notAfterMs: number }>()
  #most = 100_000

  count({ side }: Call, authorization: string, notAfterMs: number, nowMs: number): number {
    const key = `${side} ${authorization}`
    const count = 1 + (this.#counts.get(key)?.count ?? 0)
    this.#counts.set(key, { count, notAfterMs })
    if (this.#counts.size > this.#most) {
      for (const [old, use] of this.#counts) if (use.notAfterMs < nowMs) this.#counts.delete(old)
      this.#most = Math.max(this.#most, 2 * this.#counts.size)
    }
    return count
  }
}
