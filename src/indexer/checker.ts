import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Header } from '../batch/index.ts'
import type { Hex } from '../bytes/hex.ts'
import type { SigningDomain } from '../chain/signing.ts'
import { OperationError } from '../errors.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { syncDirectory } from '../store/durable.ts'
import type { LedgerEntries, LedgerEntry } from '../store/ledger-entries.ts'
import { CheckPool } from './check-pool.ts'
import type { CheckResult } from './check-worker.ts'
import { digestFiles, keepEvidence } from './evidence.ts'
import type { Fetcher } from './fetcher.ts'
import type { PublicFile } from './file-limits.ts'
import type { Refusal, Verdicts } from './verdicts.ts'

export interface CheckerParts {
  /** where verified batches lie */
  batchesPath: string
  /** where files that were refused are kept */
  evidencePath: string
  entries: LedgerEntries
  verdicts: Verdicts
  /** of the sources' signatures */
  domain: SigningDomain
  /** which contract decides on the grants in records; without one, they are not looked at */
  authorizations?: Hex
  /** brings what is not in `batchesPath`; without one, that folder is all there is */
  fetcher?: Fetcher
  threads: number
  /** milliseconds since 1970 */
  now: () => number
  /** where the keys of the records of verified batches are kept, if they are (see `saveRecordKeys`) */
  keysPath?: string
  /** whether what a batch adds to the counts is kept; yes when left out */
  counting?: boolean
  /** told when fetched files have got their place: what was there before may still be open */
  onPlaced?: (header: Header) => Promise<void>
  /** before the first try again; each later pause is twice as long, up to an hour */
  retryMs: number
}

/** One for each publisher, one for verified batches whose counts are to be made anew, one to tidy up while none works. */
type Lane = Hex | 'recount' | 'tidy'

/** Entries of one lane that are under way at a time, at least, and how many times as many are taken up together. */
const AT_ONCE = 4
const WINDOWS = 4

const LONGEST_RETRY_MS = 3_600_000

const UNVERIFIED = ['announced', 'fraud', 'withheld'] as const
const MANY = 1_000_000

/** What a batch is found to be, before it is written down. */
type Judgement = Extract<CheckResult, { state: 'verified' }> | Refusal
type Pending = PromiseWithResolvers<Judgement | undefined>

/**
 * Brings and re-verifies announced batches in threads of their own; nothing of a batch is shown before.
 *
 * Each publisher has its own lane, so that one who stalls holds up nobody else. Within a lane several batches are under
 * way, and are written down in their order. What was refused is tried again, ever more rarely.
 */
export class Checker {
  readonly #parts: CheckerParts
  readonly #pool: CheckPool
  readonly #verified: BatchFolder
  readonly #lanes = new Map<Lane, Promise<void>>()
  readonly #stopping = new AbortController()

  constructor(parts: CheckerParts) {
    this.#parts = parts
    this.#pool = new CheckPool(parts.threads)
    this.#verified = new BatchFolder(parts.batchesPath)
  }

