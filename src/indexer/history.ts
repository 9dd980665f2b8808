import { setImmediate } from 'node:timers/promises'
import type { Hex } from '../bytes/hex.ts'
import { InputError } from '../errors.ts'
import { indexKey, verifyLookup } from '../lookup/index.ts'
import type { HistoryBatch, HistoryHead, HistoryQuestion } from '../proof/index.ts'
import { parseDisclosure } from '../record/index.ts'
import type { BatchCache } from '../store/batch-cache.ts'
import type { BatchFolder } from '../store/batch-folder.ts'
import type { LedgerEntries, LedgerEntry } from '../store/ledger-entries.ts'
import { mayHold } from '../verify/index.ts'
import type { Follower } from './follower.ts'

/** What is asked for, and in which part of the ledger. */
export interface HistoryRequest extends HistoryQuestion {
  /** first ledger entry, 0 when left out */
  first: bigint | undefined
  /** one more than the last entry; as far as all is verified and final when left out */
  end: bigint | undefined
  /** names of pseudonyms to disclose; a history of a person discloses the person */
  disclose: readonly string[]
}

/** A history whose batches are read when they are asked for, a few at a time. */
export interface OpenHistory {
  head: HistoryHead
  batches: AsyncIterable<HistoryBatch>
}

interface HistoriesParts {
  follower: Follower
  entries: LedgerEntries
  batches: BatchCache
  folder: BatchFolder
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
    const { follower, entries, ledger, chainId } = this.#parts
    const from = request.first ?? 0n
    const to = this.#endOf(from, request.end)
    const last = entries.get(to - 1n)
    if (last === undefined) throw new RangeError(`the catalogue lacks ledger entry ${to - 1n}`)
    this.#refuseGaps(from, to)
    const { blockNumber, blockHash, transactionHash, eventIndex } = last
    const size = entries.sizeAfter(transactionHash)
    return {
      head: {
        key: request.key,
        period: request.period,
        range: { from, to, size, path: follower.log.rangePath(from, to, size) },
        anchor: { chainId, ledger, blockNumber, blockHash, transactionHash, logIndex: eventIndex },
      },
      batches: this.#batches(request, from, to),
    }
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
        yield* await Promise.all(some.map((entry) => this.#batchOf(entry, request)))
      }
      next += BigInt(page.length)
      // Batches of another time are not read, so that nobody else would get a turn.
      await setImmediate()
    }
  }

  async #batchOf({ header }: LedgerEntry, request: HistoryRequest): Promise<HistoryBatch> {
    if (!mayHold(header, request.period)) return { header }
    const { name, value } = request.key
    const key = indexKey(name, value)
    const disclosed = name === 'person' ? [...request.disclose, name] : request.disclose
    const { publisher, sequence } = header
    const lookup = await this.#parts.folder.useIndex(publisher, sequence, (index) => index.prove(key))
    const positions = verifyLookup(key, lookup, header)
    if (positions.length === 0) return { header, lookup }
    return this.#parts.batches.use(publisher, sequence, async (batch) => {
      const items = await batch.itemsAt(positions)
      return {
        header,
        lookup,
        found: {
          items: items.map(({ record, disclosures }) => ({
            record,
            disclosures: disclosures.filter((text) => disclosed.includes(parseDisclosure(text).name)),
          })),
          path: await batch.subsetPath(header.recordCount, positions),
        },
      }
    })
  }
}
