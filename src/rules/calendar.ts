import { DAY_MS, type OfficeHours } from './settings.ts'

/** Local days, numbered since 1970-01-01, and whether people work at a time. */
export function calendarOf({ utcOffsetMinutes, fromMinute, toMinute, holidays, workdays }: OfficeHours) {
  const offsetMs = 60_000 * utcOffsetMinutes
  const free = new Set(holidays.map(dayOfDate))
  const made = new Set(workdays.map(dayOfDate))
  const dayOf = (timeMs: number) => Math.floor((timeMs + offsetMs) / DAY_MS)
  const isWorkday = (day: number) => !free.has(day) && (made.has(day) || !isWeekend(day))
  const isOffice = (timeMs: number) => {
    const day = dayOf(timeMs)
    const minute = (timeMs + offsetMs - day * DAY_MS) / 60_000
    return isWorkday(day) && minute >= fromMinute && minute < toMinute
  }
  return { dayOf, isOffice }
}

const dayOfDate = (date: string) => Date.parse(`${date}T00:00:00Z`) / DAY_MS

/** 1970-01-01 was a Thursday. */
const isWeekend = (day: number) => [0, 6].includes((day + 4) % 7)
