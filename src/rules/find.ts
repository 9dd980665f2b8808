import { KnownFromRecords } from './known.ts'
import type { Finding, Match, Rule, Seen, SeenSubmission } from './rule.ts'
import { DEFAULT_SETTINGS, type Settings } from './settings.ts'

/** What is looked through. */
export interface Looked {
  /** in the order of their times, to the end of what is known */
  records: Iterable<Seen>
  /** those of one source in the order of their numbers */
  submissions?: Iterable<SeenSubmission>
}

/**
 * What breaks the rules, in one reading; grants and trips are known from the records themselves.
 *
 * The last word is the latest time of a record.
 */
export function* findAll(
  { records, submissions = [] }: Looked,
  rules: readonly Rule[],
  settings: Settings = DEFAULT_SETTINGS,
): Generator<Finding, void, undefined> {
  const facts = new KnownFromRecords()
  const watches = rules.map((rule) => ({ rule, watch: rule.watch(facts, settings) }))
  let untilMs = Number.NEGATIVE_INFINITY
  for (const seen of records) {
    facts.add(seen)
    untilMs = Math.max(untilMs, seen.timeMs)
    for (const { rule, watch } of watches) {
      if (watch.record !== undefined) yield* named(rule, watch.record(seen))
    }
  }
  for (const submission of submissions) {
    for (const { rule, watch } of watches) {
      if (watch.submission !== undefined) yield* named(rule, watch.submission(submission))
    }
  }
  for (const { rule, watch } of watches) {
    if (watch.end !== undefined) yield* named(rule, watch.end(untilMs))
  }
}

function* named({ name, severity }: Rule, matches: Iterable<Match>): Generator<Finding> {
  for (const match of matches) yield { rule: name, severity, ...match }
}