  /**
   * Starts every lane that has something due and is not under way.
   *
   * @param onError told when a lane ends by an error; what is left of it is due again
   */
  start(onError: (error: unknown) => void): void {
    const { entries, now, fetcher } = this.#parts
    const start = (name: Lane, work: () => Promise<void>) => {
      const lane = work()
        .catch(onError)
        .finally(() => this.#lanes.delete(name))
      this.#lanes.set(name, lane)
    }
    const startDue = (name: Lane, due: (limit: number) => LedgerEntry[]) => {
      if (!this.#lanes.has(name) && due(1).length > 0) start(name, () => this.#run(due))
    }
    if (fetcher !== undefined && this.#lanes.size === 0) {
      start('tidy', () => fetcher.tidy(() => UNVERIFIED.flatMap((state) => entries.inState(state, MANY))))
    }
    for (const publisher of entries.publishers()) {
      startDue(publisher, (limit) => entries.due(publisher, now(), limit))
    }
    startDue('recount', (limit) => entries.uncounted(limit))
  }

  /**
   * Checks all that is due now.
   *
   * @throws {OperationError} `STORE_FAILED` when a batch cannot be read now; the others are checked all the same
   */
  async step(): Promise<void> {
    const errors: unknown[] = []
    this.start((error) => errors.push(error))
    await Promise.all(this.#lanes.values())
    if (errors.length > 0) throw errors[0]
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#lanes.values())
    await this.#pool.stop()
  }

  async #run(dueOf: (limit: number) => LedgerEntry[]): Promise<void> {
    const atOnce = Math.max(AT_ONCE, this.#parts.threads)
    while (!this.#stopping.signal.aborted) {
      const due = dueOf(WINDOWS * atOnce)
      if (due.length === 0) return
      const next = due.values()
      const judged = new Map<bigint, Pending>()
      for (const { logIndex } of due) judged.set(logIndex, Promise.withResolvers())
      const work = async () => {
        for (const entry of next) {
          const { resolve, reject } = judged.get(entry.logIndex) as Pending // set above
          if (this.#stopping.signal.aborted) resolve(undefined)
          else await this.#judge(entry).then(resolve, reject)
        }
      }
      const working = Promise.all(Array.from({ length: atOnce }, work))
      for (const { promise } of judged.values()) promise.catch(() => undefined)
      let failure: OperationError | undefined
      try {
        for (const entry of due) {
          try {
            await this.#writeDown(entry, await judged.get(entry.logIndex)?.promise)
          } catch (error) {
            if (!(error instanceof OperationError)) throw error
            // The others are checked all the same; this one is due again.
            failure ??= error
          }
        }
      } finally {
        await working
      }
      if (failure !== undefined) throw failure
    }
  }

  async #judge(entry: LedgerEntry): Promise<Judgement> {
    const { fetcher } = this.#parts
    const { header } = entry
    if (fetcher === undefined) return this.#check(header, this.#verified, () => 'folder')
    if (await this.#verified.has(header.publisher, header.sequence)) {
      const result = await this.#check(header, this.#verified, () => 'folder')
      if (result.state === 'verified') return result
      // Our own disk has changed it, or it was of a header that a reorg took away.
      await remove(this.#verified.pathOf(header.publisher, header.sequence))
    }
    return this.#fetch(header, fetcher)
  }

  async #fetch(header: Header, fetcher: Fetcher): Promise<Judgement> {
    const incoming = fetcher.incoming(header)
    try {
      await fetcher.fetch(header, this.#stopping.signal)
    } catch (error) {
      if (!(error instanceof OperationError) || error.code !== 'PUBLISHER_UNREACHABLE') throw error
      return withheld(error.message)
    }
    const judgement = await this.#check(header, incoming, (name) => String(fetcher.addressOf(header, name)))
    if (judgement.state === 'verified') {
      await moveInto(incoming, this.#verified, header)
      await this.#parts.onPlaced?.(header)
    }
    // What is false is asked for again next time, all of it.
    await remove(incoming.root)
    return judgement
  }

  async #check(
    header: Header,
    folder: BatchFolder,
    fromOf: (name: PublicFile) => string,
  ): Promise<Judgement> {
    const { domain, authorizations, keysPath } = this.#parts
    const result = await this.#pool
      .run({
        batchesPath: folder.root,
        header,
        domain,
        ...(authorizations !== undefined && { authorizations }),
        ...(keysPath !== undefined && { keysPath }),
      })
      .catch((error: unknown): CheckResult => {
        // A batch that is too much for a thread must not stop the others.
        if (!(error instanceof OperationError)) throw error
        return { state: 'withheld', reason: `it could not be checked: ${error.message}` }
      })
    if (result.state === 'verified') return result
    // What cannot be read now may be readable later: that is nobody's fault.
    if (result.state === 'unread') throw new OperationError('STORE_FAILED', result.reason)
    // Alerts are for strangers, whom our folders do not concern.
    const reason = result.reason.replaceAll(`${folder.root}/`, '')
    if (result.state !== 'fraud') return withheld(reason)
    const path = folder.pathOf(header.publisher, header.sequence)
    const files = await digestFiles(path, fromOf)
    await keepEvidence(this.#parts.evidencePath, header, path)
    return { ...result, reason, files }
  }

  async #writeDown(entry: LedgerEntry, judgement: Judgement | undefined): Promise<void> {
    const { entries, verdicts, now, retryMs, counting = true } = this.#parts
    if (judgement === undefined) return
    // What could not be had because we end says nothing; and a reorg may have put another entry in its place meanwhile.
    if (judgement.state === 'withheld' && this.#stopping.signal.aborted) return
    if (entries.get(entry.logIndex)?.blockHash !== entry.blockHash) return
    if (judgement.state === 'verified') {
      await verdicts.verified(entry, judgement.findings, counting ? judgement.counts : [])
    } else {
      const pauseMs = Math.min(retryMs * 2 ** Math.min(entry.attempts, 20), LONGEST_RETRY_MS)
      verdicts.refused(entry, judgement, now() + pauseMs)
    }
  }
}

const withheld = (reason: string): Refusal => ({
  state: 'withheld',
  kind: 'withheld',
  reason,
  positions: [],
  files: [],
})

/** Synced files get their place: a crash leaves them in one of the two. */
async function moveInto(from: BatchFolder, to: BatchFolder, { publisher, sequence }: Header): Promise<void> {
  const target = to.pathOf(publisher, sequence)
  try {
    await mkdir(dirname(target), { recursive: true })
    await rename(from.pathOf(publisher, sequence), target)
    await syncDirectory(dirname(target))
  } catch (cause) {
    throw new OperationError('STORE_FAILED', `could not move the verified batch to ${target}`, { cause })
  }
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true })
  } catch (cause) {
    throw new OperationError('STORE_FAILED', `could not remove ${path}`, { cause })
  }
}
