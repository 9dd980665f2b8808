import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as hmacHash } from '@noble/hashes/sha2.js'
import { toBase64url } from '../bytes/base64url.ts'
import { utf8 } from '../bytes/bytes.ts'
import { type Hex, toHex } from '../bytes/hex.ts'
import { sha256 } from '../bytes/sha256.ts'
import { InputError } from '../errors.ts'
import { canonicalBytes, type FlowRecord, type RecordTypeName } from '../record/index.ts'
import { Chance } from './sample-chance.ts'
import { DEPARTMENTS, PURPOSES, partyOf, resourceOf, type Service, servicesOf } from './sample-services.ts'

export interface SampleOptions {
  /** the same seed and options give the same records */
  seed: number | string
  /** how many records */
  count: number
  /** no record is earlier */
  from: Date
  /** two or more, each lowercase words joined by hyphens; eight of them if left out */
  departments?: readonly string[]
}

/**
 * Made-up records of every type, as sources write them, nothing sealed, in the order of their time.
 *
 * Nobody and nothing in them exists: every id starts with `sample-` and every source with `urn:tidemark:sample:`,
 * persons are tags under a key that stands below, and the signatures of grants are filler that verifies nowhere. Most
 * records are calls, each told by both sides one after the other under one `requestId`. A call to a conditional service
 * cites a grant that an earlier record gave and none has revoked. Most fall into the office hours of UTC+8.
 *
 * @throws {InputError} `BAD_ARGUMENT`
 */
export function sampleRecords(options: SampleOptions): Generator<FlowRecord, void, undefined> {
  const { seed, count, from, departments = DEPARTMENTS } = options
  if (!Number.isSafeInteger(count) || count < 0) throw bad('the count must be a whole number of at least 0')
  if (Number.isNaN(from.getTime()) || from.getTime() < 0 || from.getTime() > LATEST_MS) {
    throw bad('a sample begins between the years 1970 and 9000')
  }
  const wrong = departments.find((department) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(department))
  if (wrong !== undefined) throw bad(`a department is lowercase words joined by hyphens, not ${wrong}`)
  const [first, second, ...others] = new Set(departments)
  if (first === undefined || second === undefined) throw bad('a sample needs two departments or more')
  return new Sample(String(seed), from.getTime(), [first, second, ...others]).records(count)
}

/** The key of the persons' tags: public, because the persons are nobody. */
export const SAMPLE_TAG_KEY = 'tidemark sample: a made-up key for made-up persons, not a secret'

const PERSONS = 400
const AGENTS = 40
const LATEST_MS = Date.UTC(9000, 0)
const OFFICE_OFFSET_MS = 8 * 3_600_000
const DAY_MS = 86_400_000

/** The steps of every sixty that make something else than a call, and what. */
const RARE: Readonly<Record<number, RecordTypeName>> = {
  0: 'tidemark.authorization.v1',
  4: 'tidemark.authorization.v1',
  7: 'tidemark.refusal.v1',
  13: 'tidemark.authorization.v1',
  19: 'tidemark.transfer.v1',
  25: 'tidemark.heartbeat.v1',
  29: 'tidemark.destruction.v1',
  33: 'tidemark.incident.v1',
  37: 'tidemark.authorization.v1',
  41: 'tidemark.breaker.v1',
  47: 'tidemark.checkpoint.v1',
  53: 'tidemark.revocation.v1',
}
const CYCLE = 60

interface Grant {
  id: Hex
  person: string
  consumer: string
  service: Service
  purpose: string
  lastMs: number
  callsLeft: number
}

class Sample {
  readonly #label: string
  readonly #chance: Chance
  readonly #departments: readonly [string, string, ...string[]]
  readonly #services: Service[]
  readonly #heartbeats = new Map<string, number>()
  #grants: Grant[] = []
  #tripped: Service | undefined
  #incident: { rule: string; detectedAt: string; deadline: string; state: 'open' | 'reported' } | undefined
  #checkpointSize = 0
  #nowMs: number
  readonly #fromMs: number
  #made = 0

