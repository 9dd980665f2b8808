import { type Language, localeOf } from './language.ts'

/** A whole number with the separators of the language. */
export const showCount = (value: number | bigint, language: Language): string =>
  new Intl.NumberFormat(localeOf(language)).format(value)

/** A part of one as percent. */
export const showShare = (value: number, language: Language): string =>
  new Intl.NumberFormat(localeOf(language), { style: 'percent', maximumFractionDigits: 1 }).format(value)

/** Date and time in the reader's own time zone. */
export const showTime = (time: Date | number | string, language: Language): string =>
  new Intl.DateTimeFormat(localeOf(language), { dateStyle: 'medium', timeStyle: 'medium' }).format(
    new Date(time),
  )

const SPANS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const

/** How long from now until then, such as "in 5 minutes" or "2 hours ago". */
export function showDistance(thenMs: number, nowMs: number, language: Language): string {
  const distance = thenMs - nowMs
  const [unit, size] = SPANS.find(([, least]) => Math.abs(distance) >= least) ?? ['second', 1_000]
  return new Intl.RelativeTimeFormat(localeOf(language), { numeric: 'auto' }).format(
    Math.trunc(distance / size),
    unit,
  )
}

/** How long something takes, in the largest unit that fits, such as "2.5 hours". */
export function showDuration(durationMs: number, language: Language): string {
  const [unit, size] = SPANS.find(([, least]) => durationMs >= least) ?? ['second', 1_000]
  return new Intl.NumberFormat(localeOf(language), {
    style: 'unit',
    unit,
    unitDisplay: 'long',
    maximumFractionDigits: 1,
  }).format(durationMs / size)
}

/** The two ends of a long hex or name; the whole of it belongs in the title beside. */
export const showEnds = (text: string, each = 6): string =>
  text.length <= 2 * each + 3 ? text : `${text.slice(0, each + 2)}…${text.slice(-each)}`
