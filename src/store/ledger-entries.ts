import type { StatementSync } from 'node:sqlite'
import { decodeHeader, encodeHeader, type Header } from '../batch/index.ts'
import type { Hex } from '../bytes/hex.ts'
import { type Database, inTransaction, preparerOf, writeCatalogue } from './database.ts'
import { Stats } from './stats.ts'

/**
 * How far an entry of the ledger has come here: announced by the chain, its files verified, refuted (`fraud`) or
 * not to be had (`withheld`).
 */
export type EntryState = 'announced' | 'verified' | 'fraud' | 'withheld'

/** A header of the ledger, where the chain holds it, and what became of its batch. */
export interface LedgerEntry {
  logIndex: bigint
  header: Header
  blockNumber: bigint
  blockHash: Hex
  transactionHash: Hex
  /** position of the event within the block */
  eventIndex: number
  state: EntryState
  reason: string | undefined
  /** how often it was found to be fraud or withheld */
  attempts: number
}

export type NewEntry = Omit<LedgerEntry, 'state' | 'reason' | 'attempts'>

/** A verified batch as a search walks past it. */
export interface SearchableBatch {
  logIndex: bigint
  publisher: Hex
  sequence: bigint
  /** 32 bytes: which index it is, whatever place it has */
  indexRoot: Uint8Array
}

/** No block has a higher number that SQLite can hold. */
const LAST_BLOCK = 2n ** 63n - 1n

/** Ranges of which the searchable batches are remembered. */
const MOST_REMEMBERED = 16

/** The catalogue's part about the ledger as the chain shows it. */
export class LedgerEntries {
  readonly #database: Database
  /** changed together with the entries */
  readonly stats: Stats
  readonly #statements: Record<
    | 'insert'
    | 'expectEvidence'
    | 'mark'
    | 'one'
    | 'byBatch'
    | 'before'
    | 'from'
    | 'byState'
    | 'lastOfTransaction'
    | 'count'
    | 'countOf'
    | 'lastUpTo'
    | 'due'
    | 'postpone'
    | 'postponeOutside'
    | 'nextPublisher'
    | 'searchable'
    | 'changes',
    StatementSync
  >
  readonly #truncate: StatementSync[]
  /** what `searchable` has answered since the catalogue changed last: most questions are about the same entries */
  readonly #searchable = new Map<string, readonly SearchableBatch[]>()
  #changes: unknown

