import type { StatementSync } from 'node:sqlite'
import type { Hex } from '../bytes/hex.ts'
import { type Database, preparerOf } from './database.ts'

/** A submission in a verified batch, as an indexer saw it. */
export interface SeenSubmission {
  source: string
  sequence: bigint
  /** the ledger's entry, and the position of its first record there */
  logIndex: bigint
  first: number
  /** recovered from its signature; undefined when it has none */
  signer: Hex | undefined
}

/** The catalogue's part about the numbering and the keys of sources: one row a submission. */
export class SeenSubmissions {
  readonly #statements: Record<
    | 'signedByOthers'
    | 'add'
    | 'from'
    | 'ofEntry'
    | 'same'
    | 'previous'
    | 'next'
    | 'signedBefore'
    | 'signedAfter'
    | 'source',
    StatementSync
  >

  constructor(database: Database) {
    const prepare = preparerOf(database)
    const near = (condition: string, order: 'ASC' | 'DESC') =>
      prepare(
        `SELECT * FROM seen_submissions WHERE source = ? AND ${condition}
         ORDER BY sequence ${order}, log_index, first LIMIT 1`,
      )
    this.#statements = {
      add: prepare('INSERT OR REPLACE INTO seen_submissions VALUES (?, ?, ?, ?, ?)'),
      from: prepare('SELECT * FROM seen_submissions WHERE log_index >= ?'),
      ofEntry: prepare('SELECT * FROM seen_submissions WHERE log_index = ? ORDER BY source, sequence'),
      same: prepare(
        'SELECT * FROM seen_submissions WHERE source = ? AND sequence = ? ORDER BY log_index, first LIMIT 1000',
      ),
      previous: near('sequence < ?', 'DESC'),
      next: near('sequence > ?', 'ASC'),
      signedBefore: near('sequence < ? AND signer IS NOT NULL', 'DESC'),
      signedAfter: near('sequence > ? AND signer IS NOT NULL', 'ASC'),
      signedByOthers: prepare(
        `SELECT * FROM seen_submissions WHERE source = ? AND signer NOT IN (SELECT value FROM json_each(?))
         ORDER BY sequence, log_index, first`,
      ),
      source: prepare('SELECT min(source) AS next FROM seen_submissions WHERE source > ?'),
    }
  }

  add({ source, sequence, logIndex, first, signer }: SeenSubmission): void {
    this.#statements.add.run(source, toStored(sequence), logIndex, first, signer ?? null)
  }

  /** All in the entries of the ledger from this one on. */
  from(logIndex: bigint): SeenSubmission[] {
    return this.#statements.from.all(logIndex).flatMap((row) => toSeen(row) ?? [])
  }

  /** All in one entry, those of a source in the order of their numbers. */
  ofEntry(logIndex: bigint): SeenSubmission[] {
    return this.#statements.ofEntry.all(logIndex).flatMap((row) => toSeen(row) ?? [])
  }

  /** All with this number, in the ledger's order: one, unless its source or its publisher is at fault. */
  same(source: string, sequence: bigint): SeenSubmission[] {
    return this.#statements.same.all(source, toStored(sequence)).flatMap((row) => toSeen(row) ?? [])
  }

  /** The first with the nearest number below, or above, that was seen. */
  near(which: 'previous' | 'next' | 'signedBefore' | 'signedAfter', source: string, sequence: bigint) {
    return toSeen(this.#statements[which].get(source, toStored(sequence)))
  }

  /** Those of a source whose signer is none of these; what is not signed is not among them. */
  *signedByOthers(source: string, signers: readonly Hex[]): Generator<SeenSubmission> {
    for (const row of this.#statements.signedByOthers.iterate(source, JSON.stringify(signers))) {
      const seen = toSeen(row)
      if (seen !== undefined) yield seen
    }
  }

  /** The sources seen, in order, at most `limit`. */
  sources(limit: number): string[] {
    const found: string[] = []
    while (found.length < limit) {
      const next = this.#statements.source.get(found.at(-1) ?? '')?.next
      if (typeof next !== 'string') break
      found.push(next)
    }
    return found
  }
}

/** The catalogue's integers are signed: a uint64 is kept so that the order of numbers stays. */
const OFFSET = 2n ** 63n
const toStored = (sequence: bigint): bigint => sequence - OFFSET

function toSeen(row: Record<string, unknown> | undefined): SeenSubmission | undefined {
  if (row === undefined) return undefined
  return {
    source: row.source as string,
    sequence: (row.sequence as bigint) + OFFSET,
    logIndex: row.log_index as bigint,
    first: Number(row.first),
    signer: (row.signer as Hex | null) ?? undefined,
  }
}
