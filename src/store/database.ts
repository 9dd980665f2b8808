import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { OperationError } from '../errors.ts'

/** The catalogue: one row a batch, a submission, a transaction, a ledger entry; never one a record. */
export type Database = DatabaseSync

const VERSION_1 = `
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

/** Sources, their keys and their tokens, and who vouches for a submission. */
const VERSION_2 = `
CREATE TABLE source_keys (
  source TEXT NOT NULL,
  address TEXT NOT NULL,
  since INTEGER NOT NULL,
  revoked_at INTEGER,
  PRIMARY KEY (source, address, since)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  hash BLOB NOT NULL,
  source TEXT NOT NULL,
  label TEXT NOT NULL,
  since INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_source ON tokens (source);

ALTER TABLE submissions ADD COLUMN vouched_by TEXT NOT NULL DEFAULT 'open'
  CHECK (vouched_by IN ('signed', 'token', 'open'));
ALTER TABLE submissions ADD COLUMN signer TEXT;
ALTER TABLE submissions ADD COLUMN signature TEXT;
`

/** The earliest promise of a batch beside the batch, so that a start need not read its submissions. */
const VERSION_3 = `
ALTER TABLE batches ADD COLUMN anchor_by INTEGER;
UPDATE batches SET anchor_by = earliest.anchor_by
FROM (SELECT publisher, batch, min(anchor_by) AS anchor_by FROM submissions GROUP BY publisher, batch) AS earliest
WHERE earliest.publisher = batches.publisher AND earliest.batch = batches.sequence;
`

/** What an indexer found out by itself: how far it has read, what it will try again, whose submissions it saw, alerts. */
const VERSION_4 = `
ALTER TABLE entries ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entries ADD COLUMN retry_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX entries_due ON entries (publisher, retry_at, log_index) WHERE state <> 'verified';

CREATE TABLE chain_cursor (
  only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
  scanned_block INTEGER NOT NULL,
  scanned_hash TEXT NOT NULL,
  final_block INTEGER NOT NULL
) STRICT;

CREATE TABLE seen_submissions (
  source TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  log_index INTEGER NOT NULL,
  first INTEGER NOT NULL,
  signer TEXT,
  PRIMARY KEY (source, sequence, log_index, first)
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_submissions_by_entry ON seen_submissions (log_index);

CREATE TABLE alerts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  log_index INTEGER NOT NULL,
  subject TEXT NOT NULL,
  document TEXT NOT NULL,
  raised_at INTEGER NOT NULL,
  closed_at INTEGER,
  UNIQUE (log_index, kind, subject)
) STRICT;
CREATE INDEX alerts_open ON alerts (id) WHERE closed_at IS NULL;
`

/** Counts by hour, what each batch added to them, and which verified batches are still to be counted. */
const VERSION_5 = `
CREATE TABLE volumes (
  facet TEXT NOT NULL,
  key TEXT NOT NULL,
  hour INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  request_bytes INTEGER NOT NULL,
  response_bytes INTEGER NOT NULL,
  PRIMARY KEY (facet, key, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX volumes_by_hour ON volumes (facet, hour);

CREATE TABLE grant_times (
  id BLOB NOT NULL,
  kind INTEGER NOT NULL,
  log_index INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (id, kind, log_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX grant_times_by_entry ON grant_times (log_index);
CREATE INDEX grants_by_time ON grant_times (at) WHERE kind = 0;

CREATE TABLE counted (
  log_index INTEGER NOT NULL,
  part INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (log_index, part)
) STRICT, WITHOUT ROWID;
CREATE TABLE uncounted (log_index INTEGER PRIMARY KEY) STRICT;
INSERT INTO uncounted SELECT log_index FROM entries WHERE state = 'verified';
`

/**
 * What records say of runs, and what became of it. Batches that were verified before are read again: they may hold such
 * records.
 */
const VERSION_6 = `
CREATE TABLE runs (
  log_index INTEGER NOT NULL,
  position INTEGER NOT NULL,
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  first INTEGER NOT NULL,
  count INTEGER NOT NULL,
  index_root BLOB NOT NULL,
  index_size INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('claimed', 'true', 'kept', 'false')),
  PRIMARY KEY (log_index, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_by_source ON runs (source, state);
CREATE INDEX runs_claimed ON runs (log_index) WHERE state = 'claimed';
CREATE INDEX runs_kept ON runs (first) WHERE state = 'kept';
CREATE INDEX entries_not_verified ON entries (log_index) WHERE state <> 'verified';
INSERT OR IGNORE INTO uncounted SELECT log_index FROM entries WHERE state = 'verified';
`

/** Which batches the rules have judged, what they found, how it is handled, and what the publisher will say of it. */
const VERSION_7 = `
ALTER TABLE entries ADD COLUMN judged INTEGER NOT NULL DEFAULT 0;
CREATE INDEX entries_to_judge ON entries (log_index) WHERE judged = 0 AND state = 'verified';

ALTER TABLE alerts ADD COLUMN rule TEXT;
ALTER TABLE alerts ADD COLUMN severity TEXT;
ALTER TABLE alerts ADD COLUMN deadline INTEGER;
ALTER TABLE alerts ADD COLUMN reported_at INTEGER;
CREATE INDEX alerts_of_rules ON alerts (rule, deadline) WHERE rule IS NOT NULL AND closed_at IS NULL;

CREATE TABLE alert_records (
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  alert INTEGER NOT NULL,
  PRIMARY KEY (source, id, alert)
) STRICT, WITHOUT ROWID;

CREATE TABLE own_records (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  document TEXT NOT NULL,
  sequence INTEGER
) STRICT;

CREATE TABLE trips (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  reason TEXT NOT NULL,
  UNIQUE (kind, name)
) STRICT;

CREATE TABLE breaker_names (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE breaker_cursor (
  only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
  next_block INTEGER NOT NULL
) STRICT;
`

/**
 * What the registry and the authorisations announced, what follows from it for each grant, grants that came as records,
 * and how often each was used here. `rights_cursor` names the contract of all that.
 */
const VERSION_8 = `
CREATE TABLE rights_cursor (
  only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
  authorizations TEXT NOT NULL,
  block_number INTEGER,
  block_hash TEXT,
  block_time INTEGER,
  final_block INTEGER
) STRICT;

CREATE TABLE rights_events (
  block_number INTEGER NOT NULL,
  event_index INTEGER NOT NULL,
  block_hash TEXT NOT NULL,
  block_time INTEGER NOT NULL,
  transaction_hash TEXT NOT NULL,
  contract TEXT NOT NULL CHECK (contract IN ('registry', 'authorizations')),
  kind TEXT NOT NULL CHECK (kind IN ('everything', 'source', 'resource', 'grant')),
  id BLOB NOT NULL,
  topics BLOB NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (block_number, event_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX rights_events_by_key ON rights_events (kind, id, block_number, event_index);

CREATE TABLE grant_states (
  id BLOB PRIMARY KEY,
  terms BLOB,
  revoked_at INTEGER NOT NULL,
  paused INTEGER NOT NULL,
  calls INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE record_grants (
  log_index INTEGER NOT NULL,
  position INTEGER NOT NULL,
  id BLOB NOT NULL,
  unsigned INTEGER NOT NULL,
  source TEXT NOT NULL,
  record TEXT NOT NULL,
  terms BLOB NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (log_index, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_grants_by_id ON record_grants (id, unsigned, log_index, position);

CREATE TABLE grant_uses (id BLOB PRIMARY KEY, calls INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

/**
 * What shows to whoever trusts its block that the chain holds a transaction: a row for each that appended to the ledger,
 * under the last header that it appended. `shown` is null until it was captured.
 */
const VERSION_9 = `
CREATE TABLE evidence (
  log_index INTEGER PRIMARY KEY,
  shown BLOB,
  shown_bytes INTEGER NOT NULL DEFAULT 0,
  ledger_size INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  retry_at INTEGER NOT NULL DEFAULT 0,
  reason TEXT
) STRICT;
CREATE INDEX evidence_due ON evidence (retry_at, log_index DESC) WHERE shown IS NULL;
INSERT INTO evidence (log_index) SELECT max(log_index) FROM entries GROUP BY transaction_hash;
`

/** What transactions did and cost. */
const VERSION_10 = `
ALTER TABLE transactions ADD COLUMN succeeded INTEGER;
ALTER TABLE transactions ADD COLUMN block_number INTEGER;
ALTER TABLE transactions ADD COLUMN gas_used INTEGER;
ALTER TABLE transactions ADD COLUMN gas_price TEXT;
CREATE INDEX transactions_by_nonce ON transactions (publisher, nonce);
CREATE INDEX transactions_not_settled ON transactions (publisher, nonce) WHERE settled = 0;
`

/** Private members that are erased, and the destructions that are ordered and not carried out. */
const VERSION_11 = `
CREATE TABLE erased (
  publisher TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  position INTEGER NOT NULL,
  member TEXT NOT NULL,
  destruction TEXT NOT NULL,
  PRIMARY KEY (publisher, sequence, position, member)
) STRICT, WITHOUT ROWID;

CREATE TABLE destructions (
  id TEXT PRIMARY KEY,
  publisher TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`

/** Who calls whom: everything is counted again. */
const VERSION_12 = `
DELETE FROM volumes;
DELETE FROM grant_times;
DELETE FROM counted;
INSERT OR IGNORE INTO uncounted SELECT log_index FROM entries WHERE state = 'verified';
`

/** What makes each version out of the one before, the first out of nothing. A version that is out never changes. */
const VERSIONS = [
  VERSION_1,
  VERSION_2,
  VERSION_3,
  VERSION_4,
  VERSION_5,
  VERSION_6,
  VERSION_7,
  VERSION_8,
  VERSION_9,
  VERSION_10,
  VERSION_11,
  VERSION_12,
]

/** How long a command waits for another process that writes to the same catalogue. */
const BUSY_MS = 5_000

/**
 * Whether a power failure may take back the last commits, none without those after it. It may where all can be found
 * out again, and a sync for each would take longer than the finding.
 */
type Durability = 'synced' | 'rebuildable'

/** Opens, makes or upgrades the catalogue. Several processes may have it open. */
export function openDatabase(path: string, durability: Durability = 'synced'): Database {
  const database = new DatabaseSync(path)
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL`)
    const synchronous = durability === 'synced' ? 'FULL' : 'NORMAL'
    database.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA foreign_keys = ON`)
    if (versionOf(database) !== VERSIONS.length) upgrade(database, path)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function upgrade(database: Database, path: string): void {
  inTransaction(database, () => {
    // Another process may have been faster.
    const found = versionOf(database)
    if (found > VERSIONS.length) {
      throw new Error(`${path} is a catalogue of version ${found}, this program knows ${VERSIONS.length}`)
    }
    for (const step of VERSIONS.slice(found)) database.exec(step)
    database.exec(`PRAGMA user_version = ${VERSIONS.length}`)
  })
}

const versionOf = (database: Database): number =>
  Number(database.prepare('PRAGMA user_version').get()?.user_version)

/** Makes statements whose integers come as bigint: some of them exceed 2^53. */
export const preparerOf =
  (database: Database) =>
  (sql: string): StatementSync => {
    const statement = database.prepare(sql)
    statement.setReadBigInts(true)
    return statement
  }

/**
 * Runs `work` in one transaction, that of the caller if there is one: all of it or nothing.
 *
 * @throws {OperationError} `STORE_FAILED`, as `writeCatalogue` does
 */
export function inTransaction<T>(database: Database, work: () => T): T {
  if (database.isTransaction) return work()
  return writeCatalogue(() => {
    database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      database.exec('COMMIT')
      return result
    } catch (error) {
      // A full or broken disk may have taken it back already, and asking again would hide why.
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  })
}

/** SQLite's primary codes for what passes: busy, input or output failed, full. Anything else is a bug of ours. */
const PASSING_CODES = [5, 10, 13]

/** @throws {OperationError} `STORE_FAILED` when the disk or another process is in the way: nothing was written */
export function writeCatalogue<T>(write: () => T): T {
  try {
    return write()
  } catch (cause) {
    const { errcode } = Object(cause) as { errcode?: unknown }
    // The upper bits only say more about the same.
    if (typeof errcode !== 'number' || !PASSING_CODES.includes(errcode & 0xff)) throw cause
    const { message } = cause as Error
    throw new OperationError('STORE_FAILED', `the catalogue could not be written: ${message}`, { cause })
  }
}
