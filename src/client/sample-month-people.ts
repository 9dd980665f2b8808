import { InputError } from '../errors.ts'
import type { Chance } from './sample-chance.ts'
import { MONTH_DEPARTMENTS, type Service, servicesOf } from './sample-services.ts'

export const MINUTE_MS = 60_000
export const DAY_MS = 86_400_000
const OFFSET_MS = 8 * 3_600_000

/** One department that uses one service of another, as it usually does. */
export interface Lane {
  consumer: string
  service: Service
  kind: 'office' | 'shifts' | 'nightly'
  /** calls on an ordinary day */
  perDay: number
  /** minutes after midnight, of a nightly job */
  startMinute: number
}

/** Departments where somebody is always at work. */
const AROUND_THE_CLOCK = ['health', 'emergency-services', 'public-security']
const NIGHTLY_JOBS = 8

/** @param percent of the usual volume */
export function lanesOf(chance: Chance, percent: number): Lane[] {
  const services = MONTH_DEPARTMENTS.flatMap(servicesOf)
  const others = (consumer: string, isOpen = false) =>
    services.filter(
      ({ department, sharing }) => department !== consumer && !(isOpen && sharing === 'conditional'),
    )
  const scaled = (calls: number) => Math.max(1, Math.round((calls * percent) / 100))
  const lanes = MONTH_DEPARTMENTS.flatMap((consumer) => {
    const isAlwaysOpen = AROUND_THE_CLOCK.includes(consumer)
    return pickSome(chance, others(consumer), 5).map(
      (service): Lane => ({
        ...{ consumer, service, kind: isAlwaysOpen ? 'shifts' : 'office', startMinute: 0 },
        perDay: scaled(isAlwaysOpen ? chance.between(15, 40) : chance.between(3, 20)),
      }),
    )
  })
  const jobs = pickSome(chance, MONTH_DEPARTMENTS, NIGHTLY_JOBS).flatMap((consumer) =>
    pickSome(chance, others(consumer, true), 1).map(
      (service): Lane => ({
        ...{ consumer, service, kind: 'nightly', startMinute: chance.between(60, 270) },
        perDay: scaled(chance.between(60, 160)),
      }),
    ),
  )
  return [...lanes, ...jobs]
}

/** The local days of a month, and when its people work. */
export class MonthCalendar {
  readonly startMs: number
  readonly days: number
  readonly #holidays: ReadonlySet<string>
  readonly #workdays: ReadonlySet<string>

  /**
   * @param month YYYY-MM
   * @throws {InputError} `BAD_ARGUMENT`
   */
  constructor(month: string, holidays: readonly string[], workdays: readonly string[]) {
    const first = Date.parse(`${month}-01T00:00:00Z`)
    if (!/^\d{4}-\d\d$/.test(month) || Number.isNaN(first)) {
      throw new InputError('BAD_ARGUMENT', `a month is YYYY-MM, not ${month}`)
    }
    const next = new Date(first)
    next.setUTCMonth(next.getUTCMonth() + 1)
    this.startMs = first - OFFSET_MS
    this.days = (next.getTime() - first) / DAY_MS
    this.#holidays = new Set(holidays)
    this.#workdays = new Set(workdays)
  }

  /** Local midnight. */
  dayMs = (day: number): number => this.startMs + day * DAY_MS

  isWorkday(day: number): boolean {
    const local = new Date(this.dayMs(day) + OFFSET_MS)
    const date = local.toISOString().slice(0, 10)
    if (this.#holidays.has(date)) return false
    return this.#workdays.has(date) || (local.getUTCDay() !== 0 && local.getUTCDay() !== 6)
  }

  /** How much busier than usual: after a weekend, and at the end of the month. */
  busyPercent(day: number): number {
    const workdaysLeft = Array.from({ length: this.days - day - 1 }, (_, i) => day + 1 + i).filter((later) =>
      this.isWorkday(later),
    )
    if (workdaysLeft.length < 3) return 250
    return day > 0 && !this.isWorkday(day - 1) ? 125 : 100
  }
}

/** When in a day an ordinary call of a lane falls. */
export function drawMinute(chance: Chance, { kind, startMinute }: Lane): number {
  if (kind === 'nightly') return startMinute + chance.below(40)
  if (kind === 'shifts') return chance.happens(70) ? chance.between(480, 1139) : chance.below(1440)
  if (chance.happens(4)) return overtimeMinute(chance)
  const minute = chance.between(510, 1079)
  const isLunch = minute >= 720 && minute < 810
  return isLunch && chance.happens(80) ? minute + 100 : minute
}

/** After six, and rarely much later. */
function overtimeMinute(chance: Chance): number {
  let minute = 1080
  while (minute < 1410 && chance.happens(97)) minute++
  return minute
}

function pickSome<Item>(chance: Chance, items: readonly Item[], count: number): Item[] {
  const left = [...items]
  return Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(chance.below(left.length), 1),
  ).flat()
}
