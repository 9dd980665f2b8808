import type { Sharing } from '../record/index.ts'
import { type Facts, type Grant, refOf, type Seen, type Trip } from './rule.ts'
import { DAY_MS } from './settings.ts'

/** What an index knows besides the records that went by. */
export interface KnownFromIndex {
  /** also one that was given before the first record, or on the chain alone */
  grantOf(authorization: string): Grant | undefined
  /** how the registry had a resource shared at a time; undefined where it did not have it */
  sharingOf(resource: string, timeMs: number): Sharing | undefined
}

/**
 * What is known from the records that went by.
 *
 * Holds the grants that are in force or have ended at most 31 days ago, where others can be asked for at most 100,000
 * of them, and the last trip of every target.
 */
export class KnownFromRecords implements Facts {
  readonly #grants = new Map<string, Grant>()
  readonly #trips = new Map<string, Trip & { toMs?: number }>()
  readonly #index: KnownFromIndex | undefined
  readonly #startsLate: boolean
  isWhole = true
  #nextSweepMs = Number.NEGATIVE_INFINITY

  /** @param startsLate whether records came before the first that is added */
  constructor(index: KnownFromIndex | undefined, startsLate: boolean) {
    this.#index = index
    this.#startsLate = startsLate
  }

  get hasAllGrants(): boolean {
    return this.isWhole && (this.#index !== undefined || !this.#startsLate)
  }

  add(seen: Seen): void {
    if (seen.timeMs >= this.#nextSweepMs) this.#sweep(seen.timeMs)
    const { data } = seen.record
    switch (seen.record.type) {
      case 'tidemark.authorization.v1':
        // Recorded once more, it would be as if it had never been revoked.
        if (!this.#grants.has(String(data.authorization)))
          this.#keep(String(data.authorization), grantOf(seen))
        break
      case 'tidemark.revocation.v1': {
        const authorization = String(data.authorization)
        const grant = this.#grants.get(authorization) ?? this.#index?.grantOf(authorization)
        const effectiveMs = Date.parse(String(data.effectiveAt))
        // A grant is withdrawn once; a later record cannot put it off.
        if (grant !== undefined && effectiveMs < (grant.revoked?.effectiveMs ?? Number.POSITIVE_INFINITY)) {
          this.#keep(authorization, { ...grant, revoked: { ...refOf(seen), effectiveMs } })
        }
        break
      }
      case 'tidemark.breaker.v1':
        this.#breaker(seen, String(data.target), data.action === 'trip')
    }
  }

  /** As the records tell it, unless it was withdrawn on the chain before they say so. */
  grantOf(authorization: string): Grant | undefined {
    const told = this.#grants.get(authorization)
    const indexed = this.#index?.grantOf(authorization)
    const { revoked } = indexed ?? {}
    if (told === undefined || revoked === undefined) return told ?? indexed
    const isTold = told.revoked !== undefined && told.revoked.effectiveMs <= revoked.effectiveMs
    return isTold ? told : { ...told, revoked }
  }

  sharingOf(resource: string, timeMs: number): Sharing | undefined {
    return this.#index?.sharingOf(resource, timeMs)
  }

  #keep(authorization: string, grant: Grant): void {
    this.#grants.set(authorization, grant)
    if (this.#index === undefined || this.#grants.size <= MOST_GRANTS) return
    for (const oldest of this.#grants.keys()) {
      this.#grants.delete(oldest)
      return
    }
  }

  tripOf(target: string, timeMs: number): Trip | undefined {
    const trip = this.#trips.get(target)
    const isInForce =
      trip !== undefined && trip.fromMs <= timeMs && timeMs < (trip.toMs ?? Number.POSITIVE_INFINITY)
    return isInForce ? trip : undefined
  }

  #breaker(seen: Seen, target: string, isTrip: boolean): void {
    const current = this.#trips.get(target)
    if (!isTrip) {
      // A reset from before the trip may come after it.
      if (current !== undefined && seen.timeMs >= current.fromMs) current.toMs ??= seen.timeMs
    } else if (current === undefined || (current.toMs !== undefined && seen.timeMs >= current.toMs)) {
      this.#trips.set(target, { ...refOf(seen), fromMs: seen.timeMs })
    }
  }

  #sweep(nowMs: number): void {
    for (const [id, { notAfterMs }] of this.#grants) {
      if (notAfterMs < nowMs - KEPT_MS) this.#grants.delete(id)
    }
    this.#nextSweepMs = nowMs + DAY_MS
  }
}

const KEPT_MS = 31 * DAY_MS
const MOST_GRANTS = 100_000

function grantOf(seen: Seen): Grant {
  // The schema of the type has checked it.
  const grant = seen.record.data.grant as Record<'consumer' | 'resource' | 'purpose', string> &
    Record<'notBefore' | 'notAfter' | 'maxCalls', number>
  const { person } = seen.record.data
  return {
    ...refOf(seen),
    consumer: grant.consumer,
    resource: grant.resource,
    purpose: grant.purpose,
    person: typeof person === 'string' ? person : undefined,
    notBeforeMs: 1000 * grant.notBefore,
    notAfterMs: 1000 * grant.notAfter,
    maxCalls: grant.maxCalls,
  }
}
