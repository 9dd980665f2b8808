import type { Hex } from '../bytes/hex.ts'
import type { AlertKind, JsonAlert } from '../indexer/alert.ts'

/** What an audit says against the ledger, its files or a receipt. */
type FindingKind =
  | AlertKind
  /** files that our own disk cannot read now */
  | 'unread'
  /** the publisher signed a promise, and did not keep it */
  | 'broken-receipt'
  /** what was given as a receipt is none, or not one of this ledger */
  | 'bad-receipt'
  /** nobody can tell yet whether the promise was kept */
  | 'open-receipt'

/** Whether something is false, or could not be checked: the two are never confused. */
export type Verdict = 'false' | 'unchecked'

export interface Finding {
  verdict: Verdict
  kind: FindingKind
  expected: string
  found: string
  /** which batch, if one is meant */
  ledgerIndex?: string
  publisher?: string
  batch?: string
  submission?: { source: string; sequence: string }
  /** of the records that are meant, in the batch */
  positions?: readonly number[]
  files?: JsonAlert['files']
}

/** No report lists more findings; all of them are counted. */
export const MAX_FINDINGS = 1_000

/** Records of verified batches in one bar. */
export interface Bar {
  label: string
  records: number
}

/** All that an audit has found. */
export interface AuditReport {
  format: 'tidemark-audit/1'
  /** `unchecked` when nothing is false and something could not be checked */
  verdict: 'verified' | Verdict
  chainId: string
  ledger: Hex
  /** the last final block: the audit speaks of the ledger as it was then; `time` in ISO 8601 */
  block: { number: string; hash: Hex; time: string }
  /** headers of the ledger, and the root of its log, which the contract has too */
  size: string
  root: Hex
  /** entries whose batches were checked, from the first to before `end` */
  range: { first: string; end: string }
  batches: { verified: number; fraud: number; withheld: number; unread: number }
  /** of verified batches */
  records: number
  sources: number
  receipts: { kept: number; broken: number; bad: number; open: number }
  /** how many there are of each kind and verdict */
  counts: { kind: FindingKind; verdict: Verdict; count: number }[]
  /** the first of them */
  findings: Finding[]
  charts: { byHour: Bar[]; byDay: Bar[]; byPublisher: Bar[] }
}

/** Collects findings: counts all, and keeps the first. */
export class Findings {
  readonly #kept: Finding[] = []
  readonly #counts = new Map<string, AuditReport['counts'][number]>()

  add(finding: Finding): void {
    const { kind, verdict } = finding
    const count = this.#counts.get(`${kind} ${verdict}`) ?? { kind, verdict, count: 0 }
    count.count++
    this.#counts.set(`${kind} ${verdict}`, count)
    if (this.#kept.length < MAX_FINDINGS) this.#kept.push(finding)
  }

  has(verdict: Verdict): boolean {
    return [...this.#counts.values()].some((count) => count.verdict === verdict)
  }

  get counts(): AuditReport['counts'] {
    return [...this.#counts.values()]
  }

  get kept(): Finding[] {
    return this.#kept
  }
}
