/** Reasons of a decision on a use, in the contract's order and numbers (docs/format.md, "Decision"). */
export const REASONS = [
  'UnknownSource',
  'UnknownResource',
  'Tripped',
  'Prohibited',
  'Unconditional',
  'NoGrant',
  'NotSigned',
  'WrongConsumer',
  'WrongResource',
  'WrongPurpose',
  'Revoked',
  'Paused',
  'NotYetValid',
  'Expired',
  'Exhausted',
  'Allowed',
] as const
export type Reason = (typeof REASONS)[number]

export const isAllowed = (reason: Reason): boolean => reason === 'Allowed' || reason === 'Unconditional'

/** How a resource is shared, by the contract's numbers; `none`: there is no such resource. */
export const SHARINGS = ['none', 'unconditional', 'conditional', 'prohibited'] as const
export type Sharing = (typeof SHARINGS)[number]

/** What a breaker stops, by the contract's numbers. */
export const BREAKER_KINDS = ['everything', 'source', 'resource'] as const
export type BreakerKind = (typeof BREAKER_KINDS)[number]
