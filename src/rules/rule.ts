import type { Hex } from '../bytes/hex.ts'
import type { FlowRecord, Sharing } from '../record/index.ts'
import type { Settings } from './settings.ts'

export interface RecordRef {
  source: string
  id: string
  /** where it is known to be */
  place?: RecordPlace
}

/** A record's place in the batches of a ledger. */
interface RecordPlace {
  batch: { publisher: Hex; sequence: bigint }
  position: number
}

/** A record as the rules see it: its pseudonyms opened, its private members closed. */
export interface Seen extends RecordRef {
  /** milliseconds since 1970, as the source states it */
  timeMs: number
  record: FlowRecord
  /** of a `tidemark.call.v1` alone */
  call?: Call
}

export interface Call {
  side: 'consumer' | 'provider'
  consumer: string
  provider: string
  resource: string
  requestId: string
  outcome: 'success' | 'refused' | 'failed'
  purpose: string | undefined
  sharing: string | undefined
  authorization: string | undefined
  person: string | undefined
  /** whether the side that tells it names who acted, be it sealed: a job that runs by itself names nobody */
  hasAgent: boolean
}

/** What the rules need of a submission. */
export interface SeenSubmission {
  source: string
  sequence: bigint
  /** id of its first record */
  first: string
  /** of that record, where it is known */
  place?: RecordPlace
  /** milliseconds since 1970: the time of the receipt's promise, where there is a receipt */
  anchorByMs?: number
  /** milliseconds since 1970: the time of its block, once there is one */
  anchoredAtMs?: number
}

/** The record that gave it, unless the chain alone did, and what it allows. */
export interface Grant extends Partial<RecordRef> {
  /** SHA-256 of their names, 0x hex */
  consumer: string
  resource: string
  purpose: string
  person: string | undefined
  /** milliseconds since 1970, both included */
  notBeforeMs: number
  notAfterMs: number
  /** 0: any number */
  maxCalls: number
  /** by a record, or by the chain alone */
  revoked?: Partial<RecordRef> & { effectiveMs: number }
}

export interface Trip extends RecordRef {
  fromMs: number
}

/** What else is known when a record is judged: by the records before it, or by an index. */
export interface Facts {
  grantOf(authorization: string): Grant | undefined
  /** How the registry had a resource shared at a time; undefined where no registry is known to have had it. */
  sharingOf(resource: string, timeMs: number): Sharing | undefined
  /** Whether a grant that is not known was never given. */
  readonly hasAllGrants: boolean
  /** Whether a record that is not known was never submitted. */
  readonly isWhole: boolean
  /** The trip of a resource, a party or `*` that is in force at a time. */
  tripOf(target: string, timeMs: number): Trip | undefined
}

/** Something that breaks a rule, and what shows it. */
export interface Match {
  /** those that break the rule */
  records: RecordRef[]
  /** others that show it: the grant, the trip, the call that was repeated */
  evidence: RecordRef[]
  /** why, in words and numbers of the rule (docs/rules.md) */
  values: Readonly<Record<string, string | number>>
}

export interface Finding extends Match {
  rule: string
  severity: Severity
}

export type Severity = 'high' | 'medium' | 'low'

export type Language = 'en' | 'zh'

/** Goes through records in the order of their times, and remembers no more than its rule needs. */
interface Watch {
  record?(seen: Seen): Iterable<Match>
  /** Submissions of one source come in the order of their numbers. */
  submission?(submission: SeenSubmission): Iterable<Match>
  /** Nothing more will come that was before `nowMs`, or it comes too late. */
  tick?(nowMs: number): Iterable<Match>
  /** Nothing more will come; the last word was at `untilMs`. */
  end?(untilMs: number): Iterable<Match>
}

/** Who has a part in what was found; a rule's values name them. */
export type Party = 'consumer' | 'provider' | 'resource'

export interface Rule {
  name: string
  /** whom the values of its findings name */
  names: readonly Party[]
  severity: Severity
  title: Readonly<Record<Language, string>>
  description: Readonly<Record<Language, string>>
  watch(facts: Facts, settings: Settings): Watch
}

/** Which record it is and nothing else of it. */
export const refOf = ({ source, id, place }: RecordRef): RecordRef =>
  place === undefined ? { source, id } : { source, id, place }

/** The first record of a submission. */
export const firstOf = ({ source, first, place }: SeenSubmission): RecordRef =>
  refOf({ source, id: first, ...(place !== undefined && { place }) })

export const partiesOf = ({ consumer, provider, resource }: Call): Record<Party, string> => ({
  consumer,
  provider,
  resource,
})
