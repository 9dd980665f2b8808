import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError, VerificationError } from '../errors.ts'
import { type RunSummary, verifyRun } from '../lookup/index.ts'
import { type Background, startBackground } from '../store/background.ts'
import { orStoreFailed } from '../store/durable.ts'
import type { LedgerEntries } from '../store/ledger-entries.ts'
import type { ClaimedRun, Runs } from '../store/runs.ts'
import type { RunJob } from './run-worker.ts'
import type { Verdicts } from './verdicts.ts'

interface RunKeeperParts {
  runs: Runs
  entries: LedgerEntries
  verdicts: Verdicts
  batchesPath: string
  /** where the indexes of true runs are kept, if they are */
  runsPath: string | undefined
  /** the highest block that is final */
  finalBlock: () => bigint
}

/**
 * Merges every run that a record claims, in a thread of its own, and keeps the indexes of those that are true.
 *
 * Of runs that overlap only the longest is kept, the earlier of equal ones: what is kept takes no more room than one
 * more index of every batch, whatever sources claim.
 */
export class RunKeeper {
  readonly #parts: RunKeeperParts
  readonly #background: Background<RunJob, RunSummary>
  #isTidy = false

  constructor(parts: RunKeeperParts) {
    this.#parts = parts
    this.#background = startBackground<RunJob, RunSummary>(new URL('./run-worker.ts', import.meta.url))
  }

  /**
   * Judges one claim that can be judged.
   *
   * @returns false when there is none
   * @throws {OperationError} `STORE_FAILED` or `STORE_DAMAGED`: nothing is known of the claim then
   */
  async step(): Promise<boolean> {
    if (!this.#isTidy) await this.#tidy()
    const { runs, runsPath, finalBlock, verdicts } = this.#parts
    const claim = runs.due(finalBlock())
    if (claim === undefined) return false
    const rivals = runs.overlapping(claim)
    const isLongest = rivals.every(({ count }) => count < claim.count)
    const path = runsPath !== undefined && isLongest ? runPath(runsPath, claim) : undefined
    // What was merged once need not be for everyone who says it again.
    const same = rivals.find(({ first, count }) => first === claim.first && count === claim.count)
    try {
      verifyRun(claim, same ?? (await this.merge(claim, path)))
    } catch (error) {
      if (!(error instanceof VerificationError || error instanceof InputError)) throw error
      if (path !== undefined) await remove(path)
      verdicts.falseRun(claim, error.message)
      return true
    }
    if (runsPath === undefined || path === undefined) {
      runs.mark(claim, 'true')
      return true
    }
    runs.keep(claim, rivals)
    for (const rival of rivals) await remove(runPath(runsPath, rival))
    return true
  }

  /**
   * Merges the verified batches of a run.
   *
   * @param path of the index file that is made of it, if any
   * @throws {InputError} `TOO_LARGE` when no index file holds so much
   * @throws {OperationError} `STORE_FAILED` or `STORE_DAMAGED`
   */
  merge({ first, count }: Pick<ClaimedRun, 'first' | 'count'>, path?: string): Promise<RunSummary> {
    const { entries, batchesPath } = this.#parts
    const batches = entries
      .from(first, count)
      .map(({ header: { publisher, sequence, indexRoot } }) => ({ publisher, sequence, indexRoot }))
    return this.#background.run({ batchesPath, batches, path })
  }

  stop(): Promise<void> {
    return this.#background.stop()
  }

  /** Removes what a crash left behind, and merges again what somebody removed. */
  async #tidy(): Promise<void> {
    const { runs, runsPath } = this.#parts
    this.#isTidy = true
    if (runsPath === undefined) return
    const files = new Set<string>()
    await orStoreFailed(runsPath, async () => {
      await mkdir(runsPath, { recursive: true })
      for (const name of await readdir(runsPath)) files.add(join(runsPath, name))
    })
    for (let first = 0n; ; ) {
      const kept = runs.keptFrom(first, PAGE)
      for (const run of kept) if (!files.delete(runPath(runsPath, run))) runs.reset(run)
      const last = kept.at(-1)
      if (last === undefined) break
      first = last.first + 1n
    }
    for (const file of files) await remove(file)
  }
}

const PAGE = 1_000

/** Where the index of a run is kept. */
export const runPath = (folder: string, { first, count }: Pick<ClaimedRun, 'first' | 'count'>): string =>
  join(folder, `${first}-${count}.idx`)

const remove = (path: string) => orStoreFailed(path, () => rm(path, { force: true }))
