import { mkdir, rm } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { encodeHeader, hashHeader } from '../batch/index.ts'
import { toHex } from '../bytes/hex.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { OperationError } from '../errors.ts'
import type { Follower } from '../indexer/follower.ts'
import type { Rights } from '../indexer/rights.ts'
import type { Figures, SharedResource } from '../rules/departments.ts'
import { type Background, startBackground } from '../store/background.ts'
import type { LedgerEntries, LedgerEntry } from '../store/ledger-entries.ts'
import type { FiguresJob } from './figures-worker.ts'
import { type MonthlyReport, periodOf, type ReportScope, reportOf, runsOf } from './monthly-report.ts'

interface MonthlyReportsParts {
  entries: LedgerEntries
  follower: Follower
  identity: LedgerIdentity
  batchesPath: string
  /** what the registry says is shared now; nothing where there is no registry, or it knows no resource */
  shared: () => SharedResource[]
  /** a folder of this alone, gone when it stops */
  workPath: string
}

/** What the registry says is shared now: what is prohibited is not, and what nobody names has no owner to tell. */
export const sharedResources = (rights: Rights | undefined): SharedResource[] =>
  (rights?.resources() ?? [])
    .filter(({ sharing }) => sharing === 'conditional' || sharing === 'unconditional')
    .flatMap(({ name, owner }) => (owner.name === undefined ? [] : { resource: name, owner: owner.name }))
    .sort((a, b) => (a.resource < b.resource ? -1 : 1))

type Month = Pick<ReportScope, 'month' | 'utcOffset'>

/** Months whose counts are kept, to be gone on with when the ledger grows. */
const MOST_KEPT = 3
/** Reports that wait; each may read the whole ledger. */
const MOST_WAITING = 8
/** Entries read from the catalogue at once. */
const PAGE = 1_000

/** The monthly reports of a running indexer, computed in a thread from the batches that are final and verified. */
export class MonthlyReports {
  readonly #parts: MonthlyReportsParts
  readonly #background: Background<FiguresJob, Figures | undefined>
  /** counts by month and offset, the one asked for last at the end; what each batch's leaf was that they hold */
  readonly #kept = new Map<string, { counts: number; leaves: Set<string> }>()
  readonly #waiting = new Map<string, Promise<MonthlyReport>>()
  #last: Promise<unknown> = Promise.resolve()
  #made = 0
  #isStopping = false

  constructor(parts: MonthlyReportsParts) {
    this.#parts = parts
    this.#background = startBackground(new URL('./figures-worker.ts', import.meta.url))
  }

  /**
   * The report of a month over all that is final now.
   *
   * @throws {InputError} `BAD_ARGUMENT`
   * @throws {OperationError} `OVERLOADED`, or when the files cannot be read
   */
  report(month: Month): Promise<MonthlyReport> {
    periodOf(month)
    const key = `${month.month} ${month.utcOffset}`
    const waiting = this.#waiting.get(key)
    if (waiting !== undefined) return waiting
    if (this.#waiting.size === MOST_WAITING) {
      throw new OperationError('OVERLOADED', 'too many reports are being made; ask again later')
    }
    const report = this.#last.then(() => this.#make(key, month))
    this.#waiting.set(key, report)
    this.#last = report.then(
      () => this.#waiting.delete(key),
      () => this.#waiting.delete(key),
    )
    return report
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#last
    await this.#background.stop()
    await rm(this.#parts.workPath, { recursive: true, force: true })
  }

  async #make(key: string, month: Month): Promise<MonthlyReport> {
    const { scope, batches } = await this.#scopeOf(month)
    try {
      const kept = await this.#countsOf(key, month, batches)
      for (const [leaf, header] of batches) {
        if (kept.leaves.has(leaf)) continue
        await this.#run({ kind: 'add', counts: kept.counts, header })
        kept.leaves.add(leaf)
      }
      const figures = await this.#run({ kind: 'figures', counts: kept.counts, shared: scope.shared })
      if (figures === undefined) throw new OperationError('STORE_FAILED', 'a thread gave no figures')
      return reportOf(scope, figures)
    } catch (error) {
      // Half of a batch may be in its counts.
      await this.#forget(key)
      throw error
    }
  }

  /** What is final now, and the headers of what is verified of it by their leaf hashes. */
  async #scopeOf(month: Month): Promise<{ scope: ReportScope; batches: Map<string, Uint8Array> }> {
    const { entries, follower, identity, shared } = this.#parts
    const { log, state } = follower
    const size = Math.min(entries.countUpTo(state.finalBlock), log.size)
    const root = toHex(log.root(size))
    const headers: LedgerEntry['header'][] = []
    const leftOut: ReportScope['leftOut'] = []
    const batches = new Map<string, Uint8Array>()
    while (headers.length < size) {
      const page = entries.from(BigInt(headers.length), Math.min(PAGE, size - headers.length))
      if (page.length === 0) break
      for (const { header, logIndex, state } of page) {
        const leaf = toHex(hashHeader(header))
        headers.push(header)
        if (state === 'verified') batches.set(leaf, encodeHeader(header))
        else leftOut.push({ entry: String(logIndex), leaf })
      }
      await setImmediate()
    }
    if (size > log.size || toHex(log.root(size)) !== root || headers.length < size) {
      throw new OperationError('RPC_LAGS', 'the chain took back what was final; ask again soon')
    }
    const ledger = { chainId: String(identity.chainId), ledger: identity.ledger, size: String(size), root }
    const known = shared()
    const scope = {
      ...{ ...month, ledger, batches: runsOf(headers), leftOut },
      shared: known.length === 0 ? null : known,
    }
    return { scope, batches }
  }

  /** Counts that hold none but these batches: those that are kept, or new ones. */
  async #countsOf(key: string, month: Month, batches: ReadonlyMap<string, unknown>) {
    const before = this.#kept.get(key)
    if (before !== undefined && [...before.leaves].every((leaf) => batches.has(leaf))) {
      this.#kept.delete(key)
      this.#kept.set(key, before)
      return before
    }
    await this.#forget(key)
    const [oldest] = this.#kept.keys()
    if (oldest !== undefined && this.#kept.size === MOST_KEPT) await this.#forget(oldest)
    const { batchesPath, workPath } = this.#parts
    // A process that was killed may have left some there.
    if (this.#made === 0) await rm(workPath, { recursive: true, force: true })
    await mkdir(workPath, { recursive: true })
    const kept = { counts: this.#made++, leaves: new Set<string>() }
    this.#kept.set(key, kept)
    await this.#run({ kind: 'begin', counts: kept.counts, period: periodOf(month), batchesPath, workPath })
    return kept
  }

  async #forget(key: string): Promise<void> {
    const kept = this.#kept.get(key)
    this.#kept.delete(key)
    if (kept !== undefined) await this.#background.run({ kind: 'forget', counts: kept.counts })
  }

  #run(job: FiguresJob): Promise<Figures | undefined> {
    if (this.#isStopping) throw new OperationError('SHUTTING_DOWN', 'it is about to end')
    return this.#background.run(job)
  }
}
