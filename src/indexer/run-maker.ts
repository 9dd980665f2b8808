import type { Hex } from '../bytes/hex.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { type RunSummary, toRunData } from '../lookup/index.ts'
import type { LedgerEntries } from '../store/ledger-entries.ts'
import type { Runs } from '../store/runs.ts'
import type { ChainFacts } from '../verify/index.ts'
import { type Cut, cutRun } from './run-cut.ts'

interface RunMakerParts {
  runs: Runs
  entries: LedgerEntries
  chain: ChainFacts
  identity: LedgerIdentity
  publisher: Hex
  periodHours: number
  finalBlock: () => bigint
  merge: (run: Cut) => Promise<RunSummary>
  /** the next submission of the maker's source has this sequence */
  nextSequence: () => bigint
  /** Hands over one record as this submission of the maker's source; durable when it returns. */
  submit: (record: RunRecord, sequence: bigint) => Promise<void>
  /** milliseconds since 1970 */
  now: () => number
  /** told of a stretch of the ledger of which no run can be made */
  onSkipped: (message: string) => void
}

/** The record of a run as its source writes it. */
export type RunRecord = ReturnType<typeof recordOf>

/** The source of the runs that a publisher makes. */
export const runSource = (publisher: Hex): string => `urn:tidemark:runs:${publisher}`

/**
 * Makes runs as docs/format.md, "Runs", cuts them, and has each said by one record.
 *
 * Nothing is kept besides the ledger itself: the next run is made when all records before it have come back in verified
 * batches, as many as were ever accepted, so that each is made once, whatever crashes between.
 */
export class RunMaker {
  readonly #parts: RunMakerParts
  readonly #source: string
  /** everything before has its run, or gets none */
  #from = 0n
  /** the run that begins there, once its period is closed, and up to which block that was looked for */
  #cut: Cut | undefined
  #lookedUpTo = -1n
  #skipped = 0

  constructor(parts: RunMakerParts) {
    this.#parts = parts
    this.#source = runSource(parts.publisher)
  }

  /** Stretches of the ledger, since the start, of which no run could be made. */
  get skipped(): number {
    return this.#skipped
  }

  /**
   * Makes a run, or finds that a stretch gets none.
   *
   * @returns false when there is nothing to do now
   * @throws {OperationError} when the chain cannot tell, or the gateway takes nothing, or a batch cannot be read
   */
  async step(): Promise<boolean> {
    const { runs, publisher, merge, nextSequence, submit } = this.#parts
    const sequence = nextSequence()
    const { made, end } = runs.made(this.#source, publisher)
    if (made !== sequence) return false
    if (end > this.#from) this.#goOn(end)
    const cut = await this.#look()
    if (cut === undefined || this.#isWaiting(cut)) return false
    const next = cut.first + BigInt(cut.count)
    const bad = this.#refused(cut)
    if (bad !== undefined) {
      this.#skipped++
      this.#parts.onSkipped(`no run is made of ledger entries ${cut.first} up to ${next}: ${bad}`)
    } else if (cut.count > 1) {
      await submit(recordOf(this.#source, cut, await merge(cut), this.#parts), sequence)
    }
    this.#goOn(next)
    return true
  }

  #goOn(from: bigint): void {
    this.#from = from
    this.#cut = undefined
    this.#lookedUpTo = -1n
  }

  /** Asks the chain only when another block has become final. */
  async #look(): Promise<Cut | undefined> {
    const finalBlock = this.#parts.finalBlock()
    if (this.#cut === undefined && finalBlock > this.#lookedUpTo) {
      this.#cut = await cutRun(this.#parts, this.#from, finalBlock)
      this.#lookedUpTo = finalBlock
    }
    return this.#cut
  }

  #isWaiting(cut: Cut): boolean {
    const [entry] = this.#parts.entries.inState('announced', 1, cut.first)
    return entry !== undefined && isIn(cut, entry.logIndex)
  }

  /** Why nothing can be said of all batches together, if so. */
  #refused(cut: Cut): string | undefined {
    for (const state of ['fraud', 'withheld'] as const) {
      const [entry] = this.#parts.entries.inState(state, 1, cut.first)
      if (entry !== undefined && isIn(cut, entry.logIndex)) return `entry ${entry.logIndex} is ${state}`
    }
    return undefined
  }
}

const isIn = ({ first, count }: Cut, logIndex: bigint) =>
  logIndex >= first && logIndex < first + BigInt(count)

const recordOf = (
  source: string,
  { first, count }: Cut,
  summary: RunSummary,
  { identity: { chainId, ledger }, now }: Pick<RunMakerParts, 'identity' | 'now'>,
) => ({
  specversion: '1.0',
  id: `run-${first}-${count}`,
  source,
  type: 'tidemark.index-run.v1',
  time: new Date(now()).toISOString(),
  data: toRunData({ chainId, ledger, first, ...summary }),
})
