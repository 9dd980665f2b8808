import type { StatementSync } from 'node:sqlite'
import { decodeHeader, encodeHeader, type Header } from '../batch/index.ts'
import type { Hex } from '../bytes/hex.ts'
import { type Database, inTransaction } from './database.ts'

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

/** The catalogue's part about the ledger as the chain shows it. */
export class LedgerEntries {
  readonly #database: Database
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
    | 'lastUpTo',
    StatementSync
  >

  constructor(database: Database) {
    this.#database = database
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
      byState: prepare('SELECT * FROM entries WHERE state = ? AND log_index >= ? ORDER BY log_index LIMIT ?'),
      lastOfTransaction: prepare('SELECT max(log_index) AS last FROM entries WHERE transaction_hash = ?'),
      count: prepare('SELECT count(*) AS count FROM entries WHERE state = ?'),
      // Blocks ascend with the index, so this reads the entries above the block only.
      lastUpTo: prepare(
        'SELECT log_index FROM entries WHERE block_number <= ? ORDER BY log_index DESC LIMIT 1',
      ),
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

  /** Takes back every entry from `size` on: the chain no longer has them. */
  truncate(size: bigint): void {
    this.#statements.truncate.run(size)
  }

  mark(logIndex: bigint, state: EntryState, reason?: string): void {
    this.#statements.mark.run(state, reason ?? null, logIndex)
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
