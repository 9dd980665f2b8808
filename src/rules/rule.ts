import type { FlowRecord } from '../record/index.ts'
import type { Settings } from './settings.ts'

export interface RecordRef {
  source: string
  id: string
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
  /** milliseconds since 1970: the time of the receipt's promise, where there is a receipt */
  anchorByMs?: number
  /** milliseconds since 1970: the time of its block, once there is one */
  anchoredAtMs?: number
}

export interface Grant extends RecordRef {
  /** SHA-256 of their names, 0x hex */
  consumer: string
  resource: string
  purpose: string
  person: string | undefined
  /** milliseconds since 1970, both included */
  notBeforeMs: number
  notAfterMs: number
  maxCalls: number
  revoked?: RecordRef & { effectiveMs: number }
}

export interface Trip extends RecordRef {
  fromMs: number
}

/** What else is known when a record is judged: by the records before it, or by an index. */
export interface Facts {
  grantOf(authorization: string): Grant | undefined
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

type Severity = 'high' | 'medium' | 'low'

export type Language = 'en' | 'zh'

/** Goes through records in the order of their times, and remembers no more than its rule needs. */
interface Watch {
  record?(seen: Seen): Iterable<Match>
  /** Submissions of one source come in the order of their numbers. */
  submission?(submission: SeenSubmission): Iterable<Match>
  /** Nothing more will come; the last word was at `untilMs`. */
  end?(untilMs: number): Iterable<Match>
}

export interface Rule {
  name: string
  severity: Severity
  title: Readonly<Record<Language, string>>
  description: Readonly<Record<Language, string>>
  watch(facts: Facts, settings: Settings): Watch
}

/** The place of a record and nothing else of it. */
export const refOf = ({ source, id }: RecordRef): RecordRef => ({ source, id })
