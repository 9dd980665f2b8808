import { utf8 } from '../bytes/bytes.ts'
import { type Hex, toHex } from '../bytes/hex.ts'
import { sha256 } from '../bytes/sha256.ts'
import { canonicalBytes, type FlowRecord, type RecordTypeName } from '../record/index.ts'
import { sampleTag } from './sample.ts'
import type { Chance } from './sample-chance.ts'
import { DAY_MS, type Lane } from './sample-month-people.ts'
import { partyOf, resourceOf, type Service } from './sample-services.ts'

/** A record that is written but not yet handed over, and the rules that it breaks. */
export interface Draft {
  timeMs: number
  record: FlowRecord
  labels: readonly string[]
}

export interface Grant {
  id: Hex
  person: string
  purpose: string
  lane: Lane
  lastMs: number
  callsLeft: number
  revokedMs?: number
}

/** What is particular about a call. */
export interface CallOptions {
  data: FlowRecord['data']
  /** nobody did it, a job */
  isJob?: boolean
  requestId?: string
  /** rules that both records, or the consumer's or the provider's alone, break */
  labels?: readonly string[]
  consumerLabels?: readonly string[]
  providerLabels?: readonly string[]
  /** the side that keeps no record of it */
  silent?: 'consumer' | 'provider'
  /** what the provider says otherwise */
  differing?: FlowRecord['data']
}

const AGENTS = 12
const PERSONS = 2_000

/** Where all departments write their records. */
export class Desk {
  readonly #chance: Chance
  readonly #label: string
  /** how far the clock of a department is off, in milliseconds */
  readonly #skews = new Map<string, number>()
  readonly #isOut: (department: string, timeMs: number) => boolean
  #drafts: Draft[] = []
  #made = 0

  constructor(chance: Chance, seed: string, isOut: (department: string, timeMs: number) => boolean) {
    this.#chance = chance
    this.#label = toHex(sha256(utf8(`month ${seed}`)).subarray(0, 4)).slice(2)
    this.#isOut = isOut
  }

  /** Takes away what was written of the time before, in its order. */
  take(beforeMs: number): Draft[] {
    const taken = this.#drafts.filter(({ timeMs }) => timeMs < beforeMs)
    this.#drafts = this.#drafts.filter(({ timeMs }) => timeMs >= beforeMs)
    return taken.sort((a, b) => a.timeMs - b.timeMs)
  }

  /** The consumer's and the provider's record of one call; a side that is out keeps none. */
  call(consumer: string, service: Service, timeMs: number, options: CallOptions): void {
    const { data, isJob = false, labels = [], silent, differing = {} } = options
    const chance = this.#chance
    const transitMs = chance.between(1, 40)
    const workMs = chance.between(5, 400)
    const shared = {
      consumer: partyOf(consumer),
      provider: partyOf(service.department),
      operation: service.operation,
      requestId: options.requestId ?? chance.uuid(),
      sharing: service.sharing,
      level: service.level,
      legalBasis: service.legalBasis,
      person: sampleTag(chance.below(PERSONS)),
      requestBytes: chance.between(200, 3000),
      ...data,
    }
    const providerMs = timeMs + transitMs + this.#skewOf(service.department) - this.#skewOf(consumer)
    const isTold = {
      consumer: silent !== 'consumer' && !this.#isOut(consumer, timeMs),
      provider: silent !== 'provider' && !this.#isOut(service.department, providerMs),
    }
    const alone = isTold.consumer === isTold.provider ? [] : ['missing-side']
    const agent = isJob ? {} : { agent: this.agent(consumer) }
    if (isTold.consumer) {
      const told = { side: 'consumer', ...shared, durationMs: workMs + 2 * transitMs, ...agent }
      this.write('tidemark.call.v1', consumer, timeMs, resourceOf(service), told, [
        ...labels,
        ...alone,
        ...(options.consumerLabels ?? []),
      ])
    }
    if (isTold.provider) {
      const told = { side: 'provider', ...shared, durationMs: workMs, ...differing }
      this.write('tidemark.call.v1', service.department, providerMs, resourceOf(service), told, [
        ...labels,
        ...alone,
        ...(options.providerLabels ?? []),
      ])
    }
  }

  /** A person's consent to the calls of a lane; none when nobody can write it down. */
  authorization(lane: Lane, timeMs: number, purpose: string): Grant | undefined {
    const chance = this.#chance
    const person = sampleTag(chance.below(PERSONS))
    const notBefore = Math.floor(timeMs / 1000)
    const notAfter = notBefore + (chance.pick([3, 10, 30, 90]) * DAY_MS) / 1000
    const maxCalls = chance.between(20, 200)
    const grant = {
      subject: toHex(sha256(utf8(`sample subject ${person}`)).subarray(0, 20)),
      consumer: hashOf(partyOf(lane.consumer)),
      resource: hashOf(resourceOf(lane.service)),
      purpose: hashOf(purpose),
      ...{ notBefore, notAfter, maxCalls, nonce: String(this.#made) },
    }
    const id = toHex(sha256(canonicalBytes(grant)))
    const signature = toHex(sha256(utf8(id)))
    const data = { authorization: id, grant, signature, person }
    const subject = resourceOf(lane.service)
    if (!this.write('tidemark.authorization.v1', lane.consumer, timeMs, subject, data)) return undefined
    return { id, person, purpose, lane, lastMs: 1000 * notAfter, callsLeft: maxCalls }
  }

  /** @returns whether it is written: a department that is out writes nothing */
  write(
    type: RecordTypeName,
    department: string,
    timeMs: number,
    subject: string | undefined,
    data: FlowRecord['data'],
    labels: readonly string[] = [],
  ): boolean {
    if (this.#isOut(department, timeMs)) return false
    const record: FlowRecord = {
      specversion: '1.0',
      id: `sample-${this.#label}-${this.#made++}`,
      source: partyOf(department),
      type,
      time: new Date(timeMs).toISOString(),
      ...(subject === undefined ? {} : { subject }),
      data,
    }
    this.#drafts.push({ timeMs, record, labels })
    return true
  }

  agent = (department: string): string => `sample-agent-${department}-${this.#chance.below(AGENTS)}`

  #skewOf(department: string): number {
    const known = this.#skews.get(department) ?? this.#chance.between(-700, 700)
    this.#skews.set(department, known)
    return known
  }
}

const hashOf = (name: string) => toHex(sha256(utf8(name)))
