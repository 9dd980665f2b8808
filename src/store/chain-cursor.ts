import type { StatementSync } from 'node:sqlite'
import type { Hex } from '../bytes/hex.ts'
import type { Database } from './database.ts'

/** How far a chain was read, so that a restart does not begin again. */
export interface Cursor {
  /** the last block whose events are all in the catalogue */
  block: { number: bigint; hash: Hex }
  /** the highest block that was ever final */
  finalBlock: bigint
}

export class ChainCursor {
  readonly #load: StatementSync
  readonly #save: StatementSync

  constructor(database: Database) {
    this.#load = database.prepare('SELECT * FROM chain_cursor')
    this.#load.setReadBigInts(true)
    this.#save = database.prepare('INSERT OR REPLACE INTO chain_cursor VALUES (1, ?, ?, ?)')
  }

  load(): Cursor | undefined {
    const row = this.#load.get()
    if (row === undefined) return undefined
    return {
      block: { number: row.scanned_block as bigint, hash: row.scanned_hash as Hex },
      finalBlock: row.final_block as bigint,
    }
  }

  save({ block, finalBlock }: Cursor): void {
    this.#save.run(block.number, block.hash, finalBlock)
  }
}
