import type { Hex } from '../bytes/hex.ts'
import type { Grant } from './grant.ts'
import type { Reason, Sharing } from './rights.ts'

/** A use that somebody asks for; names by `nameId`. */
export interface Use {
  consumer: Hex
  resource: Hex
  purpose: Hex
}

/** What a registry says of a use, before anybody looks at a grant. */
export interface Standing {
  /** whether there is such a consumer */
  known: boolean
  sharing: Sharing
  /** whether any breaker is tripped that stops the use */
  tripped: boolean
}

/** A grant as it stands when a use is decided. */
export interface GrantStanding {
  terms: Pick<Grant, 'consumer' | 'resource' | 'purpose' | 'notBefore' | 'notAfter' | 'maxCalls'>
  /** whether the contract holds it, or its signature is the subject's */
  signed: boolean
  revoked: boolean
  paused: boolean
  /** calls that were allowed under it */
  calls: bigint
}

/**
 * Decides on a use as the contract does: the first reason that applies (docs/format.md, "Decision").
 *
 * @param grant undefined where there is none
 * @param time seconds since 1970
 */
export const decide = (
  use: Use,
  standing: Standing,
  grant: GrantStanding | undefined,
  time: bigint,
): Reason => decideWithoutGrant(standing) ?? decideByGrant(use, grant, time)

/** What the registry alone decides; undefined where it leaves the decision to a grant. */
export function decideWithoutGrant({ known, sharing, tripped }: Standing): Reason | undefined {
  if (!known) return 'UnknownSource'
  if (sharing === 'none') return 'UnknownResource'
  if (tripped) return 'Tripped'
  if (sharing === 'prohibited') return 'Prohibited'
  return sharing === 'unconditional' ? 'Unconditional' : undefined
}

function decideByGrant(use: Use, grant: GrantStanding | undefined, time: bigint): Reason {
  if (grant === undefined) return 'NoGrant'
  const { terms, signed, revoked, paused, calls } = grant
  if (!signed) return 'NotSigned'
  if (terms.consumer !== use.consumer) return 'WrongConsumer'
  if (terms.resource !== use.resource) return 'WrongResource'
  if (terms.purpose !== use.purpose) return 'WrongPurpose'
  if (revoked) return 'Revoked'
  if (paused) return 'Paused'
  if (time < terms.notBefore) return 'NotYetValid'
  if (time > terms.notAfter) return 'Expired'
  if (terms.maxCalls !== 0 && calls >= BigInt(terms.maxCalls)) return 'Exhausted'
  return 'Allowed'
}
