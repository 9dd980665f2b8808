import { timingSafeEqual } from 'node:crypto'
import type { StatementSync } from 'node:sqlite'
import { utf8 } from '../bytes/bytes.ts'
import { type Hex, toHex } from '../bytes/hex.ts'
import { sha256 } from '../bytes/sha256.ts'
import { type Database, inTransaction } from './database.ts'
import { decodeRole, encodeRole, type Role } from './roles.ts'

/** A key that a source signs with. Times in milliseconds since 1970. */
export interface SourceKey {
  source: string
  address: Hex
  since: number
  /** what it signed before stays good */
  revokedAt: number | undefined
}

/** A bearer token, of which only the hash is kept. */
export interface Token {
  /** names it, and gives nothing of it away: the beginning of its hash */
  id: string
  role: Role
  label: string
  since: number
  revokedAt: number | undefined
}

/**
 * The catalogue's part about who may submit for a source.
 *
 * Every question reads what is committed, by whatever process: a revocation counts from the next request on.
 */
export class Sources {
  readonly #database: Database
  readonly #statements: Record<
    | 'known'
    | 'active'
    | 'had'
    | 'keys'
    | 'addKey'
    | 'revokeKey'
    | 'tokens'
    | 'token'
    | 'addToken'
    | 'revokeToken',
    StatementSync
  >

  constructor(database: Database) {
    this.#database = database
    this.#statements = {
      known: database.prepare(
        'SELECT 1 FROM source_keys WHERE source = ?1 UNION ALL SELECT 1 FROM tokens WHERE source = ?1 LIMIT 1',
      ),
      active: database.prepare(
        'SELECT 1 FROM source_keys WHERE source = ? AND address = ? AND revoked_at IS NULL',
      ),
      had: database.prepare(
        'SELECT 1 FROM source_keys WHERE source = ?1 AND address = ?2 AND since <= ?3 AND (revoked_at IS NULL OR ?3 < revoked_at)',
      ),
      keys: database.prepare('SELECT * FROM source_keys ORDER BY source, since, address'),
      addKey: database.prepare('INSERT INTO source_keys VALUES (?, ?, ?, NULL)'),
      revokeKey: database.prepare(
        'UPDATE source_keys SET revoked_at = ?1 WHERE source = ?2 AND (?3 IS NULL OR address = ?3) AND revoked_at IS NULL',
      ),
      tokens: database.prepare('SELECT * FROM tokens ORDER BY source, since, id'),
      token: database.prepare('SELECT * FROM tokens WHERE id = ? AND revoked_at IS NULL'),
      addToken: database.prepare('INSERT INTO tokens VALUES (?, ?, ?, ?, ?, NULL)'),
      revokeToken: database.prepare(
        'UPDATE tokens SET revoked_at = ?1 WHERE (?2 IS NULL OR id = ?2) AND (?3 IS NULL OR source = ?3) AND revoked_at IS NULL',
      ),
    }
  }

  /** Whether the source has, or ever had, a key or a token: from then on nobody speaks for it without one. */
  isRegistered(source: string): boolean {
    return this.#statements.known.get(source) !== undefined
  }

  /** Whether the source signs with this key now. */
  hasKey(source: string, address: Hex): boolean {
    return this.#statements.active.get(source, address) !== undefined
  }

  /** Whether the source signed with this key at a time. */
  hadKey(source: string, address: Hex, at: number): boolean {
    return this.#statements.had.get(source, address, at) !== undefined
  }

  keys(): SourceKey[] {
    return this.#statements.keys.all().map((row) => ({
      source: row.source as string,
      address: row.address as Hex,
      since: row.since as number,
      revokedAt: (row.revoked_at as number | null) ?? undefined,
    }))
  }

  /** @returns false when the source signs with this key already */
  addKey(source: string, address: Hex, since: number): boolean {
    return inTransaction(this.#database, () => this.#insertKey(source, address, since))
  }

  /**
   * Revokes every key of the source and adds another, all or nothing.
   *
   * @returns how many were revoked; undefined, and nothing is changed, when the source signs with this key already
   */
  rotateKey(source: string, address: Hex, at: number): number | undefined {
    return inTransaction(this.#database, () => {
      if (this.hasKey(source, address)) return undefined
      const { changes } = this.#statements.revokeKey.run(at, source, null)
      this.#insertKey(source, address, at)
      return Number(changes)
    })
  }

  /** @returns how many were revoked */
  revokeKey(source: string, address: Hex, at: number): number {
    return Number(this.#statements.revokeKey.run(at, source, address).changes)
  }

  /** Revokes every key and every token of a source. */
  revokeSource(source: string, at: number): { keys: number; tokens: number } {
    return inTransaction(this.#database, () => ({
      keys: Number(this.#statements.revokeKey.run(at, source, null).changes),
      tokens: Number(this.#statements.revokeToken.run(at, null, source).changes),
    }))
  }

  /**
   * Keeps the hash of a token.
   *
   * @param secret the token as its holder sends it: too long to be guessed, so that one round of SHA-256 hides it
   */
  addToken(secret: string, role: Role, label: string, since: number): Token {
    const hash = sha256(utf8(secret))
    const id = idOf(hash)
    this.#statements.addToken.run(id, hash, encodeRole(role), label, since)
    return { id, role, label, since, revokedAt: undefined }
  }

  /** The token that is not revoked and has this secret. */
  findToken(secret: string): Token | undefined {
    const hash = sha256(utf8(secret))
    const row = this.#statements.token.get(idOf(hash))
    return row !== undefined && timingSafeEqual(row.hash as Uint8Array, hash) ? toToken(row) : undefined
  }

  tokens(): Token[] {
    return this.#statements.tokens.all().map(toToken)
  }

  /** @returns false when there is no such token, or it was revoked before */
  revokeToken(id: string, at: number): boolean {
    return Number(this.#statements.revokeToken.run(at, id, null).changes) > 0
  }

  #insertKey(source: string, address: Hex, since: number): boolean {
    if (this.hasKey(source, address)) return false
    this.#statements.addKey.run(source, address, since)
    return true
  }
}

const idOf = (hash: Uint8Array): string => toHex(hash.subarray(0, 6)).slice(2)

const toToken = (row: Record<string, unknown>): Token => ({
  id: row.id as string,
  role: decodeRole(row.source as string),
  label: row.label as string,
  since: row.since as number,
  revokedAt: (row.revoked_at as number | null) ?? undefined,
})
