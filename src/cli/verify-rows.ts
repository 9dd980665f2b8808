import type { Language } from '../rules/rule.ts'

export const sayIn =
  (lang: Language) =>
  (en: string, zh: string): string =>
    lang === 'en' ? en : zh

const COLUMN = 10

/** A label, as wide as a terminal shows it, and what it names. */
export function row(label: string, text: string): string {
  const width = [...label].reduce((sum, character) => sum + (character > '\u2e80' ? 2 : 1), 0)
  return `  ${label}${' '.repeat(COLUMN - width)}${text}`
}

/** The last second that a calendar reaches. */
const LAST_SECOND = 8_640_000_000_000n

/** As other times of the command line, however far off a grant may reach. */
export const showSeconds = (seconds: bigint): string =>
  seconds > LAST_SECOND ? `${seconds} s after 1970` : new Date(Number(seconds) * 1_000).toISOString()
