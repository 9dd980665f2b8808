import { setImmediate } from 'node:timers/promises'
import type { Hex } from '../bytes/hex.ts'
import { InputError } from '../errors.ts'
import type { HistoryBatch, HistoryHead, HistoryPart, RunHistoryHead } from '../proof/index.ts'
import type { BatchCache } from '../store/batch-cache.ts'
import type { BatchFolder } from '../store/batch-folder.ts'
import type { LedgerEntries } from '../store/ledger-entries.ts'
import type { ClaimedRun, Runs } from '../store/runs.ts'
import type { Follower } from './follower.ts'
import { type ShownRequest, showBatch } from './history-batch.ts'
import { endOf, entryAt, showRun, usedRuns } from './history-run.ts'

/** What is asked for, and in which part of the ledger. */
export interface HistoryRequest extends ShownRequest {
  /** first ledger entry, 0 when left out */
  first: bigint | undefined
  /** one more than the last entry; as far as all is verified and final when left out */
  end: bigint | undefined
}

/** A history whose batches are read when they are asked for, a few at a time. */
export interface OpenHistory {
  head: HistoryHead
  batches: AsyncIterable<HistoryBatch>
}

/** A history over runs; `path` is known when the parts have been read. */
export interface OpenRunHistory {
  head: RunHistoryHead
  parts: AsyncIterable<HistoryPart>
  path: () => Uint8Array[]
}

interface HistoriesParts {
  follower: Follower
  entries: LedgerEntries
  batches: BatchCache
  folder: BatchFolder
  runs: Runs
  /** where the indexes of kept runs are */
  runsPath: string
  ledger: Hex
  chainId: bigint
}

const PAGE = 256
/** Batches that are read beside each other: twice as many as Node has threads for files. */
const AT_ONCE = 8
/** How many batches an error names. */
const MOST_NAMED = 20

/** Makes histories out of the batches' own index files. */
export class Histories {
  readonly #parts: HistoriesParts

  constructor(parts: HistoriesParts) {
    this.#parts = parts
  }

  /**
   * The history of a key over the ledger's entries from `first` up to `end`.
   *
   * @throws {InputError} `HISTORY_INCOMPLETE` naming the batches that are fraud or withheld; `NOT_READY` when the end, or
   *   a beginning, is not verified and final yet
   */
  open(request: HistoryRequest): OpenHistory {
    const { from, to } = this.#rangeOf(request)
    const { anchor, size } = this.#anchorOf(to - 1n)
    return {
      head: {
        key: request.key,
        period: request.period,
        range: { from, to, size, path: this.#parts.follower.log.rangePath(from, to, size) },
        anchor,
      },
      batches: this.#batches(request, from, to),
    }
  }

  /**
   * The same over the runs that were found to be true, where there are any.
   *
   * @throws {InputError} as `open`
   */
  openRuns(request: HistoryRequest): OpenRunHistory {
    const { follower } = this.#parts
    const { from, to } = this.#rangeOf(request)
    const used = usedRuns(this.#parts.runs, from, to)
    const lastRun = used.at(-1)
    const isEndShown = lastRun === undefined || endOf(lastRun) < to
    const places = used.map(({ logIndex }) => logIndex)
    const { anchor, size } = this.#anchorOf(highest(isEndShown ? to - 1n : 0n, places))
    const shown = new Set(places)
    return {
      head: { key: request.key, period: request.period, range: { from, to, size }, anchor },
      parts: this.#runParts(request, { from, to }, used, shown),
      path: () =>
        follower.log.subsetPath(
          [...shown].map(Number).sort((a, b) => a - b),
          size,
        ),
    }
  }

  #rangeOf(request: HistoryRequest): { from: bigint; to: bigint } {
    const from = request.first ?? 0n
    const to = this.#endOf(from, request.end)
    this.#refuseGaps(from, to)
    return { from, to }
  }

  #anchorOf(logIndex: bigint) {
    const { entries, ledger, chainId } = this.#parts
    const { blockNumber, blockHash, transactionHash, eventIndex } = entryAt(entries, logIndex)
    return {
      anchor: { chainId, ledger, blockNumber, blockHash, transactionHash, logIndex: eventIndex },
      size: entries.sizeAfter(transactionHash),
    }
  }

  async *#runParts(
    request: HistoryRequest,
    { from, to }: { from: bigint; to: bigint },
    used: readonly ClaimedRun[],
    shown: Set<bigint>,
  ): AsyncGenerator<HistoryPart> {
    let next = from
    const batchesUpTo = async function* (this: Histories, end: bigint) {
      for (let at = next; at < end; at++) shown.add(at)
      yield* this.#batches(request, next, end)
    }.bind(this)
    for (const run of used) {
      yield* batchesUpTo(run.first)
      yield await showRun(this.#parts, run, request, shown)
      next = endOf(run)
    }
    yield* batchesUpTo(to)
  }

  #endOf(from: bigint, wanted: bigint | undefined): bigint {
    const { follower, entries } = this.#parts
    const final = BigInt(entries.countUpTo(follower.state.finalBlock))
    const [announced] = from < final ? entries.inState('announced', 1, from) : []
    const ready = announced !== undefined && announced.logIndex < final ? announced.logIndex : final
    const end = wanted ?? ready
    if (end <= ready && from < end) return end
    if (wanted !== undefined && from >= wanted) {
      throw new InputError('BAD_ARGUMENT', `a range of ledger entries from ${from} up to ${end} holds none`)
    }
    throw new InputError(
      'NOT_READY',
      `of the ledger, ${ready > from ? `only entries ${from} up to ${ready} are` : `no entry from ${from} on is`} verified and final yet`,
    )
  }

  /** Nothing is known of what a batch holds that is not verified, so nothing can be said for all of them. */
  #refuseGaps(from: bigint, to: bigint): void {
    const gaps = (['fraud', 'withheld'] as const)
      .flatMap((state) => this.#parts.entries.inState(state, MOST_NAMED, from))
      .filter(({ logIndex }) => logIndex < to)
      .sort((a, b) => Number(a.logIndex - b.logIndex))
      .slice(0, MOST_NAMED)
    if (gaps.length === 0) return
    const named = gaps.map(({ logIndex, state }) => `${logIndex} (${state})`).join(', ')
    throw new InputError(
      'HISTORY_INCOMPLETE',
      `not every batch of ledger entries ${from} up to ${to} is verified: ${named}; ask for a range without them (first, end)`,
    )
  }

  async *#batches(request: HistoryRequest, from: bigint, to: bigint): AsyncGenerator<HistoryBatch> {
    for (let next = from; next < to; ) {
      const page = this.#parts.entries.from(next, PAGE).filter(({ logIndex }) => logIndex < to)
      for (let first = 0; first < page.length; first += AT_ONCE) {
        const some = page.slice(first, first + AT_ONCE)
        yield* await Promise.all(some.map((entry) => showBatch(this.#parts, entry.header, request)))
      }
      next += BigInt(page.length)
      // Batches of another time are not read, so that nobody else would get a turn.
      await setImmediate()
    }
  }
}

function highest(first: bigint, others: readonly bigint[]): bigint {
  let found = first
  for (const one of others) if (one > found) found = one
  return found
}