  constructor(database: Database) {
    this.#database = database
    this.stats = new Stats(database)
    const prepare = preparerOf(database)
    this.#truncate = ['entries', 'seen_submissions', 'alerts', 'runs', 'record_grants', 'evidence'].map(
      (table) => prepare(`DELETE FROM ${table} WHERE log_index >= ?`),
    )
    this.#statements = {
      insert: prepare(
        `INSERT INTO entries (log_index, publisher, sequence, header, block_number, block_hash, transaction_hash,
           event_index, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'announced')`,
      ),
      expectEvidence: prepare('INSERT INTO evidence (log_index) VALUES (?)'),
      mark: prepare('UPDATE entries SET state = ?, reason = ?, retry_at = 0 WHERE log_index = ?'),
      one: prepare('SELECT * FROM entries WHERE log_index = ?'),
      byBatch: prepare('SELECT * FROM entries WHERE publisher = ? AND sequence = ?'),
      before: prepare('SELECT * FROM entries WHERE log_index < ? ORDER BY log_index DESC LIMIT ?'),
      from: prepare('SELECT * FROM entries WHERE log_index >= ? ORDER BY log_index LIMIT ?'),
      byState: prepare('SELECT * FROM entries WHERE state = ? AND log_index >= ? ORDER BY log_index LIMIT ?'),
      lastOfTransaction: prepare('SELECT max(log_index) AS last FROM entries WHERE transaction_hash = ?'),
      count: prepare('SELECT count(*) AS count FROM entries WHERE state = ?'),
      countOf: prepare('SELECT count(*) AS count FROM entries WHERE state = ? AND publisher = ?'),
      due: prepare(
        `SELECT * FROM entries WHERE publisher = ? AND state <> 'verified' AND retry_at <= ?
         ORDER BY retry_at, log_index LIMIT ?`,
      ),
      postpone: prepare('UPDATE entries SET attempts = attempts + 1, retry_at = ? WHERE log_index = ?'),
      postponeOutside: prepare('UPDATE entries SET retry_at = ? WHERE log_index < ? OR log_index >= ?'),
      nextPublisher: prepare('SELECT min(publisher) AS next FROM entries WHERE publisher > ?'),
      // Blocks ascend with the index, so this reads the entries above the block only.
      lastUpTo: prepare(
        'SELECT log_index FROM entries WHERE block_number <= ? ORDER BY log_index DESC LIMIT 1',
      ),
      // Big-endian bytes are ordered as their numbers.
      searchable: prepare(`
        SELECT log_index, publisher, sequence, substr(header, 129, 32) AS index_root FROM entries
        WHERE log_index >= ? AND log_index < ? AND state = 'verified'
          AND substr(header, 217, 8) < ? AND substr(header, 249, 8) >= ?
        ORDER BY log_index DESC`),
      changes: prepare('SELECT total_changes() AS changes'),
    }
  }

  /** @param alongside what is to be stored with them or not at all */
  add(entries: readonly NewEntry[], alongside: () => void = () => undefined): void {
    inTransaction(this.#database, () => {
      alongside()
      for (const [i, entry] of entries.entries()) {
        this.#statements.insert.run(
          entry.logIndex,
          entry.header.publisher,
          entry.header.sequence,
          encodeHeader(entry.header),
          entry.blockNumber,
          entry.blockHash,
          entry.transactionHash,
          entry.eventIndex,
        )
        if (entries[i + 1]?.transactionHash !== entry.transactionHash) {
          this.#statements.expectEvidence.run(entry.logIndex)
        }
      }
    })
  }

  /** Takes back every entry from `size` on, and all that was found in it or counted of it: the chain no longer has them. */
  truncate(size: bigint): void {
    inTransaction(this.#database, () => {
      this.stats.retractFrom(size)
      for (const statement of this.#truncate) statement.run(size)
    })
  }

  /**
   * It is due at once, unless it is verified or postponed after.
   *
   * A batch that is verified without having been counted waits for it; one that was counted and no longer is verified
   * is taken out of the counts, and those after it wait.
   *
   * @returns whether it was taken out of the counts, and with it what was counted of those after it
   */
  mark(logIndex: bigint, state: EntryState, reason?: string): boolean {
    return inTransaction(this.#database, () => {
      const isUndone = state !== 'verified' && this.stats.retract(logIndex)
      this.#statements.mark.run(state, reason ?? null, logIndex)
      if (isUndone) this.stats.enqueueFrom(logIndex)
      else if (state === 'verified') this.stats.enqueue(logIndex)
      return isUndone
    })
  }

  /** Counts one of the parts of a batch, once. When it has counted them all, whoever calls it marks it as verified. */
  count(logIndex: bigint, part: number, document: string): void {
    inTransaction(this.#database, () => this.stats.add(logIndex, part, document))
  }

  /** Verified batches that are still to be counted, oldest first. */
  uncounted(limit: number): LedgerEntry[] {
    return this.stats.uncounted(limit).flatMap((logIndex) => this.get(logIndex) ?? [])
  }

  /** Forgets all counts; the checker counts every verified batch again, from its files. */
  recount(): void {
    inTransaction(this.#database, () => this.stats.recount())
  }

  /** Counts a failed attempt; the entry is not due before `retryAt`, in milliseconds since 1970. */
  postpone(logIndex: bigint, retryAt: number): void {
    writeCatalogue(() => this.#statements.postpone.run(retryAt, logIndex))
  }

  /** Entries before `first`, and those from `end` on, are never due. */
  postponeOutside(first: bigint, end: bigint): void {
    writeCatalogue(() => this.#statements.postponeOutside.run(Number.MAX_SAFE_INTEGER, first, end))
  }

  /** What is to be checked of a publisher: new entries first, oldest first, then those to be tried again. */
  due(publisher: Hex, now: number, limit: number): LedgerEntry[] {
    return this.#statements.due.all(publisher, now, limit).flatMap((row) => toEntry(row) ?? [])
  }

  publishers(): Hex[] {
    const found: Hex[] = []
    for (;;) {
      // One look into the index each, however many entries there are.
      const next = this.#statements.nextPublisher.get(found.at(-1) ?? '')?.next
      if (typeof next !== 'string') return found
      found.push(next as Hex)
    }
  }

  /**
   * The verified batches at `first` or later and before `end` that may hold a record of [fromMs, toMs), newest first.
   */
  searchable(first: bigint, end: bigint, fromMs: number, toMs: number): readonly SearchableBatch[] {
    const changes = this.#statements.changes.get()?.changes
    if (changes !== this.#changes || this.#searchable.size === MOST_REMEMBERED) this.#searchable.clear()
    this.#changes = changes
    const range = `${first} ${end} ${fromMs} ${toMs}`
    const known = this.#searchable.get(range)
    if (known !== undefined) return known
    const found = this.#statements.searchable.all(first, end, uint64(toMs), uint64(fromMs)).map((row) => ({
      logIndex: row.log_index as bigint,
      publisher: row.publisher as Hex,
      sequence: row.sequence as bigint,
      indexRoot: row.index_root as Uint8Array,
    }))
    this.#searchable.set(range, found)
    return found
  }

  get(logIndex: bigint): LedgerEntry | undefined {
    return toEntry(this.#statements.one.get(logIndex))
  }

  ofBatch(publisher: Hex, sequence: bigint): LedgerEntry | undefined {
    return toEntry(this.#statements.byBatch.get(publisher, sequence))
  }

  /** Newest first, from just below `logIndex`. */
  before(logIndex: bigint, limit: number): LedgerEntry[] {
    return this.#statements.before.all(logIndex, limit).flatMap((row) => toEntry(row) ?? [])
  }

  /** Oldest first. */
  from(logIndex: bigint, limit: number): LedgerEntry[] {
    return this.#statements.from.all(logIndex, limit).flatMap((row) => toEntry(row) ?? [])
  }

  /** Oldest first, from `logIndex` on. */
  inState(state: EntryState, limit: number, logIndex = 0n): LedgerEntry[] {
    return this.#statements.byState.all(state, logIndex, limit).flatMap((row) => toEntry(row) ?? [])
  }

  /** @param publisher whose batches count; everybody's when not given */
  countInState(state: EntryState, publisher?: Hex): number {
    const { count, countOf } = this.#statements
    return Number((publisher === undefined ? count.get(state) : countOf.get(state, publisher))?.count)
  }

  /** Entries that are known; a follower may have read more, and not yet believe them. */
  size(): number {
    return this.countUpTo(LAST_BLOCK)
  }

  /** Entries in this block and those before it. */
  countUpTo(blockNumber: bigint): number {
    const last = this.#statements.lastUpTo.get(blockNumber)?.log_index
    return typeof last === 'bigint' ? Number(last) + 1 : 0
  }

  /** Size of the ledger when the transaction ended. */
  sizeAfter(transactionHash: Hex): bigint {
    return (this.#statements.lastOfTransaction.get(transactionHash)?.last as bigint) + 1n
  }
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}

export function toEntry(row: Record<string, unknown> | undefined): LedgerEntry | undefined {
  if (row === undefined) return undefined
  return {
    logIndex: row.log_index as bigint,
    header: decodeHeader(row.header as Uint8Array),
    blockNumber: row.block_number as bigint,
    blockHash: row.block_hash as Hex,
    transactionHash: row.transaction_hash as Hex,
    eventIndex: Number(row.event_index),
    state: row.state as EntryState,
    reason: (row.reason as string | null) ?? undefined,
    attempts: Number(row.attempts),
  }
}
