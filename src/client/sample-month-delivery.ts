import type { FlowRecord } from '../record/index.ts'
import type { Chance } from './sample-chance.ts'
import { DAY_MS, MINUTE_MS } from './sample-month-people.ts'

/** A department says nothing; its records of that time are lost, and with a gap the number of a submission too. */
export interface Outage {
  department: string
  kind: 'silence' | 'gap'
  fromMs: number
  toMs: number
}

/** One line of `tidemark sample --month --submissions FILE`. Times in milliseconds since 1970. */
export interface SampleSubmission {
  source: string
  sequence: string
  /** id of its first record */
  first: string
  count: number
  receivedAt: number
  anchorBy: number
  anchoredAt: number | null
}

interface Waiting {
  first: string
  count: number
  untilMs: number
  lastMs: number
}

const PROMISE_MS = 10 * MINUTE_MS

/** How one source hands over its records, and what became of the promises that it got. */
export class Delivery {
  readonly #source: string
  readonly #chance: Chance
  /** in how many of ten thousand the promise is broken */
  readonly #brokenIn10000: number
  #sequence = 0
  #waiting: Waiting | undefined

  constructor(source: string, chance: Chance, brokenIn10000: number) {
    this.#source = source
    this.#chance = chance
    this.#brokenIn10000 = brokenIn10000
  }

  /** @returns the submission that is complete before this record, and whether its promise was broken */
  add({ id }: FlowRecord, timeMs: number): Delivered | undefined {
    const waiting = this.#waiting
    if (waiting !== undefined && timeMs < waiting.untilMs && waiting.count < 200) {
      waiting.count++
      waiting.lastMs = timeMs
      return undefined
    }
    const delivered = this.finish()
    this.#waiting = {
      ...{ first: id, count: 1, lastMs: timeMs },
      untilMs: timeMs + this.#chance.between(20, 40) * MINUTE_MS,
    }
    return delivered
  }

  /** The number of a submission is used up, and nobody ever sees it. */
  lose(): Delivered | undefined {
    const delivered = this.finish()
    this.#sequence++
    return delivered
  }

  /** @param isLast whether the month ends: what is not on the chain then may still come in time */
  finish(isLast = false): Delivered | undefined {
    const waiting = this.#waiting
    if (waiting === undefined) return undefined
    this.#waiting = undefined
    const { first, count } = waiting
    const receivedAt = waiting.lastMs + this.#chance.between(50, 2000)
    const anchorBy = receivedAt + PROMISE_MS
    const isBroken = !isLast && this.#chance.below(10_000) < this.#brokenIn10000
    const lateMs = this.#chance.pick([1, 20, 120, 600]) * MINUTE_MS
    const isLost = isBroken && this.#chance.happens(30)
    const usualMs = this.#chance.happens(95) ? 90_000 : PROMISE_MS
    const anchoredAt = isBroken ? anchorBy + lateMs : receivedAt + this.#chance.between(5_000, usualMs)
    const submission = {
      ...{ source: this.#source, sequence: String(this.#sequence++), first, count, receivedAt, anchorBy },
      anchoredAt: isLost ? null : anchoredAt,
    }
    return { submission, isBroken }
  }
}

export interface Delivered {
  submission: SampleSubmission
  isBroken: boolean
}

/** Some silences of hours and some gaps of minutes, no two of one department at once. */
export function drawOutages(
  chance: Chance,
  departments: readonly [string, ...string[]],
  startMs: number,
  days: number,
): Outage[] {
  const outages: Outage[] = []
  for (let i = 0; i < OUTAGES; i++) {
    const kind = i % 2 === 0 ? 'silence' : 'gap'
    const fromMs = startMs + chance.between(DAY_MS / MINUTE_MS, (days - 1) * 1440) * MINUTE_MS
    const lengthMs = (kind === 'silence' ? chance.between(240, 540) : chance.between(20, 50)) * MINUTE_MS
    const department = chance.pick(departments)
    const isNear = outages.some(
      (other) => other.department === department && Math.abs(other.fromMs - fromMs) < DAY_MS,
    )
    if (!isNear) outages.push({ department, kind, fromMs, toMs: fromMs + lengthMs })
  }
  return outages.sort((a, b) => a.fromMs - b.fromMs)
}

const OUTAGES = 12
