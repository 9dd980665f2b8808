import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { chainHash, NO_HASH, type PeerStore } from './peer-store.ts'

/** One row a record with a hash chain, found by source and id; a transaction a submission, synced as it commits. */
export function openSqlite(folder: string): PeerStore {
  const database = new DatabaseSync(join(folder, 'records.sqlite'))
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE records (
      position INTEGER PRIMARY KEY, source TEXT NOT NULL, id TEXT NOT NULL, line TEXT NOT NULL, hash BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX records_by_id ON records (source, id);
  `)
  const insert = database.prepare('INSERT INTO records VALUES (NULL, ?, ?, ?, ?)')
  let head = NO_HASH
  return {
    add(rows) {
      let next = head
      database.exec('BEGIN')
      try {
        for (const { source, id, line } of rows) {
          next = chainHash(next, line)
          insert.run(source, id, line, next)
        }
        database.exec('COMMIT')
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
      head = next
      return { head: head.toString('hex') }
    },
    close: () => database.close(),
  }
}
