import { InputError } from '../errors.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** When people work. */
export interface OfficeHours {
  /** of the local time from UTC */
  utcOffsetMinutes: number
  /** minutes since local midnight */
  fromMinute: number
  toMinute: number
  /** local dates, YYYY-MM-DD, on which nobody works */
  holidays: readonly string[]
  /** Saturdays and Sundays on which people do */
  workdays: readonly string[]
}

/** All thresholds of the rules (docs/rules.md). */
export interface Settings {
  /** clocks and calls under way may differ by so much around a trip, a revocation and an expiry */
  graceMs: number
  /** in a running indexer, a record waits so long for earlier ones that come after it */
  reorderMs: number
  office: OfficeHours
  /** what is usual is learnt from so many days */
  baselineDays: number
  /** who works out of hours on so many of these days does shift work */
  shiftDays: number
  rateWindowMs: number
  /** times the usual peak */
  rateFactor: number
  /** no fewer calls in a window are ever too many */
  rateLeast: number
  /** a request id may not return for so long */
  repeatMs: number
  /** a source says something at least so often */
  silenceMs: number
}

export const DEFAULT_SETTINGS: Settings = {
  graceMs: 10_000,
  reorderMs: MINUTE_MS,
  office: {
    utcOffsetMinutes: 8 * 60,
    fromMinute: 7 * 60,
    toMinute: 22 * 60,
    holidays: [],
    workdays: [],
  },
  baselineDays: 7,
  shiftDays: 5,
  rateWindowMs: 15 * MINUTE_MS,
  rateFactor: 3,
  rateLeast: 30,
  repeatMs: DAY_MS,
  silenceMs: 3 * HOUR_MS,
}

/**
 * Thresholds as JSON; those that are left out keep their defaults.
 *
 * @throws {InputError} `BAD_CONFIG` for one that there is not, or that is not what it should be
 */
export function parseSettings(value: unknown): Settings {
  const { office, ...rest } = membersOf(value, DEFAULT_SETTINGS)
  return {
    ...DEFAULT_SETTINGS,
    ...rest,
    office: {
      ...DEFAULT_SETTINGS.office,
      ...(office !== undefined && membersOf(office, DEFAULT_SETTINGS.office)),
    },
  }
}

/** Members of the kinds that the defaults have: whole numbers, lists of dates, or objects that are not looked into. */
function membersOf<Members extends object>(value: unknown, defaults: Members): Partial<Members> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('settings are an object')
  for (const [name, given] of Object.entries(value)) {
    const known: unknown = Object.entries(defaults).find(([other]) => other === name)?.[1]
    if (known === undefined) throw bad(`there is no setting ${name}`)
    if (
      typeof known === 'number' &&
      !(Number.isSafeInteger(given) && (given > 0 || MAY_BE_ANY.includes(name)))
    ) {
      throw bad(`${name} is a whole number above 0`)
    }
    if (Array.isArray(known) && !(Array.isArray(given) && given.every(isDate))) {
      throw bad(`${name} is a list of dates such as "2026-05-01"`)
    }
  }
  // Every member is one of the defaults and of its kind.
  return value as Partial<Members>
}

/** Not only above 0. */
const MAY_BE_ANY = ['utcOffsetMinutes', 'fromMinute', 'graceMs', 'reorderMs']

const isDate = (date: unknown) =>
  typeof date === 'string' && /^\d{4}-\d\d-\d\d$/.test(date) && !Number.isNaN(Date.parse(date))

const bad = (reason: string) => new InputError('BAD_CONFIG', reason)
