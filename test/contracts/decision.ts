import type { Grant } from './grant.ts'

/** IRegistry.Kind and IRegistry.Sharing, by number. */
export const KINDS = ['everything', 'source', 'resource'] as const
export const SHARING = ['none', 'unconditional', 'conditional', 'prohibited'] as const
export type Sharing = (typeof SHARING)[number]

/** IAuthorizations.Reason, by number. */
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

export interface GrantState {
  terms: Grant
  given: boolean
  paused: boolean
  revokedAt: bigint
  calls: bigint
}

/** What a decision rests on. */
export interface World {
  sources: Set<string>
  resources: Map<string, { version: bigint; owner: string; sharing: Sharing }>
  /** `everything`, `source:ID` or `resource:ID` */
  tripped: Set<string>
  grants: Map<string, GrantState>
}

export interface Use {
  consumer: string
  resource: string
  purpose: string
  grantId: string
}

/** The decision on a use, by the rules as docs/format.md states them. */
export function decisionOn({ sources, resources, tripped, grants }: World, use: Use, time: bigint): Reason {
  if (!sources.has(use.consumer)) return 'UnknownSource'
  const resource = resources.get(use.resource)
  if (resource === undefined) return 'UnknownResource'
  const switches = [
    'everything',
    `source:${use.consumer}`,
    `source:${resource.owner}`,
    `resource:${use.resource}`,
  ]
  if (switches.some((name) => tripped.has(name))) return 'Tripped'
  if (resource.sharing === 'prohibited') return 'Prohibited'
  if (resource.sharing === 'unconditional') return 'Unconditional'
  const grant = grants.get(use.grantId)
  if (!grant?.given) return 'NoGrant'
  const { terms, revokedAt, paused, calls } = grant
  const faults: [boolean, Reason][] = [
    [terms.consumer !== use.consumer, 'WrongConsumer'],
    [terms.resource !== use.resource, 'WrongResource'],
    [terms.purpose !== use.purpose, 'WrongPurpose'],
    [revokedAt !== 0n && revokedAt <= time, 'Revoked'],
    [paused, 'Paused'],
    [time < terms.notBefore, 'NotYetValid'],
    [time > terms.notAfter, 'Expired'],
    [terms.maxCalls > 0n && calls >= terms.maxCalls, 'Exhausted'],
  ]
  return faults.find(([applies]) => applies)?.[1] ?? 'Allowed'
}
