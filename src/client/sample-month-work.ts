import type { Chance } from './sample-chance.ts'
import type { Desk, Grant } from './sample-month-desk.ts'
import { drawMinute, type Lane, MINUTE_MS, type MonthCalendar } from './sample-month-people.ts'
import { PURPOSES, partyOf, resourceOf, type Service } from './sample-services.ts'

/** Something that is done at a time; acts run in the order of their times. */
export interface Act {
  timeMs: number
  run(): void
}

/** The normal work of a month: calls, consents and their withdrawal, refusals, new tries. */
export class MonthWork {
  readonly #chance: Chance
  readonly #desk: Desk
  readonly #calendar: MonthCalendar
  readonly #lanes: readonly Lane[]
  readonly #grants = new Map<Lane, Grant[]>()
  /** grants that have been withdrawn or have run out */
  readonly ended: Grant[] = []
  /** services whose breaker is tripped */
  readonly tripped = new Set<Service>()

  constructor(chance: Chance, desk: Desk, calendar: MonthCalendar, lanes: readonly Lane[]) {
    this.#chance = chance
    this.#desk = desk
    this.#calendar = calendar
    this.#lanes = lanes
  }

  actsOf(day: number): Act[] {
    const startMs = this.#calendar.dayMs(day)
    const at = (timeMs: number, run: (timeMs: number) => void): Act => ({ timeMs, run: () => run(timeMs) })
    const acts = this.#lanes.flatMap((lane) =>
      Array.from({ length: this.#callsOn(day, lane) }, () => {
        const timeMs = startMs + drawMinute(this.#chance, lane) * MINUTE_MS + this.#chance.below(MINUTE_MS)
        return at(timeMs, (now) => this.#ordinaryCall(lane, now))
      }),
    )
    const conditional = this.#lanes.filter(isConditional)
    const consents = conditional.flatMap((lane) => {
      const count = day === 0 ? 4 : this.#chance.below(3)
      return Array.from({ length: count }, () => {
        // On the first day, what was given before is taken over at once.
        const minute = day === 0 ? 1 : this.#chance.below(1440)
        const timeMs = startMs + minute * MINUTE_MS + this.#chance.below(MINUTE_MS)
        return at(timeMs, (now) => this.#consent(lane, now))
      })
    })
    const withdrawals = Array.from({ length: this.#chance.between(3, 8) }, () =>
      at(startMs + this.#chance.below(1440 * MINUTE_MS), (now) => this.#withdraw(now)),
    )
    return [...acts, ...consents, ...withdrawals]
  }

  /** A grant of the lane that is in force, if there is one. */
  grantFor(lane: Lane, nowMs: number): Grant | undefined {
    const grants = this.#grants.get(lane) ?? []
    const live = grants.filter(({ lastMs, callsLeft }) => lastMs > nowMs && callsLeft > 0)
    this.ended.push(...grants.filter(({ lastMs }) => lastMs <= nowMs))
    this.#grants.set(lane, live)
    const [first, ...others] = live
    return first && this.#chance.pick([first, ...others])
  }

  #callsOn(day: number, { kind, perDay }: Lane): number {
    if (kind === 'office' && !this.#calendar.isWorkday(day)) return 0
    const busy = kind === 'nightly' ? 100 : this.#calendar.busyPercent(day)
    const around = kind === 'nightly' ? this.#chance.between(85, 115) : this.#chance.between(50, 150)
    return Math.round((perDay * busy * around) / 10_000)
  }

  #ordinaryCall(lane: Lane, nowMs: number): void {
    const { consumer, service } = lane
    const isJob = lane.kind === 'nightly'
    if (this.tripped.has(service)) {
      this.#desk.call(consumer, service, nowMs, { isJob, data: { outcome: 'refused', status: 'tripped' } })
      return
    }
    const grant = isConditional(lane) ? this.grantFor(lane, nowMs) : undefined
    if (isConditional(lane) && grant === undefined) {
      this.#refusedCall(lane, nowMs)
      return
    }
    const basis = grant === undefined ? { purpose: this.#chance.pick(PURPOSES) } : citing(grant)
    if (grant !== undefined) grant.callsLeft--
    const requestId = this.#chance.uuid()
    if (!this.#chance.happens(2)) {
      const data = { ...basis, ...success(this.#chance) }
      this.#desk.call(consumer, service, nowMs, { isJob, requestId, data })
      return
    }
    const data = { ...basis, outcome: 'failed', status: this.#chance.pick(['502', '503', '504']) }
    this.#desk.call(consumer, service, nowMs, { isJob, requestId, data })
    if (this.#chance.happens(50)) {
      const again = { ...basis, ...success(this.#chance) }
      const laterMs = nowMs + this.#chance.between(2_000, 30_000)
      this.#desk.call(consumer, service, laterMs, { isJob, requestId, data: again })
    }
  }

  #refusedCall({ consumer, service }: Lane, nowMs: number): void {
    const requestId = this.#chance.uuid()
    const purpose = this.#chance.pick(PURPOSES)
    const data = { purpose, outcome: 'refused', status: '403' }
    this.#desk.call(consumer, service, nowMs, { requestId, data })
    this.#desk.write('tidemark.refusal.v1', service.department, nowMs + 60, resourceOf(service), {
      side: 'provider',
      consumer: partyOf(consumer),
      provider: partyOf(service.department),
      operation: service.operation,
      ...{ requestId, reason: 'no-grant', legalBasis: service.legalBasis },
    })
  }

  #consent(lane: Lane, nowMs: number): void {
    const grant = this.#desk.authorization(lane, nowMs, this.#chance.pick(PURPOSES))
    if (grant !== undefined) this.#grants.set(lane, [...(this.#grants.get(lane) ?? []), grant])
  }

  #withdraw(nowMs: number): void {
    const [first, ...others] = [...this.#grants].filter(([, grants]) => grants.length > 0)
    if (first === undefined) return
    const [lane, grants] = this.#chance.pick([first, ...others])
    const place = this.#chance.below(grants.length)
    const grant = grants[place]
    if (grant === undefined) return
    const isWritten = this.#desk.write(
      'tidemark.revocation.v1',
      lane.consumer,
      nowMs,
      resourceOf(lane.service),
      {
        authorization: grant.id,
        effectiveAt: new Date(nowMs).toISOString(),
        reason: 'withdrawn-by-subject',
        person: grant.person,
      },
    )
    if (!isWritten) return
    grants.splice(place, 1)
    this.ended.push({ ...grant, revokedMs: nowMs })
  }
}

export const isConditional = ({ service }: Lane): boolean => service.sharing === 'conditional'

/** What a call says of the grant that it relies on. */
export const citing = ({ id, person, purpose }: Grant) => ({ authorization: id, person, purpose })

export const success = (chance: Chance) => ({
  outcome: 'success',
  status: '200',
  rows: chance.between(1, 20),
  responseBytes: chance.between(400, 60_000),
})
