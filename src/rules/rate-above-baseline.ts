import { calendarOf } from './calendar.ts'
import { type Match, type RecordRef, type Rule, refOf } from './rule.ts'

/**
 * Nobody asks for much more than usual.
 *
 * Counts what providers tell of one consumer and one resource in a sliding window. Usual is the median of the peaks of
 * the last `baselineDays` days, so that one burst changes nothing and a job of every night is normal. The first
 * `baselineDays` are judged at their end. Remembers the calls of one window a lane, at most 10,000, and of each burst
 * that is not over as many.
 */
export const rateAboveBaseline: Rule = {
  name: 'rate-above-baseline',
  names: ['consumer', 'resource'],
  severity: 'medium',
  title: { en: 'Rate above the baseline', zh: '调用频率异常' },
  description: {
    en: 'A consumer called a resource far more often than it usually does at its peaks.',
    zh: '使用方调用某资源的频率远高于其平时的峰值。',
  },
  watch(_facts, { office, baselineDays, rateWindowMs, rateFactor, rateLeast }) {
    const { dayOf } = calendarOf(office)
    const lanes = new Map<string, Lane>()
    /** bursts that may go on */
    const open = new Set<Burst>()
    /** of the first days, until it is known what is usual */
    let held: Burst[] = []
    let firstDay: number | undefined
    let lastDay = 0
    let isLearning = true

    /** @param days before `day` */
    const limitOf = (lane: Lane, day: number, days: number) =>
      Math.max(rateLeast, rateFactor * median(lane.peaks, day, days))

    function* settle(): Generator<Match> {
      isLearning = false
      const day = Math.min(lastDay + 1, (firstDay ?? 0) + baselineDays)
      for (const burst of held) {
        const limit = limitOf(burst.lane, day, day - (firstDay ?? 0))
        if (burst.peak > limit) yield matchOf(burst, limit)
      }
      held = []
    }

    function* close(beforeMs: number): Generator<Match> {
      for (const burst of open) {
        if (burst.lastMs >= beforeMs) continue
        open.delete(burst)
        burst.lane.burst = undefined
        if (burst.isHeld) held.push(burst)
        else yield matchOf(burst, burst.limit)
      }
    }

    /** Calls of days that no median asks for any more. */
    function forget(day: number): void {
      for (const [key, { peaks }] of lanes) {
        for (const old of peaks.keys()) if (old < day - baselineDays) peaks.delete(old)
        if (peaks.size === 0) lanes.delete(key)
      }
    }

    function* pass(timeMs: number): Generator<Match> {
      if (firstDay === undefined) return
      const day = dayOf(timeMs)
      yield* close(timeMs - rateWindowMs)
      if (day > lastDay) {
        if (isLearning && day >= firstDay + baselineDays) {
          yield* close(Number.POSITIVE_INFINITY)
          yield* settle()
        }
        lastDay = day
        forget(day)
      }
    }

    return {
      tick: pass,
      *record(seen) {
        const { call, timeMs } = seen
        const day = dayOf(timeMs)
        firstDay ??= day
        yield* pass(timeMs)
        if (call?.side !== 'provider') return

        const key = JSON.stringify([call.consumer, call.resource])
        const lane = lanes.get(key) ?? new Lane(call.consumer, call.resource)
        lanes.set(key, lane)
        const count = lane.add(refOf(seen), timeMs, timeMs - rateWindowMs)
        lane.peaks.set(day, Math.max(count, lane.peaks.get(day) ?? 0))
        if (count <= rateLeast) return
        const limit = isLearning ? rateLeast : limitOf(lane, day, baselineDays)
        if (count <= limit) return
        const burst = lane.burst ?? {
          ...{ lane, records: lane.refs(), peak: count, limit, isHeld: isLearning, lastMs: timeMs },
        }
        if (lane.burst !== undefined && burst.records.length < MOST_HELD) burst.records.push(refOf(seen))
        burst.peak = Math.max(burst.peak, count)
        burst.lastMs = Math.max(burst.lastMs, timeMs)
        lane.burst = burst
        open.add(burst)
      },
      *end() {
        yield* close(Number.POSITIVE_INFINITY)
        if (isLearning) yield* settle()
      },
    }
  },
}

const MOST_HELD = 10_000

interface Burst {
  lane: Lane
  records: RecordRef[]
  /** calls in the fullest window */
  peak: number
  limit: number
  isHeld: boolean
  lastMs: number
}

/** One consumer's calls to one resource. */
class Lane {
  readonly consumer: string
  readonly resource: string
  /** by local day */
  readonly peaks = new Map<number, number>()
  burst: Burst | undefined
  #calls: { ref: RecordRef; timeMs: number }[] = []
  #first = 0

  constructor(consumer: string, resource: string) {
    this.consumer = consumer
    this.resource = resource
  }

  /** @returns how many the window holds, which ends with this one */
  add(ref: RecordRef, timeMs: number, fromMs: number): number {
    this.#calls.push({ ref, timeMs })
    while ((this.#calls[this.#first]?.timeMs ?? timeMs) < fromMs) this.#first++
    if (this.#calls.length - this.#first > MOST_HELD) this.#first++
    if (this.#first > 64 && 2 * this.#first > this.#calls.length) {
      this.#calls = this.#calls.slice(this.#first)
      this.#first = 0
    }
    return this.#calls.length - this.#first
  }

  refs = (): RecordRef[] => this.#calls.slice(this.#first).map(({ ref }) => ref)
}

/** The median of the peaks of some days before `day`; a day without a call counts as 0. */
function median(peaks: ReadonlyMap<number, number>, day: number, days: number): number {
  const counts = Array.from({ length: days }, (_, back) => peaks.get(day - 1 - back) ?? 0)
  return counts.sort((a, b) => a - b)[Math.floor(days / 2)] ?? 0
}

function matchOf({ lane, records, peak }: Burst, limit: number): Match {
  const { consumer, resource } = lane
  return { records, evidence: [], values: { consumer, resource, peak, limit } }
}
