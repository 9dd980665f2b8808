import type { StatementSync } from 'node:sqlite'
import type { Hex } from '../bytes/hex.ts'
import type { BreakerKind } from '../record/index.ts'
import { type Database, preparerOf, writeCatalogue } from './database.ts'

/** A trip of the breaker that is to be sent. */
export interface DueTrip {
  id: bigint
  kind: BreakerKind
  /** empty for everything */
  name: string
  reason: string
}

/** The catalogue's part about the breaker: trips to be sent, and how far its events have been recorded. */
export class Trips {
  readonly #statements: Record<
    'add' | 'due' | 'drop' | 'name' | 'nameOf' | 'nextBlock' | 'advance',
    StatementSync
  >

  constructor(database: Database) {
    const prepare = preparerOf(database)
    this.#statements = {
      add: prepare('INSERT OR IGNORE INTO trips (kind, name, reason) VALUES (?, ?, ?)'),
      due: prepare('SELECT * FROM trips ORDER BY id LIMIT 1'),
      drop: prepare('DELETE FROM trips WHERE id = ?'),
      name: prepare('INSERT OR REPLACE INTO breaker_names VALUES (?, ?, ?)'),
      nameOf: prepare('SELECT name FROM breaker_names WHERE kind = ? AND id = ?'),
      nextBlock: prepare('SELECT next_block FROM breaker_cursor'),
      advance: prepare('INSERT OR REPLACE INTO breaker_cursor VALUES (1, ?)'),
    }
  }

  /** One that is to be sent already is left as it is. */
  add({ kind, name, reason }: Omit<DueTrip, 'id'>): void {
    this.#statements.add.run(kind, name, reason)
  }

  due(): DueTrip | undefined {
    const row = this.#statements.due.get()
    return (
      row && {
        id: row.id as bigint,
        kind: row.kind as BreakerKind,
        name: row.name as string,
        reason: row.reason as string,
      }
    )
  }

  drop(id: bigint): void {
    writeCatalogue(() => this.#statements.drop.run(id))
  }

  /** The name behind an id of the registry. */
  name(kind: BreakerKind, id: Hex, name: string): void {
    this.#statements.name.run(kind, id, name)
  }

  nameOf(kind: BreakerKind, id: Hex): string | undefined {
    return this.#statements.nameOf.get(kind, id)?.name as string | undefined
  }

  /** Events before this block have been recorded; undefined before the first. */
  get nextBlock(): bigint | undefined {
    return this.#statements.nextBlock.get()?.next_block as bigint | undefined
  }

  advance(nextBlock: bigint): void {
    this.#statements.advance.run(nextBlock)
  }
}
