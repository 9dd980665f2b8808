import { type KnownFromIndex, KnownFromRecords } from './known.ts'
import type { Finding, Match, Rule, Seen, SeenSubmission } from './rule.ts'
import type { Settings } from './settings.ts'
import { TimeQueue } from './time-queue.ts'

/** Records that wait for their turn; with more, the earliest need not wait. */
const MOST_HELD = 100_000

export interface EngineOptions {
  settings: Settings
  /** grants of records that it has not seen, or has forgotten, and how resources are shared */
  index?: KnownFromIndex
  /** whether records came before the first that it sees */
  startsLate?: boolean
}

/**
 * The rules at work: finds what breaks them while records come, about in the order of their times.
 *
 * A record waits `reorderMs` for others of earlier times; what comes later than that is judged after them. Grants and
 * trips are known from the records themselves.
 */
export class RuleEngine {
  readonly #facts: KnownFromRecords
  readonly #watches: { rule: Rule; watch: ReturnType<Rule['watch']> }[]
  readonly #held = new TimeQueue()
  readonly #reorderMs: number
  #latestMs = Number.NEGATIVE_INFINITY
  /** when records came that still wait, and the latest time of those that came then */
  readonly #arrivals: { atMs: number; latestMs: number }[] = []
  /** records up to this time have waited */
  #waitedMs = Number.NEGATIVE_INFINITY

  constructor(rules: readonly Rule[], { settings, index, startsLate = false }: EngineOptions) {
    this.#facts = new KnownFromRecords(index, startsLate)
    this.#watches = rules.map((rule) => ({ rule, watch: rule.watch(this.#facts, settings) }))
    this.#reorderMs = settings.reorderMs
  }

  /** Whether all other records are here too: what is not there may otherwise only not have come. */
  set isWhole(isWhole: boolean) {
    this.#facts.isWhole = isWhole
  }

  /** @param atMs when it came, milliseconds since 1970, never less than before; when it was made, if left out */
  *record(seen: Seen, atMs = seen.timeMs): Generator<Finding, void, undefined> {
    this.#held.push(seen)
    this.#latestMs = Math.max(this.#latestMs, seen.timeMs)
    const last = this.#arrivals.at(-1)
    if (last !== undefined && atMs <= last.atMs) last.latestMs = Math.max(last.latestMs, seen.timeMs)
    else this.#arrivals.push({ atMs, latestMs: seen.timeMs })
    yield* this.#pass(atMs)
    while (this.#held.size > MOST_HELD) yield* this.#judgeFirst()
  }

  /** Submissions of one source come in the order of their numbers. */
  *submission(submission: SeenSubmission): Generator<Finding, void, undefined> {
    for (const { rule, watch } of this.#watches) {
      if (watch.submission !== undefined) yield* named(rule, watch.submission(submission))
    }
  }

  /**
   * Lets time pass.
   *
   * @param nowMs milliseconds since 1970
   * @param isIdle whether nothing is on its way: then what has not come did not happen
   */
  *tick(nowMs: number, isIdle = true): Generator<Finding, void, undefined> {
    yield* this.#pass(nowMs)
    // While a record waits, earlier ones may come.
    if (isIdle && this.#arrivals.length === 0) {
      this.#waitedMs = Math.max(this.#waitedMs, nowMs - this.#reorderMs)
      this.#latestMs = Math.max(this.#latestMs, this.#waitedMs)
    }
    for (const { rule, watch } of this.#watches) {
      if (watch.tick !== undefined) yield* named(rule, watch.tick(this.#waitedMs))
    }
  }

  /** Nothing more will come; the last word is the latest time. */
  *end(): Generator<Finding, void, undefined> {
    yield* this.#release(Number.POSITIVE_INFINITY)
    for (const { rule, watch } of this.#watches) {
      if (watch.end !== undefined) yield* named(rule, watch.end(this.#latestMs))
    }
  }

  /** Judges what has waited long enough by now, with all that is earlier. */
  *#pass(nowMs: number): Generator<Finding> {
    let gone = 0
    let untilMs = Number.NEGATIVE_INFINITY
    for (const { atMs, latestMs } of this.#arrivals) {
      if (atMs > nowMs - this.#reorderMs) break
      untilMs = Math.max(untilMs, latestMs)
      gone++
    }
    if (gone === 0) return
    this.#arrivals.splice(0, gone)
    this.#waitedMs = Math.max(this.#waitedMs, untilMs)
    yield* this.#release(untilMs)
  }

  *#release(untilMs: number): Generator<Finding> {
    while ((this.#held.firstMs ?? Number.POSITIVE_INFINITY) <= untilMs && this.#held.size > 0) {
      yield* this.#judgeFirst()
    }
  }

  *#judgeFirst(): Generator<Finding> {
    const seen = this.#held.pop()
    if (seen === undefined) return
    this.#facts.add(seen)
    for (const { rule, watch } of this.#watches) {
      if (watch.record !== undefined) yield* named(rule, watch.record(seen))
    }
  }
}

function* named({ name, severity }: Rule, matches: Iterable<Match>): Generator<Finding> {
  for (const match of matches) yield { rule: name, severity, ...match }
}
