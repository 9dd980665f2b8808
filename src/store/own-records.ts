import type { StatementSync } from 'node:sqlite'
import type { Hex } from '../bytes/hex.ts'
import { type Database, inTransaction, preparerOf, writeCatalogue } from './database.ts'

/** The source of what a publisher says of incidents, of the breaker and of its vaults. */
export const watchSource = (publisher: Hex): string => `urn:tidemark:watch:${publisher}`

/** The catalogue's part about records that the publisher itself is about to submit, each to be submitted once. */
export class OwnRecords {
  readonly #database: Database
  readonly #statements: Record<'add' | 'taken' | 'waiting' | 'take' | 'drop', StatementSync>

  constructor(database: Database) {
    this.#database = database
    const prepare = preparerOf(database)
    this.#statements = {
      add: prepare('INSERT INTO own_records (document) VALUES (?)'),
      taken: prepare('SELECT id, document FROM own_records WHERE sequence = ? ORDER BY id'),
      waiting: prepare('SELECT id, document FROM own_records WHERE sequence IS NULL ORDER BY id LIMIT ?'),
      take: prepare('UPDATE own_records SET sequence = ? WHERE id = ?'),
      drop: prepare('DELETE FROM own_records WHERE sequence < ?'),
    }
  }

  /** @param document a record as its source writes it, as JSON */
  add(document: string): void {
    this.#statements.add.run(document)
  }

  /**
   * The records of a submission: those that were given this number before, or the next that wait, at most `limit`.
   *
   * Those of earlier numbers are forgotten: they have been accepted.
   *
   * @param sequence the next submission of their source
   */
  take(sequence: bigint, limit: number): string[] {
    return inTransaction(this.#database, () => {
      this.#statements.drop.run(sequence)
      const taken = this.#statements.taken.all(sequence)
      if (taken.length > 0) return taken.map(({ document }) => document as string)
      const waiting = this.#statements.waiting.all(limit)
      for (const { id } of waiting) this.#statements.take.run(sequence, id as bigint)
      return waiting.map(({ document }) => document as string)
    })
  }

  /** Those before this number have been accepted. */
  forget(sequence: bigint): void {
    writeCatalogue(() => this.#statements.drop.run(sequence))
  }
}
