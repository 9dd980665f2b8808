import type { StatementSync } from 'node:sqlite'
import { type Severity, type StoredAlert, toStored } from './alerts.ts'
import { type Database, preparerOf } from './database.ts'

/** What a rule found, as it is kept. Times in milliseconds since 1970. */
export interface NewIncident {
  rule: string
  severity: Severity
  /** names it among those of the rule */
  subject: string
  /** the alert itself, as JSON */
  document: string
  /** that break the rule */
  records: readonly { source: string; id: string }[]
  raisedAt: number
  deadline: number
}

/** The clocks that run: what is neither reported nor closed. */
export interface Clocks {
  running: number
  overdue: number
  /** milliseconds since 1970 */
  nearest: number | undefined
}

/** It is of many entries of the ledger, or of none that is known: no reorg takes it back. */
const NO_ENTRY = -1n

/** The catalogue's part about what rules found: alerts that somebody handles. */
export class Incidents {
  readonly #statements: Record<
    'raise' | 'name' | 'get' | 'report' | 'close' | 'countOpen' | 'clocks' | 'runningOut',
    StatementSync
  >

  constructor(database: Database) {
    const prepare = preparerOf(database)
    this.#statements = {
      raise: prepare(
        `INSERT INTO alerts (log_index, kind, subject, document, raised_at, rule, severity, deadline)
         VALUES (?, 'rule', ?, ?, ?, ?, ?, ?) ON CONFLICT (log_index, kind, subject) DO NOTHING`,
      ),
      name: prepare('INSERT OR IGNORE INTO alert_records VALUES (?, ?, ?)'),
      get: prepare('SELECT * FROM alerts WHERE id = ? AND rule IS NOT NULL'),
      report: prepare('UPDATE alerts SET reported_at = ? WHERE id = ?'),
      close: prepare('UPDATE alerts SET closed_at = ? WHERE id = ?'),
      countOpen: prepare(
        'SELECT count(*) AS count FROM alerts WHERE rule = ? AND rule IS NOT NULL AND closed_at IS NULL',
      ),
      clocks: prepare(
        `SELECT count(*) AS running, count(*) FILTER (WHERE deadline < ?) AS overdue, min(deadline) AS nearest
         FROM alerts WHERE rule IS NOT NULL AND closed_at IS NULL AND reported_at IS NULL`,
      ),
      runningOut: prepare(
        `SELECT * FROM alerts WHERE rule IS NOT NULL AND closed_at IS NULL AND reported_at IS NULL
         AND deadline - (deadline - raised_at) / 4 <= ? ORDER BY deadline, id LIMIT ?`,
      ),
    }
  }

  /** @returns what is new; undefined when it was raised before, whatever became of it */
  raise({
    rule,
    severity,
    subject,
    document,
    records,
    raisedAt,
    deadline,
  }: NewIncident): StoredAlert | undefined {
    const { changes, lastInsertRowid } = this.#statements.raise.run(
      NO_ENTRY,
      subject,
      document,
      raisedAt,
      rule,
      severity,
      deadline,
    )
    if (Number(changes) === 0) return undefined
    for (const { source, id } of records) this.#statements.name.run(source, id, lastInsertRowid)
    return this.get(BigInt(lastInsertRowid))
  }

  get(id: bigint): StoredAlert | undefined {
    const row = this.#statements.get.get(id)
    return row && toStored(row)
  }

  report(id: bigint, at: number): void {
    this.#statements.report.run(at, id)
  }

  close(id: bigint, at: number): void {
    this.#statements.close.run(at, id)
  }

  /** Of a rule, those that are not closed. */
  countOpen(rule: string): number {
    return Number(this.#statements.countOpen.get(rule)?.count)
  }

  clocks(now: number): Clocks {
    const { running, overdue, nearest } = this.#statements.clocks.get(now) ?? {}
    return {
      running: Number(running),
      overdue: Number(overdue),
      nearest: typeof nearest === 'bigint' ? Number(nearest) : undefined,
    }
  }

  /** Those of which at most a quarter of the time is left, the nearest first. */
  runningOut(now: number, limit: number): StoredAlert[] {
    return this.#statements.runningOut.all(now, limit).map(toStored)
  }
}
