import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Hex } from '../bytes/hex.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { VerificationError } from '../errors.ts'
import { expectRunPlace } from '../lookup/index.ts'
import type { Alerts } from '../store/alerts.ts'
import { type Database, inTransaction } from '../store/database.ts'
import type { Grants } from '../store/grants.ts'
import type { LedgerEntries, LedgerEntry } from '../store/ledger-entries.ts'
import type { ClaimedRun, Runs } from '../store/runs.ts'
import type { SeenSubmission, SeenSubmissions } from '../store/seen-submissions.ts'
import { type Alert, type AlertKind, type JsonAlert, type JudgedFile, toJsonAlert } from './alert.ts'
import type { FraudKind } from './check-worker.ts'
import type { Findings, RepeatedIds } from './findings.ts'

export interface VerdictParts {
  database: Database
  entries: LedgerEntries
  alerts: Alerts
  seen: SeenSubmissions
  runs: Runs
  /** absent where nobody decides on them */
  grants?: Grants
  identity: LedgerIdentity
  /** whose batches alone are worth an alert when they are withheld; without one, everybody's */
  publisher?: Hex
  /** milliseconds since 1970 */
  now: () => number
  /** told of every alert that is new */
  onAlert: (alert: JsonAlert) => void
}

/** Why a batch is not shown. */
export interface Refusal {
  state: 'fraud' | 'withheld'
  kind: FraudKind | 'withheld'
  reason: string
  positions: readonly number[]
  files: readonly JudgedFile[]
}

/** The kinds of alert that say that a batch is not shown. */
const REFUSALS: readonly AlertKind[] = ['fraud', 'withheld', 'bad-record', 'foreign-signature']

/** Submissions, or claims of runs, that are written down in one turn of the event loop. */
const AT_ONCE = 50

/** Of grants, each of which is one insertion. */
const GRANTS_AT_ONCE = 500

/** There is one such alert a batch. */
const WHOLE_BATCH = ''

/**
 * Writes down what becomes of each entry, and the alerts that follow from it.
 *
 * Entries are verified in any order and taken back by reorgs; after each, the alerts about the numbering and the keys
 * of a source are what they would have been in any other order.
 */
export class Verdicts {
  readonly #parts: VerdictParts
  /** how often what was written of entries was undone */
  #undone = 0

  constructor(parts: VerdictParts) {
    this.#parts = parts
  }

  /**
   * Writes down a verified batch, a little at a time so that others get their turn; it counts as verified at the end.
   *
   * After a crash halfway it is still to be checked, and what was written is written once more, or found to be there.
   *
   * @param counts what it adds to the counts: see `partsOf`
   */
  async verified(
    entry: LedgerEntry,
    { submissions, repeated, runs, grants }: Findings,
    counts: readonly string[],
  ) {
    const { database, entries, alerts, seen, now } = this.#parts
    const { logIndex } = entry
    const undone = this.#undone
    const steps: (() => void)[] = []
    for (let first = 0; first < submissions.length; first += AT_ONCE) {
      const some = submissions.slice(first, first + AT_ONCE)
      steps.push(() => {
        for (const one of some) {
          seen.add({ ...one, logIndex })
          this.#judgeAround(one)
        }
      })
    }
    for (let first = 0; first < runs.length; first += AT_ONCE) {
      const some = runs.slice(first, first + AT_ONCE)
      steps.push(() => {
        for (const run of some) this.#claimed({ ...run, logIndex })
      })
    }
    for (let first = 0; first < grants.length; first += GRANTS_AT_ONCE) {
      const some = grants.slice(first, first + GRANTS_AT_ONCE)
      steps.push(() => {
        for (const grant of some) this.#parts.grants?.add({ ...grant, logIndex })
      })
    }
    for (const [part, document] of counts.entries()) {
      steps.push(() => entries.count(logIndex, part, document))
    }
    const last = steps.pop()
    for (const step of steps) {
      inTransaction(database, step)
      await nextTurn()
      // What was just written may have been undone; if the entry is still there, it is due again.
      if (this.#undone !== undone) return
    }
    inTransaction(database, () => {
      last?.()
      entries.mark(logIndex, 'verified')
      entries.stats.dequeue(logIndex)
      for (const kind of REFUSALS) alerts.close({ logIndex, kind, subject: WHOLE_BATCH }, now())
      if (repeated.count > 0) this.#raise(repeatedIds(entry, repeated), WHOLE_BATCH)
    })
  }

  /** @param retryAt milliseconds since 1970 */
  refused(entry: LedgerEntry, { state, kind, reason, positions, files }: Refusal, retryAt: number): void {
    const { database, entries, alerts, publisher = entry.header.publisher, now } = this.#parts
    const { logIndex, header } = entry
    inTransaction(database, () => {
      if (entries.mark(logIndex, state, reason)) this.#undone++
      entries.postpone(logIndex, retryAt)
      this.#parts.runs.drop(logIndex)
      this.#parts.grants?.drop(logIndex)
      alerts.close({ logIndex, kind: 'false-run' }, now())
      // What was withheld has come, and is false; or what was false is no longer given out.
      for (const other of REFUSALS) {
        if (other !== kind) alerts.close({ logIndex, kind: other, subject: WHOLE_BATCH }, now())
      }
      if (kind === 'withheld' && header.publisher !== publisher) return
      const expected = kind === 'withheld' ? 'the files of this batch' : 'files that give this header'
      this.#raise({ kind, entry, expected, found: reason, files, positions }, WHOLE_BATCH)
    })
  }

  /** The claim of a record on a run has been judged, and is false. */
  falseRun(claim: ClaimedRun, reason: string): void {
    const { database, entries, runs } = this.#parts
    const { logIndex, position, source, id, first, count } = claim
    const entry = entries.get(logIndex)
    if (entry === undefined) return
    const expected = `the merged index of ledger entries ${first} up to ${first + BigInt(count)}`
    const found = `record ${id} of ${source} is false: ${reason}`
    inTransaction(database, () => {
      runs.mark(claim, 'false')
      this.#raise({ kind: 'false-run', entry, expected, found, positions: [position] }, String(position))
    })
  }

  /** What a record says of a run waits until its batches are verified, unless it cannot be. */
  #claimed(claim: ClaimedRun): void {
    try {
      expectRunPlace(claim, claim.logIndex)
      this.#parts.runs.add(claim)
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
      this.falseRun(claim, error.message)
    }
  }

