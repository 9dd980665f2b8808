import type { StatementSync } from 'node:sqlite'
import { fromHex, type Hex, toHex } from '../bytes/hex.ts'
import { decodeGrant, encodeGrant, type Grant } from '../record/index.ts'
import { type Database, preparerOf } from './database.ts'

/** What the chain says of a grant. */
export interface GrantState {
  /** there when the contract holds it */
  terms: Grant | undefined
  /** seconds since 1970; 0 while it is not */
  revokedAt: bigint
  paused: boolean
  /** that `request` allowed */
  calls: bigint
}

/** A grant in a record of a verified batch, its id recomputed from its terms. */
export interface RecordedGrant {
  id: Hex
  terms: Grant
  signature: Hex
  /** whether the key of its subject made the signature; one that is a contract is to be asked */
  signed: boolean
  /** of the record, in the batch of the ledger's entry */
  logIndex: bigint
  position: number
  source: string
  record: string
}

/** The catalogue's part about grants: what the chain says of each, those that came as records, and their uses here. */
export class Grants {
  readonly #statements: Record<
    'state' | 'setState' | 'dropState' | 'add' | 'recorded' | 'drop' | 'uses' | 'use',
    StatementSync
  >

  constructor(database: Database) {
    const prepare = preparerOf(database)
    this.#statements = {
      state: prepare('SELECT * FROM grant_states WHERE id = ?'),
      setState: prepare('INSERT OR REPLACE INTO grant_states VALUES (?, ?, ?, ?, ?)'),
      dropState: prepare('DELETE FROM grant_states WHERE id = ?'),
      add: prepare('INSERT OR REPLACE INTO record_grants VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
      recorded: prepare(
        'SELECT * FROM record_grants WHERE id = ? ORDER BY unsigned, log_index, position LIMIT ?',
      ),
      drop: prepare('DELETE FROM record_grants WHERE log_index = ?'),
      uses: prepare('SELECT calls FROM grant_uses WHERE id = ?'),
      use: prepare(
        'INSERT INTO grant_uses VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET calls = calls + 1 RETURNING calls',
      ),
    }
  }

  /** Undefined while the chain has said nothing of it. */
  state(id: Hex): GrantState | undefined {
    const row = this.#statements.state.get(fromHex(id))
    if (row === undefined) return undefined
    return {
      terms: row.terms === null ? undefined : decodeGrant(row.terms as Uint8Array),
      revokedAt: row.revoked_at as bigint,
      paused: row.paused === 1n,
      calls: row.calls as bigint,
    }
  }

  setState(id: Hex, state: GrantState | undefined): void {
    const key = fromHex(id)
    if (state === undefined) {
      this.#statements.dropState.run(key)
      return
    }
    const { terms, revokedAt, paused, calls } = state
    const words = terms === undefined ? null : encodeGrant(terms)
    this.#statements.setState.run(key, words, revokedAt, paused ? 1 : 0, calls)
  }

  /** Adding one again is harmless. */
  add({ id, terms, signature, signed, logIndex, position, source, record }: RecordedGrant): void {
    this.#statements.add.run(
      logIndex,
      position,
      fromHex(id),
      signed ? 0 : 1,
      source,
      record,
      encodeGrant(terms),
      fromHex(signature),
    )
  }

  /** The records of a grant, those that its subject's key signed first, then in the ledger's order. */
  recorded(id: Hex, limit: number): RecordedGrant[] {
    return this.#statements.recorded.all(fromHex(id), limit).map((row) => ({
      id,
      terms: decodeGrant(row.terms as Uint8Array),
      signature: toHex(row.signature as Uint8Array),
      signed: row.unsigned === 0n,
      logIndex: row.log_index as bigint,
      position: Number(row.position),
      source: row.source as string,
      record: row.record as string,
    }))
  }

  /** Forgets what an entry of the ledger gave. */
  drop(logIndex: bigint): void {
    this.#statements.drop.run(logIndex)
  }

  /** Calls under the grant that were counted here. */
  uses(id: Hex): bigint {
    return (this.#statements.uses.get(fromHex(id))?.calls as bigint | undefined) ?? 0n
  }

  /** Counts one more call, and answers how many there are. */
  use(id: Hex): bigint {
    return this.#statements.use.get(fromHex(id))?.calls as bigint
  }
}
