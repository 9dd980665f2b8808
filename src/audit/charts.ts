import type { Header } from '../batch/index.ts'
import type { AuditReport, Bar } from './report.ts'

const HOUR_MS = 3_600_000
/** Bars of a chart: the latest hours and days, the publishers with the most records. */
const MAX_BARS = 96

/** Counts the records of batches. A batch counts where its earliest record is, and lasts seconds, not hours. */
export class Charts {
  readonly #hours = new Map<number, number>()
  readonly #publishers = new Map<string, number>()
  records = 0

  add({ firstTime, publisher, recordCount }: Header): void {
    this.records += recordCount
    increase(this.#hours, Math.floor(Number(firstTime) / HOUR_MS), recordCount)
    increase(this.#publishers, publisher, recordCount)
  }

  finish(): AuditReport['charts'] {
    const days = new Map<number, number>()
    for (const [hour, records] of this.#hours) increase(days, Math.floor(hour / 24), records)
    return {
      byHour: latest(this.#hours, (hour) => spell(hour * HOUR_MS, 13)),
      byDay: latest(days, (day) => spell(24 * day * HOUR_MS, 10)),
      byPublisher: [...this.#publishers]
        .sort(([, a], [, b]) => b - a)
        .slice(0, MAX_BARS)
        .map(([label, records]) => ({ label, records })),
    }
  }
}

function increase<K>(counts: Map<K, number>, key: K, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}

const latest = (counts: ReadonlyMap<number, number>, label: (place: number) => string): Bar[] =>
  [...counts]
    .sort(([a], [b]) => a - b)
    .slice(-MAX_BARS)
    .map(([place, records]) => ({ label: label(place), records }))

/** A header may name times that no calendar reaches. */
const spell = (ms: number, length: number): string =>
  ms <= 8.64e15 ? new Date(ms).toISOString().replace('T', ' ').slice(0, length) : 'beyond all calendars'