  /** Takes back the entries from this one on: the chain no longer has them. */
  takeBack(logIndex: bigint): void {
    this.#undone++
    const { database, entries, seen } = this.#parts
    inTransaction(database, () => {
      const gone = seen.from(logIndex)
      entries.truncate(logIndex)
      for (const one of gone) this.#judgeAround(one)
    })
  }

  /** A submission that comes or goes changes what is to be said of it and of those that follow it. */
  #judgeAround({ source, sequence }: Pick<SeenSubmission, 'source' | 'sequence'>): void {
    const { seen } = this.#parts
    const touched = new Set([sequence])
    for (const which of ['next', 'signedAfter'] as const) {
      const later = seen.near(which, source, sequence)
      if (later !== undefined) touched.add(later.sequence)
    }
    for (const one of touched) this.#judge(source, one)
  }

  #judge(source: string, sequence: bigint): void {
    const { seen } = this.#parts
    const [first, ...repeats] = seen.same(source, sequence)
    if (first === undefined) return
    this.#set('sequence-repeat', first, undefined)
    for (const one of repeats) {
      this.#set('sequence-gap', one, undefined)
      this.#set('foreign-signature', one, undefined)
      this.#set('sequence-repeat', one, {
        expected: `submission ${sequence} of ${source} once`,
        found: `it is in ledger entry ${first.logIndex} already, from record ${first.first} on`,
      })
    }
    const before = seen.near('previous', source, sequence)
    const due = before === undefined ? 0n : before.sequence + 1n
    this.#set(
      'sequence-gap',
      first,
      sequence === due
        ? undefined
        : { expected: `submission ${due} of ${source}`, found: `the next that is there is ${sequence}` },
    )
    const signed = first.signer && seen.near('signedBefore', source, sequence)
    this.#set(
      'foreign-signature',
      first,
      signed === undefined || signed.signer === first.signer
        ? undefined
        : {
            expected: `a signature by ${signed.signer}, who signed submission ${signed.sequence} of ${source}`,
            found: `one by ${first.signer}`,
          },
    )
  }

  /** Raises the alert, or closes it when there is nothing to say. */
  #set(kind: AlertKind, about: SeenSubmission, said: Pick<Alert, 'expected' | 'found'> | undefined): void {
    const { alerts, entries, now } = this.#parts
    const { source, sequence, logIndex, first } = about
    const subject = `${source}#${sequence}@${first}`
    if (said === undefined) {
      alerts.close({ logIndex, kind, subject }, now())
      return
    }
    const entry = entries.get(logIndex)
    if (entry === undefined) return
    this.#raise({ kind, entry, ...said, submission: { source, sequence }, positions: [first] }, subject)
  }

  #raise(alert: Alert, subject: string): void {
    const { alerts, identity, now, onAlert } = this.#parts
    const json = toJsonAlert(alert, identity)
    const key = { logIndex: alert.entry.logIndex, kind: alert.kind, subject }
    if (alerts.raise(key, JSON.stringify(json), now())) onAlert(json)
  }
}

const repeatedIds = (entry: LedgerEntry, { count, positions }: RepeatedIds): Alert => ({
  kind: 'duplicate-id',
  entry,
  expected: 'every id of a source once',
  found: `${count} records have the source and the id of an earlier one of the batch`,
  positions,
})
