import type { Alerts } from '../store/alerts.ts'
import type { LedgerEntries } from '../store/ledger-entries.ts'
import type { Facts } from './metrics.ts'

interface OverviewParts {
  facts: () => Facts
  /** sentences of /healthz */
  problems: () => string[]
  entries: LedgerEntries
  alerts: Alerts
  /** milliseconds since 1970 */
  now: () => number
}

const RATE_SECONDS = 60

/** Entries that are read at one time, to know how many records the ledger has. */
const PAGE = 2_000

/** What everybody may know of the system at one moment, and how fast records came in the minute before. */
export class Overview {
  readonly #parts: OverviewParts
  readonly #records: RecordCount
  readonly #rate = new Rate()

  constructor(parts: OverviewParts) {
    this.#parts = parts
    this.#records = new RecordCount(parts.entries)
  }

  /** As the schema `Overview` of the API has it. */
  get now() {
    const { facts, problems, entries, alerts, now } = this.#parts
    const found = facts()
    const { batches, publishing, clocks, openAlerts } = found
    const size = entries.size()
    const records = this.#records.upTo(size, found.finalBlock)
    const { verified = 0, fraud = 0, withheld = 0, final = 0 } = batches
    return {
      ...(publishing !== undefined && {
        gateway: {
          accepted: publishing.accepted,
          waiting: { records: publishing.recordsWaiting, bytes: publishing.bytesWaiting },
          sealed: batches.sealed ?? 0,
          anchored: batches.anchored ?? 0,
          notAnchored: {
            batches: publishing.backlog.batches,
            oldestSeconds: Math.round(publishing.backlog.oldestMs / 1_000),
          },
        },
      }),
      // A gateway counts what it accepts; an indexer, what the ledger has.
      rate: this.#rate.after(publishing?.accepted.records ?? records, now()),
      ledger: {
        size,
        ...(records !== undefined && { records }),
        announced: size - verified - fraud - withheld,
        verified,
        fraud,
        withheld,
        final,
      },
      chain: {
        head: String(found.headBlock),
        scanned: String(found.scannedBlock),
        final: String(found.finalBlock),
      },
      alerts: {
        open: openAlerts,
        ...alerts.countOpenBySeverity(),
        ...(clocks !== undefined && {
          toReport: clocks.running,
          overdue: clocks.overdue,
          ...(clocks.leftMs !== undefined && { nearestDeadline: String(now() + clocks.leftMs) }),
        }),
      },
      problems: problems(),
    }
  }
}

/** How many came in each second, from how many there were whenever somebody asked; spread evenly when nobody did. */
class Rate {
  /** oldest first */
  readonly #seconds = new Array<number>(RATE_SECONDS).fill(0)
  #last: { count: number; second: number } | undefined

  /** @param count undefined when it is not known yet */
  after(count: number | undefined, nowMs: number): number[] {
    const second = Math.floor(nowMs / 1_000)
    const last = this.#last
    if (count === undefined || second === last?.second) return [...this.#seconds]
    this.#last = { count, second }
    if (last === undefined) return [...this.#seconds]
    // A clock that is set may go back, and a reorg takes some away.
    const passed = Math.max(second - last.second, 1)
    const each = Math.max(count - last.count, 0) / passed
    const added = new Array<number>(Math.min(passed, RATE_SECONDS)).fill(Math.round(each * 10) / 10)
    this.#seconds.splice(0, added.length)
    this.#seconds.push(...added)
    return [...this.#seconds]
  }
}

/** How many records the ledger has: of entries that are final it is added up once. */
class RecordCount {
  readonly #entries: LedgerEntries
  #final = { size: 0n, records: 0 }
  #last = { key: '', records: 0 }

  constructor(entries: LedgerEntries) {
    this.#entries = entries
  }

  /** @returns undefined while there is more to be read than fits into one call; it goes on with the next */
  upTo(size: number, finalBlock: bigint): number | undefined {
    const key = `${size} ${finalBlock}`
    if (key === this.#last.key) return this.#last.records
    const page = this.#entries.from(this.#final.size, PAGE)
    let notFinal = 0
    for (const { blockNumber, header, logIndex } of page) {
      if (blockNumber > finalBlock) notFinal += header.recordCount
      else this.#final = { size: logIndex + 1n, records: this.#final.records + header.recordCount }
    }
    if (page.length === PAGE) return undefined
    this.#last = { key, records: this.#final.records + notFinal }
    return this.#last.records
  }
}
