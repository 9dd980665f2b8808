import { type Language, localeOf } from '../../../language.ts'

/** Months and days are those of the reports: local time is so many minutes from UTC unless one says otherwise. */
export const UTC_OFFSET = 480

const OFFSET_MS = 60_000 * UTC_OFFSET
const DAY_MS = 24 * 3_600_000

/** A month of local time as YYYY-MM, or one of its days, from 1. */
export interface Period {
  month: string
  day: number | undefined
}

export const isMonth = (text: string | null): text is string =>
  text !== null && /^(?:19[7-9]|[2-9]\d\d)\d-(?:0[1-9]|1[0-2])$/.test(text)

/** The month that a moment is in. */
export const monthOf = (timeMs: number): string => new Date(timeMs + OFFSET_MS).toISOString().slice(0, 7)

export function monthBeside(month: string, by: number): string {
  const [year = 0, number = 0] = month.split('-').map(Number)
  return new Date(Date.UTC(year, number - 1 + by, 1)).toISOString().slice(0, 7)
}

export const daysOf = (month: string): number => {
  const [year = 0, number = 0] = month.split('-').map(Number)
  return new Date(Date.UTC(year, number, 0)).getUTCDate()
}

/** The starts of its days, or of the hours of its day, milliseconds since 1970; and where it ends. */
export function stepsOf({ month, day }: Period): { starts: number[]; endMs: number } {
  const [year = 0, number = 0] = month.split('-').map(Number)
  const firstMs = Date.UTC(year, number - 1, day ?? 1) - OFFSET_MS
  const [count, stepMs] = day === undefined ? [daysOf(month), DAY_MS] : [24, DAY_MS / 24]
  return {
    starts: Array.from({ length: count }, (_, i) => firstMs + i * stepMs),
    endMs: firstMs + count * stepMs,
  }
}

/** The search of `/v1/stats` for all of it. */
export function rangeOf(period: Period): string {
  const { starts, endMs } = stepsOf(period)
  return `from=${new Date(starts[0] ?? endMs).toISOString()}&to=${new Date(endMs).toISOString()}`
}

export const showMonth = (month: string, language: Language): string =>
  new Intl.DateTimeFormat(localeOf(language), { year: 'numeric', month: 'long', timeZone: 'UTC' }).format(
    new Date(`${month}-01T00:00:00Z`),
  )

/** The day of a month, or the hour of a day, as local time has it. */
export function showStep(startMs: number, { day }: Period, language: Language): string {
  const parts: Intl.DateTimeFormatOptions =
    day === undefined ? { month: 'short', day: 'numeric' } : { hour: '2-digit', minute: '2-digit' }
  return new Intl.DateTimeFormat(localeOf(language), { ...parts, timeZone: 'UTC' }).format(
    new Date(startMs + OFFSET_MS),
  )
}
