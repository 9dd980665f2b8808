import type { Submission } from '../batch/index.ts'
import type { Hex } from '../bytes/hex.ts'
import { InputError } from '../errors.ts'
import { recordValue } from '../lookup/index.ts'
import { type Anchored, type JsonProof, type SubmissionProof, toJsonProof } from '../proof/index.ts'
import type { BatchFolder } from '../store/batch-folder.ts'
import type { LedgerEntries, LedgerEntry } from '../store/ledger-entries.ts'
import type { SealedSubmission } from '../store/sealed-batches.ts'
import { type DisclosureParts, disclosuresOf } from './disclosures.ts'
import type { Follower } from './follower.ts'
import { ALWAYS, type FoundPage, type FoundRecord, type Place, Search, type SearchQuery } from './search.ts'

interface FinderParts extends DisclosureParts {
  follower: Follower
  entries: LedgerEntries
  folder: BatchFolder
  ledger: Hex
  chainId: bigint
}

/** Sketches of indexes held in memory, enough for some 25 million records of the newest batches. */
const SKETCH_BYTES = 128 * 1024 * 1024
/** What a page of a search may cost: some thousand index files, or eight thousand records. */
const PAGE_BUDGET = 8_192
const PAGE = 256

/** Finds records in the batches' own index files, and makes their proofs. */
export class Finder {
  readonly #parts: FinderParts
  readonly #search: Search

  constructor(parts: FinderParts) {
    this.#parts = parts
    this.#search = new Search({ ...parts, sketchBytes: SKETCH_BYTES, budget: PAGE_BUDGET })
  }

  /** Makes the first questions as fast as the later ones, soon. */
  warm(): void {
    this.#search.warm()
  }

  stop(): Promise<void> {
    return this.#search.stop()
  }

  /** One page of the records under some keys, newest first, from the newest batch on or from where a page ended. */
  page(query: Omit<SearchQuery, 'after'> & { after?: Place | undefined }): Promise<FoundPage> {
    const head = { logIndex: BigInt(this.#parts.follower.log.size), position: 0 }
    const { after = head } = query
    return this.#search.page({ ...query, after: after.logIndex < head.logIndex ? after : head })
  }

  /** Every record of this source and id in the verified batches, newest first; more than one is the source's fault. */
  async find(source: string, id: string): Promise<FoundRecord[]> {
    const keys = new Map([['record', recordValue(source, id)] as const])
    const found: FoundRecord[] = []
    let after: Place | undefined
    do {
      const page = await this.page({ keys, ...ALWAYS, limit: PAGE, after })
      found.push(...page.records)
      after = page.next
    } while (after !== undefined)
    return found
  }

  /** The submission that brought a record; undefined where the batch no longer has it. */
  async submissionOf({ item, position, entry }: FoundRecord): Promise<Submission | undefined> {
    const submissions = await this.#parts.folder.loadSubmissions(entry.header)
    return submissions.find(
      ({ source, first, count }) =>
        source === item.record.source && first <= position && position < first + count,
    )
  }

  /**
   * The one record with this id.
   *
   * @param sources where to look for it
   * @throws {InputError} `NOT_FOUND`, or `BAD_ARGUMENT` when several sources have the id
   */
  async findOne(sources: readonly string[], id: string): Promise<FoundRecord> {
    const found: FoundRecord[] = []
    for (const source of sources) {
      // The oldest: a later copy of the same id cannot displace it.
      found.push(...(await this.find(source, id)).slice(-1))
    }
    const [first, second] = found
    if (first === undefined)
      throw new InputError('NOT_FOUND', `no verified batch of the ledger holds record ${id}`)
    if (second !== undefined) {
      const owners = found.map(({ item }) => item.record.source).join(', ')
      throw new InputError('BAD_ARGUMENT', `several sources have a record ${id}, say which: ${owners}`)
    }
    return first
  }

  /** What opens members of a record; throws as `disclosuresOf`. */
  disclosuresOf(found: FoundRecord, names: readonly string[]): Promise<string[]> {
    return disclosuresOf(this.#parts, found, names)
  }

  /**
   * The proof of a record.
   *
   * @param disclosures what it shows of the sealed members
   * @throws {InputError} `NOT_READY` while its block is not final
   */
  async prove({ item, position, entry }: FoundRecord, disclosures: string[]): Promise<JsonProof> {
    const anchored = this.#anchoredOf(entry)
    const { header } = entry
    const path = await this.#parts.batches.use(header.publisher, header.sequence, (batch) =>
      batch.inclusionPath(header.recordCount, position),
    )
    return toJsonProof({
      record: item.record,
      disclosures,
      inclusion: { index: position, path },
      ...anchored,
    })
  }

  /**
   * The proof of a whole submission.
   *
   * @throws {InputError} `NOT_ANCHORED` when the ledger does not hold its batch, or not what the chain says of it;
   *   `NOT_READY` while its block is not final or its batch not verified
   */
  async proveSubmission({ publisher, batch, first, size }: SealedSubmission): Promise<SubmissionProof> {
    const entry = this.#parts.entries.ofBatch(publisher, batch)
    if (entry === undefined) {
      throw new InputError('NOT_ANCHORED', `the ledger does not hold batch ${batch} of ${publisher} yet`)
    }
    if (entry.state === 'announced') {
      throw new InputError('NOT_READY', `batch ${batch} is being verified; ask again soon`)
    }
    if (entry.state !== 'verified') {
      throw new InputError(
        'NOT_ANCHORED',
        `batch ${batch} of ${publisher} is ${entry.state}: ${entry.reason}`,
      )
    }
    const anchored = this.#anchoredOf(entry)
    const { recordCount } = entry.header
    const { leaves, path } = await this.#parts.batches.use(publisher, batch, (files) =>
      files.leavesFrom(recordCount, first, size),
    )
    return { leaves, range: { first, path }, ...anchored }
  }

  /** @throws {InputError} `NOT_READY` */
  #anchoredOf(entry: LedgerEntry): Anchored {
    const { follower, entries, ledger, chainId } = this.#parts
    if (!follower.isFinal(entry)) {
      throw new InputError('NOT_READY', `block ${entry.blockNumber} is not final yet; ask again soon`)
    }
    const { header, logIndex, blockNumber, blockHash, transactionHash, eventIndex } = entry
    const size = entries.sizeAfter(transactionHash)
    return {
      header,
      log: { index: logIndex, size, path: follower.log.inclusionPath(logIndex, size) },
      anchor: { chainId, ledger, blockNumber, blockHash, transactionHash, logIndex: eventIndex },
    }
  }
}
