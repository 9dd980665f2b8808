import { toHex } from '../bytes/hex.ts'
import type { Chance } from './sample-chance.ts'
import type { Outage } from './sample-month-delivery.ts'
import type { Desk } from './sample-month-desk.ts'
import { type Lane, MINUTE_MS, type MonthCalendar } from './sample-month-people.ts'
import { type Act, citing, isConditional, type MonthWork, success } from './sample-month-work.ts'
import { PURPOSES, resourceOf } from './sample-services.ts'

interface MisuseParts {
  chance: Chance
  desk: Desk
  calendar: MonthCalendar
  work: MonthWork
  lanes: readonly Lane[]
  /** misuse keeps away from them, so that each is what its label says */
  outages: readonly Outage[]
}

/** The misuse of a month, but for what departments do not hand over. */
export class MonthMisuse {
  readonly #parts: MisuseParts
  readonly #chance: Chance
  readonly #conditional: readonly Lane[]
  readonly #open: readonly Lane[]

  constructor(parts: MisuseParts) {
    this.#parts = { ...parts, outages: [...parts.outages] }
    this.#chance = parts.chance
    this.#conditional = parts.lanes.filter(isConditional)
    this.#open = parts.lanes.filter((lane) => !isConditional(lane) && lane.kind === 'office')
  }

