import type { StatementSync } from 'node:sqlite'
import type { Hex } from '../bytes/hex.ts'
import { type Database, inTransaction, preparerOf } from './database.ts'
import { OwnRecords } from './own-records.ts'

/** A private member of a record of a batch. */
export interface ErasedMember {
  position: number
  member: string
}

/** What is to be removed from one vault, and the record that will say so. */
export interface Erasure {
  /** the record's id */
  id: string
  publisher: Hex
  sequence: bigint
  members: readonly ErasedMember[]
  /** the record, as JSON */
  document: string
}

export type WaitingErasure = Omit<Erasure, 'members'>

/** The catalogue's part about private members that are erased, from the moment that somebody orders it. */
export class Erasures {
  readonly #database: Database
  readonly #own: OwnRecords
  readonly #statements: Record<
    'erase' | 'order' | 'waiting' | 'done' | 'of' | 'batches' | 'find',
    StatementSync
  >

  constructor(database: Database) {
    this.#database = database
    this.#own = new OwnRecords(database)
    const prepare = preparerOf(database)
    this.#statements = {
      erase: prepare('INSERT OR IGNORE INTO erased VALUES (?, ?, ?, ?, ?)'),
      order: prepare('INSERT INTO destructions VALUES (?, ?, ?, ?)'),
      waiting: prepare('SELECT * FROM destructions ORDER BY publisher, sequence, id'),
      done: prepare('DELETE FROM destructions WHERE id = ?'),
      of: prepare('SELECT position, member FROM erased WHERE publisher = ? AND sequence = ?'),
      batches: prepare('SELECT DISTINCT publisher, sequence FROM erased'),
      find: prepare(
        'SELECT destruction FROM erased WHERE publisher = ? AND sequence = ? AND position = ? AND member = ?',
      ),
    }
  }

  /** From here on they are shown to nobody, and whoever works in the folder removes them. All of it or nothing. */
  order(erasures: readonly Erasure[]): void {
    inTransaction(this.#database, () => {
      for (const { id, publisher, sequence, members, document } of erasures) {
        this.#statements.order.run(id, publisher, sequence, document)
        for (const { position, member } of members) {
          this.#statements.erase.run(publisher, sequence, position, member, id)
        }
      }
    })
  }

  /** Those that are ordered and not carried out. */
  waiting(): WaitingErasure[] {
    return this.#statements.waiting.all().map(({ id, publisher, sequence, document }) => ({
      id: id as string,
      publisher: publisher as Hex,
      sequence: sequence as bigint,
      document: document as string,
    }))
  }

  /** Says that an erasure was carried out, and has the record of it submitted, once. */
  finish(id: string, record: string): void {
    inTransaction(this.#database, () => {
      this.#statements.done.run(id)
      this.#own.add(record)
    })
  }

  /** All that was ever erased from the vault of a batch. */
  of(publisher: Hex, sequence: bigint): ErasedMember[] {
    return this.#statements.of.all(publisher, sequence).map(({ position, member }) => ({
      position: Number(position),
      member: member as string,
    }))
  }

  /** The batches whose vaults something was erased from. */
  batches(): Pick<Erasure, 'publisher' | 'sequence'>[] {
    return this.#statements.batches.all().map(({ publisher, sequence }) => ({
      publisher: publisher as Hex,
      sequence: sequence as bigint,
    }))
  }

  /** The id of the record that says that a member was erased; undefined when it was not. */
  find(publisher: Hex, sequence: bigint, { position, member }: ErasedMember): string | undefined {
    const row = this.#statements.find.get(publisher, sequence, position, member)
    return row?.destruction as string | undefined
  }
}
