import { DatabaseSync } from 'node:sqlite'

/** The catalogue: one row a batch, a submission, a transaction, a ledger entry; never one a record. */
export type Database = DatabaseSync

const SCHEMA_VERSION = 1

const SCHEMA = `
CREATE TABLE batches (
  publisher TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  header BLOB NOT NULL,
  sealed_at INTEGER NOT NULL,
  PRIMARY KEY (publisher, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE submissions (
  source TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  root BLOB NOT NULL,
  size INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  anchor_by INTEGER NOT NULL,
  publisher TEXT NOT NULL,
  batch INTEGER NOT NULL,
  first INTEGER NOT NULL,
  PRIMARY KEY (source, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE transactions (
  hash TEXT PRIMARY KEY,
  publisher TEXT NOT NULL,
  nonce INTEGER NOT NULL,
  raw TEXT NOT NULL,
  first_sequence INTEGER NOT NULL,
  count INTEGER NOT NULL,
  max_fee_per_gas TEXT NOT NULL,
  max_priority_fee_per_gas TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  settled INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
  log_index INTEGER PRIMARY KEY,
  publisher TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  header BLOB NOT NULL,
  block_number INTEGER NOT NULL,
  block_hash TEXT NOT NULL,
  transaction_hash TEXT NOT NULL,
  event_index INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('announced', 'verified', 'fraud', 'withheld')),
  reason TEXT,
  UNIQUE (publisher, sequence)
) STRICT;
CREATE INDEX entries_by_transaction ON entries (transaction_hash, log_index);
CREATE INDEX entries_by_state ON entries (state, log_index);
`

/** Opens or makes the catalogue; every commit is synced. */
export function openDatabase(path: string): Database {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
  const found = database.prepare('PRAGMA user_version').get()?.user_version
  if (found === 0) {
    database.exec(`BEGIN; ${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`)
  } else if (found !== SCHEMA_VERSION) {
    database.close()
    throw new Error(`${path} is a catalogue of version ${found}, this program knows ${SCHEMA_VERSION}`)
  }
  return database
}

/** Runs `work` in one transaction: all of it or nothing. */
export function inTransaction<T>(database: Database, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}
