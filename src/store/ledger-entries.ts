import type { StatementSync } from 'node:sqlite'
import { decodeHeader, encodeHeader, type Header } from '../batch/index.ts'
import type { Hex } from '../bytes/hex.ts'
import { type Database, inTransaction } from './database.ts'
import { type BatchAggregate, Stats } from './stats.ts'

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
}

export type NewEntry = Omit<LedgerEntry, 'state' | 'reason'>

/** A verified batch as a search walks past it. */
export interface SearchableBatch {
  logIndex: bigint
  publisher: Hex
  sequence: bigint
  /** 32 bytes: which index it is, whatever place it has */
  indexRoot: Uint8Array
}

/** The catalogue's part about the ledger as the chain shows it. */
export class LedgerEntries {
  readonly #database: Database
  /** changed together with the entries */
  readonly stats: Stats
  readonly #statements: Record<
    | 'insert'
    | 'truncate'
    | 'mark'
    | 'one'
    | 'byBatch'
    | 'before'
    | 'from'
    | 'byState'
    | 'lastOfTransaction'
    | 'count'
    | 'lastUpTo'
    | 'searchable',
    StatementSync
  >

  constructor(database: Database) {
    this.#database = database
    this.stats = new Stats(database)
    const prepare = (sql: string) => {
      const statement = database.prepare(sql)
      statement.setReadBigInts(true)
      return statement
    }
    this.#statements = {
      insert: prepare("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'announced', NULL)"),
      truncate: prepare('DELETE FROM entries WHERE log_index >= ?'),
      mark: prepare('UPDATE entries SET state = ?, reason = ? WHERE log_index = ?'),
      one: prepare('SELECT * FROM entries WHERE log_index = ?'),
      byBatch: prepare('SELECT * FROM entries WHERE publisher = ? AND sequence = ?'),
      before: prepare('SELECT * FROM entries WHERE log_index < ? ORDER BY log_index DESC LIMIT ?'),
      from: prepare('SELECT * FROM entries WHERE log_index >= ? ORDER BY log_index LIMIT ?'),
      byState: prepare('SELECT * FROM entries WHERE state = ? ORDER BY log_index LIMIT ?'),
      lastOfTransaction: prepare('SELECT max(log_index) AS last FROM entries WHERE transaction_hash = ?'),
      count: prepare('SELECT count(*) AS count FROM entries WHERE state = ?'),
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
    }
  }

  add(entries: readonly NewEntry[]): void {
    inTransaction(this.#database, () => {
      for (const entry of entries) {
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
      }
    })
  }

  /** Takes back every entry from `size` on, with all that was counted of them: the chain no longer has them. */
  truncate(size: bigint): void {
    inTransaction(this.#database, () => {
      this.stats.retractFrom(size)
      this.#statements.truncate.run(size)
    })
  }

  /** A batch found verified without its aggregate waits to be counted. */
  mark(logIndex: bigint, state: EntryState, reason?: string): void {
    inTransaction(this.#database, () => {
      if (state !== 'verified') this.stats.retract(logIndex)
      this.#statements.mark.run(state, reason ?? null, logIndex)
      this.stats.enqueueFrom(logIndex)
    })
  }

  /** Shows a batch from now on, and counts it: both or neither. */
  verify(logIndex: bigint, aggregate: BatchAggregate): void {
    inTransaction(this.#database, () => {
      this.#statements.mark.run('verified', null, logIndex)
      if (!this.stats.isCounted(logIndex)) this.stats.add(logIndex, aggregate)
    })
  }

  /** Verified batches that are still to be counted, oldest first. */
  uncounted(limit: number): LedgerEntry[] {
    return this.stats.uncounted(limit).flatMap((logIndex) => this.get(logIndex) ?? [])
  }

  /** Forgets all counts; the checker counts every verified batch again, from its files. */
  recount(): void {
    inTransaction(this.#database, () => this.stats.recount())
  }

  /**
   * The verified batches at `first` or later and before `end` that may hold a record of [fromMs, toMs), newest first.
   */
  searchable(first: bigint, end: bigint, fromMs: number, toMs: number): SearchableBatch[] {
    return this.#statements.searchable.all(first, end, uint64(toMs), uint64(fromMs)).map((row) => ({
      logIndex: row.log_index as bigint,
      publisher: row.publisher as Hex,
      sequence: row.sequence as bigint,
      indexRoot: row.index_root as Uint8Array,
    }))
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

  inState(state: EntryState, limit: number): LedgerEntry[] {
    return this.#statements.byState.all(state, limit).flatMap((row) => toEntry(row) ?? [])
  }

  countInState(state: EntryState): number {
    return Number(this.#statements.count.get(state)?.count)
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

function toEntry(row: Record<string, unknown> | undefined): LedgerEntry | undefined {
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
  }
}
