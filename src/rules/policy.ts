import { InputError } from '../errors.ts'
import { RULES } from './index.ts'
import type { Party, Severity } from './rule.ts'
import { DEFAULT_SETTINGS, parseSettings, type Settings } from './settings.ts'

/** What is tripped when a rule finds something. */
type TripTarget = Party | 'everything'

/** How an indexer uses the rules. */
export interface RulePolicy {
  settings: Settings
  /** by when what was found has to be reported */
  deadlineMinutes: Readonly<Record<Severity, number>>
  /** by rule */
  trip: ReadonlyMap<string, TripTarget>
}

export const DEFAULT_POLICY: RulePolicy = {
  settings: DEFAULT_SETTINGS,
  deadlineMinutes: { high: 60, medium: 120, low: 240 },
  trip: new Map(),
}

/**
 * The thresholds that `parseSettings` reads, `deadlineMinutes` and `trip`; what is left out keeps its default.
 *
 * @throws {InputError} `BAD_CONFIG`
 */
export function parseRulePolicy(value: unknown): RulePolicy {
  const { deadlineMinutes = {}, trip = {}, ...settings } = objectOf(value, 'the rules file')
  return {
    settings: parseSettings(settings),
    deadlineMinutes: { ...DEFAULT_POLICY.deadlineMinutes, ...deadlinesOf(deadlineMinutes) },
    trip: new Map(Object.entries(objectOf(trip, 'trip')).map(([rule, target]) => tripOf(rule, target))),
  }
}

function deadlinesOf(value: unknown): Partial<Record<Severity, number>> {
  const deadlines = objectOf(value, 'deadlineMinutes')
  for (const [severity, minutes] of Object.entries(deadlines)) {
    if (!Object.hasOwn(DEFAULT_POLICY.deadlineMinutes, severity))
      throw bad(`there is no severity ${severity}`)
    if (!Number.isSafeInteger(minutes) || Number(minutes) < 1 || Number(minutes) > MOST_MINUTES) {
      throw bad(`deadlineMinutes.${severity} is a whole number from 1 to ${MOST_MINUTES}`)
    }
  }
  // Each is a severity, and a number.
  return deadlines as Partial<Record<Severity, number>>
}

/** A year. */
const MOST_MINUTES = 525_600

function tripOf(name: string, target: unknown): [string, TripTarget] {
  const rule = RULES.find((one) => one.name === name)
  if (rule === undefined) throw bad(`there is no rule ${name}`)
  const targets: readonly TripTarget[] = [...rule.names, 'everything']
  const found = targets.find((one) => one === target)
  if (found === undefined) throw bad(`trip.${name} is one of ${targets.join(', ')}`)
  return [name, found]
}

function objectOf(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw bad(`${name} is an object`)
}

const bad = (reason: string) => new InputError('BAD_CONFIG', reason)