  constructor(seed: string, fromMs: number, departments: readonly [string, string, ...string[]]) {
    this.#label = toHex(sha256(utf8(seed)).subarray(0, 4)).slice(2)
    this.#chance = new Chance(`tidemark sample ${seed}`)
    this.#fromMs = fromMs
    this.#nowMs = fromMs
    this.#departments = departments
    this.#services = departments.flatMap(servicesOf)
  }

  *records(count: number): Generator<FlowRecord, void, undefined> {
    let left = count
    for (let step = 0; left > 0; step++) {
      this.#pass()
      const records = this.#step(RARE[step % CYCLE])
      // Half a pair would look like a side that kept silent.
      const fitting = records.length <= left ? records : [this.#heartbeat()]
      left -= fitting.length
      yield* fitting
    }
  }

  #step(type: RecordTypeName | undefined): FlowRecord[] {
    switch (type) {
      case 'tidemark.authorization.v1':
        return [this.#authorization()]
      case 'tidemark.revocation.v1':
        return [this.#revocation()]
      case 'tidemark.refusal.v1':
        return this.#refusedCall()
      case 'tidemark.transfer.v1':
        return [this.#transfer()]
      case 'tidemark.destruction.v1':
        return [this.#destruction()]
      case 'tidemark.incident.v1':
        return [this.#incidentReport()]
      case 'tidemark.breaker.v1':
        return [this.#breaker()]
      case 'tidemark.checkpoint.v1':
        return [this.#checkpoint()]
      case 'tidemark.heartbeat.v1':
        return [this.#heartbeat()]
      default:
        return this.#call()
    }
  }

  #call(): FlowRecord[] {
    const { service, consumer, grant } = this.#occasion()
    if (service === this.#tripped)
      return this.#bothSides(service, consumer, { outcome: 'refused', status: 'tripped' })
    const failed = this.#chance.happens(3)
    if (grant !== undefined) grant.callsLeft--
    return this.#bothSides(service, consumer, {
      person: grant?.person ?? this.#person(),
      purpose: grant?.purpose ?? this.#chance.pick(PURPOSES),
      ...(grant && { authorization: grant.id }),
      ...(failed
        ? { outcome: 'failed', status: this.#chance.pick(['502', '503', '504']) }
        : { outcome: 'success', status: '200', rows: this.#chance.between(1, 20) }),
    })
  }

  /** A call that the provider turned down, and why. */
  #refusedCall(): FlowRecord[] {
    const service = this.#chance.pick(this.#conditional())
    const consumer = this.#otherThan(service.department)
    const person = this.#person()
    const purpose = this.#chance.pick(PURPOSES)
    const calls = this.#bothSides(service, consumer, { person, purpose, outcome: 'refused', status: '403' })
    const { requestId } = calls[0]?.data ?? {}
    const refusal = this.#record('tidemark.refusal.v1', service.department, resourceOf(service), {
      side: 'provider',
      ...this.#parties(service, consumer),
      requestId,
      reason: this.#chance.pick(['no-grant', 'grant-expired', 'purpose-mismatch']),
      legalBasis: service.legalBasis,
      person,
    })
    return [...calls, refusal]
  }

  /** The consumer's and the provider's record of one call. */
  #bothSides(service: Service, consumer: string, data: FlowRecord['data']): FlowRecord[] {
    const requestId = this.#chance.uuid()
    const trace = toHex(this.#chance.bytes(16)).slice(2)
    const transitMs = this.#chance.between(1, 40)
    const workMs = this.#chance.between(5, 400)
    const shared = {
      ...this.#parties(service, consumer),
      requestId,
      sharing: service.sharing,
      level: service.level,
      legalBasis: service.legalBasis,
      requestBytes: this.#chance.between(200, 3000),
      ...(data.outcome === 'success' ? { responseBytes: this.#chance.between(400, 60_000) } : {}),
      ...data,
    }
    const told = (side: 'consumer' | 'provider', durationMs: number, department: string) => ({
      ...this.#record('tidemark.call.v1', department, resourceOf(service), {
        side,
        ...shared,
        durationMs,
        ...(side === 'consumer' ? { agent: this.#agent(consumer) } : {}),
      }),
      traceparent: `00-${trace}-${toHex(this.#chance.bytes(8)).slice(2)}-01`,
    })
    const first = told('consumer', workMs + 2 * transitMs, consumer)
    this.#nowMs += transitMs
    return [first, told('provider', workMs, service.department)]
  }

  #authorization(): FlowRecord {
    const service = this.#chance.pick(this.#conditional())
    const consumer = this.#otherThan(service.department)
    const purpose = this.#chance.pick(PURPOSES)
    const person = this.#person()
    const notBefore = Math.floor(this.#nowMs / 1000)
    const notAfter = notBefore + 86_400 * this.#chance.pick([7, 30, 90])
    const maxCalls = this.#chance.between(20, 200)
    const grant = {
      subject: toHex(sha256(utf8(`sample subject ${person}`)).subarray(0, 20)),
      consumer: nameHash(partyOf(consumer)),
      resource: nameHash(resourceOf(service)),
      purpose: nameHash(purpose),
      notBefore,
      notAfter,
      maxCalls,
      nonce: String(this.#made),
    }
    const id = toHex(sha256(canonicalBytes(grant)))
    this.#grants.push({
      id,
      person,
      consumer,
      service,
      purpose,
      lastMs: 1000 * notAfter,
      callsLeft: maxCalls,
    })
    return this.#record('tidemark.authorization.v1', consumer, resourceOf(service), {
      authorization: id,
      grant,
      signature: toHex(this.#chance.bytes(65)),
      person,
    })
  }

  #revocation(): FlowRecord {
    const place = this.#chance.below(this.#grants.length)
    const [grant] = this.#grants.splice(place, 1)
    if (grant === undefined) return this.#heartbeat()
    return this.#record('tidemark.revocation.v1', grant.consumer, resourceOf(grant.service), {
      authorization: grant.id,
      effectiveAt: time(this.#nowMs),
      reason: 'withdrawn-by-subject',
      person: grant.person,
    })
  }

  #transfer(): FlowRecord {
    const service = this.#chance.pick(this.#all())
    const consumer = this.#otherThan(service.department)
    const mode = this.#chance.pick(['raw', 'view', 'compute-only'])
    return this.#record('tidemark.transfer.v1', service.department, resourceOf(service), {
      inputs: [`${resourceOf(service)}:monthly`],
      outputs: [this.#copy(consumer)],
      mode,
      rows: this.#chance.between(100, 50_000),
      consumer: partyOf(consumer),
      provider: partyOf(service.department),
      agent: this.#agent(service.department),
    })
  }

  #destruction(): FlowRecord {
    const service = this.#chance.pick(this.#all())
    const holder = this.#otherThan(service.department)
    return this.#record('tidemark.destruction.v1', holder, resourceOf(service), {
      copy: this.#copy(holder),
      method: this.#chance.pick(['crypto-erase', 'overwrite', 'shred']),
      trigger: this.#chance.pick(['purpose-fulfilled', 'consent-withdrawn', 'retention-expired']),
      rows: this.#chance.between(100, 50_000),
      executor: this.#agent(holder),
      witness: this.#agent(holder),
      approver: this.#agent(service.department),
    })
  }

  /** Opens an incident, reports it the next time and closes it the time after. */
  #incidentReport(): FlowRecord {
    const now = time(this.#nowMs)
    const current = this.#incident
    const { rule, detectedAt, deadline } = current ?? {
      rule: this.#chance.pick(['rate-above-baseline', 'call-without-grant', 'missing-side']),
      detectedAt: now,
      deadline: time(this.#nowMs + DAY_MS),
    }
    const state = current === undefined ? 'open' : current.state === 'open' ? 'reported' : 'closed'
    this.#incident = state === 'closed' ? undefined : { rule, detectedAt, deadline, state }
    return this.#record('tidemark.incident.v1', this.#departments[0], undefined, {
      severity: this.#chance.pick(['high', 'medium', 'low']),
      detectedAt,
      deadline,
      rule,
      affected: this.#chance.between(1, 500),
      state,
      ...(state === 'open' ? { note: 'Made up for the sample.' } : { reportedAt: now }),
    })
  }

  #breaker(): FlowRecord {
    const reset = this.#tripped
    const service = reset ?? this.#chance.pick(this.#all())
    this.#tripped = reset === undefined ? service : undefined
    return this.#record('tidemark.breaker.v1', service.department, resourceOf(service), {
      target: resourceOf(service),
      action: reset === undefined ? 'trip' : 'reset',
      reason: reset === undefined ? 'suspected-leak' : 'checked',
      agent: this.#agent(service.department),
    })
  }

  #checkpoint(): FlowRecord {
    this.#checkpointSize += this.#chance.between(1, 50)
    return this.#record('tidemark.checkpoint.v1', this.#departments[1], undefined, {
      chainId: '31337',
      ledger: toHex(sha256(utf8('sample municipal ledger')).subarray(0, 20)),
      size: String(this.#checkpointSize),
      root: toHex(this.#chance.bytes(32)),
    })
  }

  #heartbeat(): FlowRecord {
    const department = this.#chance.pick(this.#departments)
    const sinceMs = this.#heartbeats.get(department) ?? this.#fromMs
    this.#heartbeats.set(department, this.#nowMs)
    return this.#record('tidemark.heartbeat.v1', department, undefined, {
      from: time(sinceMs),
      to: time(this.#nowMs),
    })
  }

  #record(
    type: RecordTypeName,
    department: string,
    subject: string | undefined,
    data: FlowRecord['data'],
  ): FlowRecord {
    return {
      specversion: '1.0',
      id: `sample-${this.#label}-${this.#made++}`,
      source: partyOf(department),
      type,
      time: time(this.#nowMs),
      ...(subject === undefined ? {} : { subject }),
      data,
    }
  }

  /** Who calls what, under which grant where the service asks for one. */
  #occasion(): { service: Service; consumer: string; grant?: Grant } {
    this.#grants = this.#grants.filter(({ lastMs, callsLeft }) => lastMs > this.#nowMs && callsLeft > 0)
    const [first, ...others] = this.#grants
    if (first !== undefined && this.#chance.happens(55)) {
      const grant = this.#chance.pick([first, ...others])
      return { service: grant.service, consumer: grant.consumer, grant }
    }
    const open = this.#services.filter(({ sharing }) => sharing === 'unconditional')
    const service = this.#chance.pick(nonEmpty(open, this.#all()))
    return { service, consumer: this.#otherThan(service.department) }
  }

  /** Lets time go by: up to a minute in office hours, up to half an hour outside. */
  #pass(): void {
    const local = new Date(this.#nowMs + OFFICE_OFFSET_MS)
    const hour = local.getUTCHours()
    const weekday = local.getUTCDay() !== 0 && local.getUTCDay() !== 6
    const busy = weekday && hour >= 9 && hour < 18
    this.#nowMs += this.#chance.below(busy ? 60_000 : 1_800_000)
  }

  #parties(service: Service, consumer: string) {
    return {
      consumer: partyOf(consumer),
      provider: partyOf(service.department),
      operation: service.operation,
    }
  }

  #all = (): readonly [Service, ...Service[]] => nonEmpty(this.#services, servicesOf(this.#departments[0]))

  #conditional = (): readonly [Service, ...Service[]] =>
    nonEmpty(
      this.#services.filter(({ sharing }) => sharing === 'conditional'),
      this.#all(),
    )

  #otherThan(department: string): string {
    const [first, second] = this.#departments
    const picked = this.#chance.pick(this.#departments)
    if (picked !== department) return picked
    return picked === first ? second : first
  }

  #person = (): string => sampleTag(this.#chance.below(PERSONS))

  #agent = (department: string): string => `sample-agent-${department}-${this.#chance.below(AGENTS)}`

  #copy = (department: string): string =>
    `${partyOf(department)}:copy-${this.#chance.below(1000).toString().padStart(3, '0')}`
}

/** The tag of a made-up person. */
export const sampleTag = (person: number): string =>
  toBase64url(hmac(hmacHash, utf8(SAMPLE_TAG_KEY), utf8(`sample person ${person}`)))

const nameHash = (name: string) => toHex(sha256(utf8(name)))
const time = (ms: number) => new Date(ms).toISOString()

function nonEmpty<Item>(items: readonly Item[], otherwise: readonly Item[]): readonly [Item, ...Item[]] {
  const [first, ...rest] = items.length > 0 ? items : otherwise
  if (first === undefined) throw new RangeError('every department has a service')
  return [first, ...rest]
}

const bad = (reason: string) => new InputError('BAD_ARGUMENT', reason)
