import { RuleEngine } from './engine.ts'
import type { Finding, Rule, Seen, SeenSubmission } from './rule.ts'
import { DEFAULT_SETTINGS, type Settings } from './settings.ts'

/** What is looked through. */
export interface Looked {
  /** in the order of their times, to the end of what is known */
  records: Iterable<Seen>
  /** those of one source in the order of their numbers */
  submissions?: Iterable<SeenSubmission>
}

/** What breaks the rules, in one reading. The last word is the latest time of a record. */
export function* findAll(
  { records, submissions = [] }: Looked,
  rules: readonly Rule[],
  settings: Settings = DEFAULT_SETTINGS,
): Generator<Finding, void, undefined> {
  const engine = new RuleEngine(rules, { settings: { ...settings, reorderMs: 0 } })
  for (const seen of records) yield* engine.record(seen)
  for (const submission of submissions) yield* engine.submission(submission)
  yield* engine.end()
}
