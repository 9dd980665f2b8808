import type { StatementSync } from 'node:sqlite'
import type { Hex } from '../bytes/hex.ts'
import { type Database, preparerOf, writeCatalogue } from './database.ts'
import { type LedgerEntry, toEntry } from './ledger-entries.ts'

/** The catalogue's part about which verified batches the rules have judged: each once, whatever comes between. */
export class JudgedBatches {
  readonly #statements: Record<'due' | 'mark' | 'last' | 'from' | 'lastOf', StatementSync>

  constructor(database: Database) {
    const prepare = preparerOf(database)
    this.#statements = {
      due: prepare(
        `SELECT * FROM entries WHERE judged = 0 AND state = 'verified' AND block_number <= ?
         ORDER BY log_index LIMIT 1`,
      ),
      mark: prepare('UPDATE entries SET judged = 1 WHERE log_index = ?'),
      last: prepare(
        "SELECT * FROM entries WHERE judged = 1 AND state = 'verified' ORDER BY log_index DESC LIMIT 1",
      ),
      // Big-endian bytes are ordered as their numbers.
      from: prepare(
        `SELECT * FROM entries WHERE judged = 1 AND state = 'verified' AND log_index >= ?
         AND substr(header, 249, 8) >= ? ORDER BY log_index LIMIT 1`,
      ),
      lastOf: prepare('SELECT max(sequence) AS last FROM entries WHERE publisher = ?'),
    }
  }

  /** The first verified batch that is still to be judged, in a block up to this one. */
  due(finalBlock: bigint): LedgerEntry | undefined {
    return toEntry(this.#statements.due.get(finalBlock))
  }

  mark(logIndex: bigint): void {
    writeCatalogue(() => this.#statements.mark.run(logIndex))
  }

  /** The last that was judged, in the ledger's order. */
  last(): LedgerEntry | undefined {
    return toEntry(this.#statements.last.get())
  }

  /** One more than the last batch of a publisher that the ledger has. */
  nextSequence(publisher: Hex): bigint {
    const last = this.#statements.lastOf.get(publisher)?.last
    return typeof last === 'bigint' ? last + 1n : 0n
  }

  /** The first judged one at `logIndex` or later whose latest record is not before `fromMs`. */
  from(logIndex: bigint, fromMs: number): LedgerEntry | undefined {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.max(0, fromMs)))
    return toEntry(this.#statements.from.get(logIndex, bytes))
  }
}