  acts(): Act[] {
    const several = (count: number, plan: () => Act[]) => Array.from({ length: count }, plan).flat()
    return [
      ...several(40, () => this.#grantless()),
      ...several(8, () => this.#trip()),
      ...several(10, () => this.#spree()),
      ...several(8, () => this.#burst()),
      ...several(30, () => this.#replay()),
      ...several(40, () => this.#oneSided()),
    ]
  }

  /** A call without a grant, or under one that does not fit or is over. */
  #grantless(): Act[] {
    const lane = this.#pick(this.#conditional)
    const fault = this.#chance.below(7)
    return this.#at(lane, this.#officeMs(), 0, (timeMs) => {
      const { desk, work } = this.#parts
      const { consumer, service } = lane
      const grant = work.grantFor(lane, timeMs)
      const over = work.ended.filter(
        ({ lane: its, lastMs, revokedMs = lastMs }) => its === lane && revokedMs < timeMs - 5 * MINUTE_MS,
      )
      const labels = ['call-without-grant', ...(work.tripped.has(service) ? ['call-during-trip'] : [])]
      const call = (data: object, by = consumer, what = service) =>
        desk.call(by, what, timeMs, { data: { ...success(this.#chance), ...data }, labels })
      if (fault === 0) call({ purpose: this.#chance.pick(PURPOSES) })
      else if (fault === 1 || grant === undefined) {
        call({ purpose: this.#chance.pick(PURPOSES), authorization: toHex(this.#chance.bytes(32)) })
      } else if (fault === 2) {
        call({ ...citing(grant), purpose: PURPOSES.find((purpose) => purpose !== grant.purpose) })
      } else if (fault === 3) {
        const strangers = this.#parts.lanes.filter(
          (other) => other.consumer !== consumer && other.consumer !== service.department,
        )
        call(citing(grant), this.#pick(strangers).consumer)
      } else if (fault === 4) {
        const elsewhere = this.#conditional.filter(
          (other) =>
            other.service !== service &&
            other.service.department !== consumer &&
            !work.tripped.has(other.service),
        )
        call(citing(grant), consumer, this.#pick(elsewhere).service)
      } else if (fault === 5) {
        const { person: _, ...rest } = citing(grant)
        call(rest)
      } else {
        const [first, ...others] = over
        call(first === undefined ? {} : citing(this.#chance.pick([first, ...others])))
      }
    })
  }

  /** A trip of the breaker for hours, which some calls ignore. */
  #trip(): Act[] {
    const { desk, work } = this.#parts
    const lane = this.#pick(this.#conditional)
    const { consumer, service } = lane
    const fromMs = this.#officeMs()
    const lengthMs = this.#chance.between(60, 300) * MINUTE_MS
    const breaker = (action: 'trip' | 'reset', reason: string) => (timeMs: number) => {
      if (work.tripped.has(service) === (action === 'trip')) return
      if (action === 'trip') work.tripped.add(service)
      else work.tripped.delete(service)
      const target = resourceOf(service)
      desk.write('tidemark.breaker.v1', service.department, timeMs, target, { target, action, reason })
    }
    const ignored = Array.from({ length: this.#chance.between(4, 8) }, () =>
      this.#at(lane, fromMs + this.#chance.below(lengthMs), 0, (timeMs) => {
        const grant = work.grantFor(lane, timeMs)
        if (grant === undefined || !work.tripped.has(service)) return
        grant.callsLeft--
        const data = { ...citing(grant), ...success(this.#chance) }
        desk.call(consumer, service, timeMs, { data, labels: ['call-during-trip'], isJob: true })
      }),
    ).flat()
    const trip = this.#at(lane, fromMs, lengthMs, breaker('trip', 'suspected-leak'))
    const reset = { timeMs: fromMs + lengthMs, run: () => breaker('reset', 'checked')(fromMs + lengthMs) }
    return trip.length === 0 ? [] : [...trip, ...ignored, reset]
  }

  /** Somebody looks things up at night, or on a day off. */
  #spree(): Act[] {
    const lane = this.#pick(this.#open)
    const startMs = this.#chance.happens(60) ? this.#nightMs() : this.#dayOffMs()
    let timeMs = startMs
    return Array.from({ length: this.#chance.between(3, 8) }, () => {
      timeMs += this.#chance.between(20_000, 10 * MINUTE_MS)
      return this.#openCall(lane, timeMs, { consumerLabels: ['out-of-hours'] })
    }).flat()
  }

  /** Hundreds of calls in minutes. */
  #burst(): Act[] {
    const lane = this.#pick(this.#open)
    const startMs = this.#officeMs()
    const lengthMs = this.#chance.between(8, 20) * MINUTE_MS
    return Array.from({ length: this.#chance.between(40, 400) }, () =>
      this.#openCall(lane, startMs + this.#chance.below(lengthMs), {
        providerLabels: ['rate-above-baseline'],
      }),
    ).flat()
  }

  /** An answered request that is sent again, within hours. */
  #replay(): Act[] {
    const lane = this.#pick(this.#open)
    const startMs = this.#officeMs()
    const laterMs = startMs + this.#chance.pick([10_000, 50_000, 10 * MINUTE_MS, 360 * MINUTE_MS])
    const requestId = this.#chance.uuid()
    const first = this.#openCall(lane, startMs, { requestId, isJob: true })
    const again = this.#openCall(lane, laterMs, { requestId, isJob: true, labels: ['duplicated-request'] })
    return first.length === 0 ? [] : [...first, ...again]
  }

  /** A call that one side keeps to itself, or tells otherwise. */
  #oneSided(): Act[] {
    const lane = this.#pick(this.#open)
    const startMs = this.#officeMs()
    const silent = this.#chance.pick(['consumer', 'provider', undefined] as const)
    if (silent !== undefined) return this.#openCall(lane, startMs, { silent })
    const differing = this.#chance.happens(50) ? { rows: 500 } : { outcome: 'failed', status: '500' }
    return this.#openCall(lane, startMs, { differing, labels: ['missing-side'] })
  }

  #openCall(lane: Lane, timeMs: number, options: Omit<Parameters<Desk['call']>[3], 'data'>): Act[] {
    const data = { purpose: this.#chance.pick(PURPOSES), ...success(this.#chance) }
    return this.#at(lane, timeMs, 0, (now) => {
      this.#parts.desk.call(lane.consumer, lane.service, now, { data, ...options })
    })
  }

  /** Nothing when a department that has to do with it is out within an hour of it. */
  #at(lane: Lane, timeMs: number, lengthMs: number, run: (timeMs: number) => void): Act[] {
    const near = 60 * MINUTE_MS
    const isNear = this.#parts.outages.some(
      ({ department, fromMs, toMs }) =>
        [lane.consumer, lane.service.department].includes(department) &&
        fromMs < timeMs + lengthMs + near &&
        timeMs - near < toMs,
    )
    return isNear ? [] : [{ timeMs, run: () => run(timeMs) }]
  }

  #officeMs = (): number => this.#minuteOf(true, this.#chance.between(9 * 60, 16 * 60))
  #dayOffMs = (): number => this.#minuteOf(false, this.#chance.between(9 * 60, 17 * 60))

  #nightMs(): number {
    const { calendar } = this.#parts
    const day = this.#chance.between(0, calendar.days - 2)
    return calendar.dayMs(day) + this.#chance.between(22 * 60 + 30, 28 * 60 + 30) * MINUTE_MS
  }

  /** A minute of a day on which people work, or do not. */
  #minuteOf(isWorkday: boolean, minute: number): number {
    const { calendar } = this.#parts
    const days = Array.from({ length: calendar.days - 1 }, (_, day) => day)
    const day = this.#pick(days.filter((day) => calendar.isWorkday(day) === isWorkday))
    return calendar.dayMs(day) + minute * MINUTE_MS + this.#chance.below(MINUTE_MS)
  }

  #pick<Item>(items: readonly Item[]): Item {
    const item = items[this.#chance.below(items.length)]
    if (item === undefined) throw new RangeError('a month has lanes and days of every kind')
    return item
  }
}
