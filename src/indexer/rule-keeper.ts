import type { Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import type { RulePolicy } from '../rules/policy.ts'
import type { Finding } from '../rules/rule.ts'
import { DAY_MS } from '../rules/settings.ts'
import { type Background, startBackground } from '../store/background.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import type { JudgedBatches } from '../store/judged-batches.ts'
import type { LedgerEntries, LedgerEntry } from '../store/ledger-entries.ts'
import type { SealedBatches } from '../store/sealed-batches.ts'
import type { SeenSubmissions } from '../store/seen-submissions.ts'
import type { ChainFacts } from '../verify/index.ts'
import type { RulesJob, SubmissionInBatch } from './rules-worker.ts'

export interface RuleKeeperParts {
  policy: RulePolicy
  /** where grants are looked up */
  cataloguePath: string
  judged: JudgedBatches
  entries: LedgerEntries
  seen: SeenSubmissions
  /** what a gateway of this catalogue has promised; nothing, where there is none */
  sealed: SealedBatches
  /** whose promises these are */
  publisher?: Hex
  batchesPath: string
  chain: Pick<ChainFacts, 'blockByNumber'>
  /** the highest block that is final */
  finalBlock: () => bigint
  /** whether more has happened than the entries show: then nothing is concluded from what does not come */
  isBehind: () => boolean
  /** milliseconds since 1970 */
  now: () => number
  /** Writes down what was found in one batch, and that it has been judged; or in none. */
  raise: (findings: readonly Finding[], logIndex: bigint | undefined) => Promise<void>
}

/** What the rules remember: as much is read again after a restart. */
const MEMORY_MS = 31 * DAY_MS

/** Between two ticks: they go through all sources. */
const TICK_MS = 1_000

/**
 * Puts every batch that is verified and final before the rules, once and in the ledger's order, in a thread of its own.
 *
 * After a restart the batches of the last 31 days are read again, so that the rules remember what they knew; what they
 * find in those was raised when they were judged.
 */
export class RuleKeeper {
  readonly #parts: RuleKeeperParts
  readonly #background: Background<RulesJob, Finding[]>
  readonly #folder: BatchFolder
  /** where reading again goes on; undefined before it has begun, and `done` after */
  #again: { next: bigint; fromMs: number } | 'done' | undefined
  #tickedMs = Number.NEGATIVE_INFINITY
  /** our own batches before this one have been looked at for promises that are not kept */
  #promisesFrom = 0n

  constructor(parts: RuleKeeperParts) {
    this.#parts = parts
    this.#folder = new BatchFolder(parts.batchesPath)
    this.#background = startBackground<RulesJob, Finding[]>(new URL('./rules-worker.ts', import.meta.url))
  }

  /**
   * Judges one batch, or lets time pass.
   *
   * @returns false when no batch is left to be judged now
   * @throws {OperationError} when a batch cannot be read, or the chain cannot be asked for the time of a block
   */
  async step(): Promise<boolean> {
    const { judged, finalBlock, raise } = this.#parts
    if (this.#again === undefined) await this.#begin()
    if (this.#again !== 'done') return this.#readAgain()
    const entry = judged.due(finalBlock())
    if (entry === undefined) {
      await this.#tick()
      return false
    }
    await raise(await this.#read(entry, await this.#submissionsOf(entry)), entry.logIndex)
    return true
  }

  /** A reorg takes back only what was final by a node's false word; the rules then forget it. */
  takeBack(): void {
    this.#again = undefined
  }

  stop(): Promise<void> {
    return this.#background.stop()
  }

  async #begin(): Promise<void> {
    const { judged, policy, cataloguePath, now } = this.#parts
    const last = judged.last()
    const fromMs = last === undefined ? 0 : Math.min(Number(last.header.lastTime), now()) - MEMORY_MS
    const first = last && judged.from(0n, fromMs)
    const startsLate = first !== undefined && judged.from(0n, 0)?.logIndex !== first.logIndex
    await this.#run({ kind: 'begin', settings: policy.settings, startsLate, cataloguePath })
    this.#again = first === undefined ? 'done' : { next: first.logIndex, fromMs }
  }

  async #readAgain(): Promise<true> {
    if (this.#again === undefined || this.#again === 'done') return true
    const { next, fromMs } = this.#again
    const entry = this.#parts.judged.from(next, fromMs)
    if (entry === undefined) {
      this.#again = 'done'
      return true
    }
    const submissions = this.#parts.seen
      .ofEntry(entry.logIndex)
      .map(({ source, sequence, first }) => ({ source, sequence, position: first }))
    await this.#read(entry, submissions)
    // Meanwhile a reorg may have had it begin anew.
    if (this.#again !== undefined) this.#again = { next: entry.logIndex + 1n, fromMs }
    return true
  }

  #read({ header: { publisher, sequence } }: LedgerEntry, submissions: SubmissionInBatch[]) {
    const { batchesPath, now } = this.#parts
    return this.#run({
      kind: 'read',
      batchesPath,
      batch: { publisher, sequence },
      submissions,
      records: true,
      nowMs: now(),
      isWhole: this.#isWhole(),
    })
  }

  #isWhole(): boolean {
    return this.#parts.entries.inState('withheld', 1).length === 0
  }

  /** What is known of the submissions of an entry: their numbers, and the promises of our own gateway. */
  async #submissionsOf({ logIndex, header, blockNumber }: LedgerEntry): Promise<SubmissionInBatch[]> {
    const { seen, sealed, chain } = this.#parts
    let anchoredAtMs: number | undefined
    const found: SubmissionInBatch[] = []
    for (const { source, sequence, first } of seen.ofEntry(logIndex)) {
      const promised = sealed.submission(source, sequence)
      const submission = { source, sequence, position: first }
      if (promised?.publisher !== header.publisher || promised.batch !== header.sequence) {
        found.push(submission)
        continue
      }
      if (anchoredAtMs === undefined) {
        const block = await chain.blockByNumber(blockNumber)
        if (block === undefined) throw new OperationError('RPC_LAGS', `the node has no block ${blockNumber}`)
        anchoredAtMs = 1_000 * Number(block.timestamp)
      }
      found.push({ ...submission, anchorByMs: promised.anchorBy, anchoredAtMs })
    }
    return found
  }

  async #tick(): Promise<void> {
    const { entries, finalBlock, isBehind, now, raise } = this.#parts
    const nowMs = now()
    if (nowMs < this.#tickedMs + TICK_MS) return
    this.#tickedMs = nowMs
    await this.#lookForPromises(nowMs)
    const isIdle =
      !isBehind() &&
      entries.size() === entries.countUpTo(finalBlock()) &&
      entries.inState('announced', 1).length === 0
    const found = await this.#run({ kind: 'tick', nowMs, isIdle })
    if (found.length > 0) await raise(found, undefined)
  }

  /** Submissions in batches that are sealed, promised by now and on no block. */
  async #lookForPromises(nowMs: number): Promise<void> {
    const { sealed, publisher, judged, batchesPath } = this.#parts
    if (publisher === undefined) return
    const anchored = judged.nextSequence(publisher)
    if (anchored > this.#promisesFrom) this.#promisesFrom = anchored
    for (const { sequence, anchorBy } of sealed.timesFrom(publisher, this.#promisesFrom)) {
      if (anchorBy >= nowMs) return
      const header = await this.#folder.loadHeader(publisher, sequence)
      const submissions = (await this.#folder.loadSubmissions(header)).flatMap((one) => {
        const anchorByMs = sealed.submission(one.source, one.sequence)?.anchorBy
        if (anchorByMs === undefined || anchorByMs >= nowMs) return []
        return { source: one.source, sequence: one.sequence, position: one.first, anchorByMs }
      })
      const batch = { publisher, sequence }
      const job = { batchesPath, batch, submissions, records: false, nowMs, isWhole: this.#isWhole() }
      // They are found with the tick that follows.
      await this.#run({ kind: 'read', ...job })
      this.#promisesFrom = sequence + 1n
    }
  }

  /** What the engine has seen of a job that failed, nobody knows: it begins anew. */
  async #run(job: RulesJob): Promise<Finding[]> {
    try {
      return await this.#background.run(job)
    } catch (error) {
      this.#again = undefined
      throw error
    }
  }
}
