import type { StatementSync } from 'node:sqlite'
import type { Hex } from '../bytes/hex.ts'
import type { RunSummary } from '../lookup/index.ts'
import { type Database, inTransaction, preparerOf, writeCatalogue } from './database.ts'

/**
 * What became of the claim: not judged yet, found to be true, true and its index kept, or false. Of the runs that are
 * kept, no two have a batch in common.
 */
export type RunState = 'claimed' | 'true' | 'kept' | 'false'

/** What a record says of a run of this ledger, and where the record is. */
export interface ClaimedRun extends RunSummary {
  /** of the ledger, the entry that holds the record */
  logIndex: bigint
  /** in its batch */
  position: number
  source: string
  id: string
  /** of the ledger, the first entry of the run */
  first: bigint
}

type Columns = Record<string, unknown>

/** The catalogue's part about runs. */
export class Runs {
  readonly #database: Database
  readonly #statements: Record<
    'add' | 'drop' | 'due' | 'mark' | 'overlapping' | 'keptFrom' | 'reset' | 'made' | 'count',
    StatementSync
  >

  constructor(database: Database) {
    this.#database = database
    const prepare = preparerOf(database)
    this.#statements = {
      add: prepare("INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'claimed')"),
      drop: prepare('DELETE FROM runs WHERE log_index = ?'),
      // Whoever claims much waits longer than who claims little.
      due: prepare(`
        SELECT runs.* FROM runs JOIN entries AS own ON own.log_index = runs.log_index
        WHERE runs.state = 'claimed' AND own.state = 'verified' AND own.block_number <= ?
          AND NOT EXISTS (SELECT 1 FROM entries WHERE state <> 'verified'
            AND log_index >= runs.first AND log_index < runs.first + runs.count)
        ORDER BY (SELECT count(*) FROM runs AS judged WHERE judged.source = runs.source AND judged.state <> 'claimed'),
          runs.log_index, runs.position LIMIT 1`),
      mark: prepare('UPDATE runs SET state = ? WHERE log_index = ? AND position = ?'),
      overlapping: prepare(
        "SELECT * FROM runs WHERE state = 'kept' AND first < ?2 AND first + count > ?1 ORDER BY first",
      ),
      keptFrom: prepare("SELECT * FROM runs WHERE state = 'kept' AND first >= ? ORDER BY first LIMIT ?"),
      reset: prepare(
        "UPDATE runs SET state = 'claimed' WHERE log_index = ? AND position = ? AND state <> 'false'",
      ),
      made: prepare(`
        SELECT count(*) AS made, max(first + count) AS "end" FROM runs JOIN entries USING (log_index)
        WHERE source = ? AND publisher = ?`),
      count: prepare('SELECT state, count(*) AS count FROM runs GROUP BY state'),
    }
  }

  /** A claim that is there already stays as it is. */
  add(claim: ClaimedRun): void {
    const { logIndex, position, source, id, first, count, indexRoot, indexSize, entries } = claim
    this.#statements.add.run(logIndex, position, source, id, first, count, indexRoot, indexSize, entries)
  }

  /** Forgets what the records of an entry say. */
  drop(logIndex: bigint): void {
    this.#statements.drop.run(logIndex)
  }

  /** A claim that can be judged: its record is in a block up to this one, and all batches of the run are verified. */
  due(finalBlock: bigint): ClaimedRun | undefined {
    const row = this.#statements.due.get(finalBlock)
    return row && toClaim(row)
  }

  mark({ logIndex, position }: Pick<ClaimedRun, 'logIndex' | 'position'>, state: RunState): void {
    writeCatalogue(() => this.#statements.mark.run(state, logIndex, position))
  }

  /** Kept runs that have a batch of this one. */
  overlapping({ first, count }: Pick<ClaimedRun, 'first' | 'count'>): ClaimedRun[] {
    return this.#statements.overlapping.all(first, first + BigInt(count)).map(toClaim)
  }

  /** Keeps this run, and none of the others. */
  keep(claim: ClaimedRun, instead: readonly ClaimedRun[]): void {
    inTransaction(this.#database, () => {
      for (const other of instead) this.mark(other, 'true')
      this.mark(claim, 'kept')
    })
  }

  /** Kept runs that begin at entry `first` or later, in the order of the ledger. */
  keptFrom(first: bigint, limit: number): ClaimedRun[] {
    return this.#statements.keptFrom.all(first, limit).map(toClaim)
  }

  /** It is to be judged once more. */
  reset({ logIndex, position }: ClaimedRun): void {
    writeCatalogue(() => this.#statements.reset.run(logIndex, position))
  }

  /** How many runs a source has claimed in batches of a publisher, and the entry after the last of them. */
  made(source: string, publisher: Hex): { made: bigint; end: bigint } {
    const row = this.#statements.made.get(source, publisher)
    return { made: row?.made as bigint, end: (row?.end as bigint | null) ?? 0n }
  }

  counts(): Record<RunState, number> {
    const counts = { claimed: 0, true: 0, kept: 0, false: 0 }
    for (const { state, count } of this.#statements.count.all()) counts[state as RunState] = Number(count)
    return counts
  }
}

const toClaim = (row: Columns): ClaimedRun => ({
  logIndex: row.log_index as bigint,
  position: Number(row.position),
  source: row.source as string,
  id: row.id as string,
  first: row.first as bigint,
  count: Number(row.count),
  indexRoot: row.index_root as Uint8Array,
  indexSize: Number(row.index_size),
  entries: Number(row.entries),
})
