import type { StatementSync } from 'node:sqlite'
import { type Database, preparerOf } from './database.ts'

/** An alert as it is kept. Times in milliseconds since 1970. */
export interface StoredAlert {
  /** grows with every alert, and is never used twice */
  id: bigint
  /** the alert itself, as JSON (docs/format.md, "Alert") */
  document: string
  raisedAt: number
  /** when what it says was no longer so, or when somebody closed it */
  closedAt: number | undefined
  /** of what a rule found */
  incident: Incident | undefined
}

export const SEVERITIES = ['high', 'medium', 'low'] as const
export type Severity = (typeof SEVERITIES)[number]

/** How far the handling of what a rule found has come. */
export type IncidentState = 'open' | 'reported' | 'closed'

/** What a rule found, and by when somebody has to report it. */
interface Incident {
  rule: string
  severity: Severity
  deadline: number
  reportedAt: number | undefined
  state: IncidentState
}

/** Which alerts are meant; what is left out is not looked at. */
export interface AlertFilter {
  /** not closed, or closed */
  open?: boolean | undefined
  severity?: Severity | undefined
  /** of a rule, or of this kind */
  rule?: string | undefined
  /** who is named in it: the consumer, the provider, the source of a record or of a submission */
  department?: string | undefined
}

/** What an alert is about: there is one for each. */
export interface AlertKey {
  logIndex: bigint
  kind: string
  /** which of several things in the batch */
  subject: string
}

/** Alerts that are read for one page of those that are meant. */
const MOST_LOOKED_AT = 5_000

/** The catalogue's part about what is wrong with batches. */
export class Alerts {
  readonly #statements: Record<
    | 'raise'
    | 'isOpen'
    | 'close'
    | 'before'
    | 'search'
    | 'lowest'
    | 'after'
    | 'ofEntry'
    | 'ofRecord'
    | 'open'
    | 'openBySeverity',
    StatementSync
  >

  constructor(database: Database) {
    const prepare = preparerOf(database)
    this.#statements = {
      raise: prepare(
        `INSERT INTO alerts (log_index, kind, subject, document, raised_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (log_index, kind, subject) DO UPDATE SET closed_at = NULL, document = excluded.document`,
      ),
      isOpen: prepare(
        'SELECT 1 FROM alerts WHERE log_index = ? AND kind = ? AND subject = ? AND closed_at IS NULL',
      ),
      close: prepare(
        `UPDATE alerts SET closed_at = ?1 WHERE log_index = ?2 AND kind = ?3 AND (?4 IS NULL OR subject = ?4)
         AND closed_at IS NULL`,
      ),
      before: prepare('SELECT * FROM alerts WHERE id < ? ORDER BY id DESC LIMIT ?'),
      search: prepare(`
        SELECT * FROM alerts WHERE id < ?1 AND id >= ?2
          AND (?4 IS NULL OR (closed_at IS NULL) = ?4) AND (?5 IS NULL OR severity = ?5)
          AND (?6 IS NULL OR coalesce(rule, kind) = ?6)
          AND (?7 IS NULL OR document ->> '$.values.consumer' = ?7 OR document ->> '$.values.provider' = ?7
            OR document ->> '$.submission.source' = ?7
            OR EXISTS (SELECT 1 FROM json_each(document, '$.records') AS r WHERE r.value ->> '$.source' = ?7))
        ORDER BY id DESC LIMIT ?3`),
      lowest: prepare(
        'SELECT min(id) AS id, count(*) AS count FROM (SELECT id FROM alerts WHERE id < ? ORDER BY id DESC LIMIT ?)',
      ),
      after: prepare('SELECT * FROM alerts WHERE id > ? ORDER BY id LIMIT ?'),
      ofEntry: prepare('SELECT * FROM alerts WHERE log_index = ? ORDER BY id'),
      ofRecord: prepare(
        'SELECT alerts.* FROM alert_records AS r JOIN alerts ON alerts.id = r.alert WHERE r.source = ? AND r.id = ? ORDER BY r.alert',
      ),
      open: prepare('SELECT count(*) AS count FROM alerts WHERE closed_at IS NULL'),
      openBySeverity: prepare(
        'SELECT severity, count(*) AS count FROM alerts WHERE closed_at IS NULL AND severity IS NOT NULL GROUP BY severity',
      ),
    }
  }

  /** @returns false when it was open already; then it only says what is so now */
  raise({ logIndex, kind, subject }: AlertKey, document: string, at: number): boolean {
    const wasOpen = this.#statements.isOpen.get(logIndex, kind, subject) !== undefined
    this.#statements.raise.run(logIndex, kind, subject, document, at)
    return !wasOpen
  }

  /** @param subject every one of the kind when it is left out */
  close({ logIndex, kind, subject }: Omit<AlertKey, 'subject'> & { subject?: string }, at: number): void {
    this.#statements.close.run(at, logIndex, kind, subject ?? null)
  }

  /** Newest first, from just below `id`. */
  before(id: bigint, limit: number): StoredAlert[] {
    return this.#statements.before.all(id, limit).map(toStored)
  }

  /**
   * As `before`, those that are meant.
   *
   * @returns also where to go on when there may be more, be it that none was found among the many looked at
   */
  search(
    id: bigint,
    limit: number,
    { open, severity, rule, department }: AlertFilter,
    most = MOST_LOOKED_AT,
  ): { alerts: StoredAlert[]; next: bigint | undefined } {
    const { search, lowest } = this.#statements
    const looked = lowest.get(id, most)
    const end = typeof looked?.id === 'bigint' ? looked.id : 0n
    const wanted = [
      open === undefined ? null : Number(open),
      severity ?? null,
      rule ?? null,
      department ?? null,
    ]
    const alerts = search.all(id, end, limit, ...wanted).map(toStored)
    if (alerts.length === limit) return { alerts, next: alerts.at(-1)?.id }
    return { alerts, next: Number(looked?.count) === most ? end : undefined }
  }

  /** Oldest first, from just above `id`. */
  after(id: bigint, limit: number): StoredAlert[] {
    return this.#statements.after.all(id, limit).map(toStored)
  }

  /** Oldest first, those of one entry of the ledger. */
  ofEntry(logIndex: bigint): StoredAlert[] {
    return this.#statements.ofEntry.all(logIndex).map(toStored)
  }

  /** Those of rules that a record breaks, open or closed. */
  ofRecord({ source, id }: { source: string; id: string }): StoredAlert[] {
    return this.#statements.ofRecord.all(source, id).map(toStored)
  }

  countOpen(): number {
    return Number(this.#statements.open.get()?.count)
  }

  /** Of what rules found; what is wrong with a batch has no severity. */
  countOpenBySeverity(): Record<Severity, number> {
    const rows = this.#statements.openBySeverity.all()
    const found = Object.fromEntries(rows.map(({ severity, count }) => [severity, Number(count)]))
    return { high: 0, medium: 0, low: 0, ...found }
  }
}

export const toStored = (row: Record<string, unknown>): StoredAlert => ({
  id: row.id as bigint,
  document: row.document as string,
  raisedAt: Number(row.raised_at),
  closedAt: row.closed_at === null ? undefined : Number(row.closed_at),
  incident:
    row.rule === null
      ? undefined
      : {
          rule: row.rule as string,
          severity: row.severity as Severity,
          deadline: Number(row.deadline),
          reportedAt: row.reported_at === null ? undefined : Number(row.reported_at),
          state: row.closed_at !== null ? 'closed' : row.reported_at !== null ? 'reported' : 'open',
        },
})
