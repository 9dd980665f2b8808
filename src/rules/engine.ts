import { type EarlierGrant, KnownFromRecords } from './known.ts'
import type { Finding, Match, Rule, Seen, SeenSubmission } from './rule.ts'
import type { Settings } from './settings.ts'
import { TimeQueue } from './time-queue.ts'

/** Records that wait for their turn; with more, the earliest need not wait. */
const MOST_HELD = 100_000

export interface EngineOptions {
  settings: Settings
  /** grants of records that it has not seen, or has forgotten */
  earlierGrant?: EarlierGrant
  /** whether records came before the first that it sees */
  startsLate?: boolean
}

/**
 * The rules at work: finds what breaks them while records come, about in the order of their times.
 *
 * A record waits until others are `reorderMs` later, or until a tick says that so much has passed; what comes later
 * than that is judged at once. Grants and trips are known from the records themselves.
 */
export class RuleEngine {
  readonly #facts: KnownFromRecords
  readonly #watches: { rule: Rule; watch: ReturnType<Rule['watch']> }[]
  readonly #held = new TimeQueue()
  readonly #reorderMs: number
  #latestMs = Number.NEGATIVE_INFINITY

  constructor(rules: readonly Rule[], { settings, earlierGrant, startsLate = false }: EngineOptions) {
    this.#facts = new KnownFromRecords(earlierGrant, startsLate)
    this.#watches = rules.map((rule) => ({ rule, watch: rule.watch(this.#facts, settings) }))
    this.#reorderMs = settings.reorderMs
  }

  /** Whether all other records are here too: what is not there may otherwise only not have come. */
  set isWhole(isWhole: boolean) {
    this.#facts.isWhole = isWhole
  }

  *record(seen: Seen): Generator<Finding, void, undefined> {
    this.#held.push(seen)
    this.#latestMs = Math.max(this.#latestMs, seen.timeMs)
    yield* this.#release(this.#latestMs - this.#reorderMs)
    while (this.#held.size > MOST_HELD) yield* this.#judgeFirst()
  }

  /** Submissions of one source come in the order of their numbers. */
  *submission(submission: SeenSubmission): Generator<Finding, void, undefined> {
    for (const { rule, watch } of this.#watches) {
      if (watch.submission !== undefined) yield* named(rule, watch.submission(submission))
    }
  }

  /**
   * Lets time pass, also where nothing comes.
   *
   * @param nowMs milliseconds since 1970; when it is left out, the latest time of a record
   */
  *tick(nowMs = this.#latestMs): Generator<Finding, void, undefined> {
    this.#latestMs = Math.max(this.#latestMs, nowMs)
    const passedMs = this.#latestMs - this.#reorderMs
    yield* this.#release(passedMs)
    for (const { rule, watch } of this.#watches) {
      if (watch.tick !== undefined) yield* named(rule, watch.tick(passedMs))
    }
  }

  /** Nothing more will come; the last word is the latest time. */
  *end(): Generator<Finding, void, undefined> {
    yield* this.#release(Number.POSITIVE_INFINITY)
    for (const { rule, watch } of this.#watches) {
      if (watch.end !== undefined) yield* named(rule, watch.end(this.#latestMs))
    }
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
