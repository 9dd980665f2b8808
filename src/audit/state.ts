import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { utf8 } from '../bytes/bytes.ts'
import { InputError, OperationError } from '../errors.ts'
import { type Database, openDatabase } from '../store/database.ts'
import { isMissing, writeDurably } from '../store/durable.ts'
import { lockFolder } from '../store/folder-lock.ts'

/** Where an audit keeps what it has done; all of it can be deleted, and made anew by another audit. */
export interface AuditState {
  database: Database
  keysPath: string
  evidencePath: string
  /** what was fetched and verified, and what is not verified yet */
  fetchedPath: string
  incomingPath: string
  close(): void
}

/**
 * Opens the folder of an audit, which belongs to this process until it is closed.
 *
 * @param about what is audited: a folder belongs to one audit and goes on with that
 * @throws {InputError} `BAD_ARGUMENT` when the folder is of another audit
 * @throws {OperationError} `STORE_FAILED`
 */
export async function openAuditState(path: string, about: Record<string, string>): Promise<AuditState> {
  const free = await lockFolder(path)
  try {
    await expectSame(join(path, 'audit.json'), `${JSON.stringify(about)}\n`)
    const database = openDatabase(join(path, 'catalogue.sqlite'), 'rebuildable')
    // After a power cut the last entries may be checked once more.
    database.exec('PRAGMA synchronous = NORMAL')
    return {
      database,
      keysPath: join(path, 'keys'),
      evidencePath: join(path, 'evidence'),
      fetchedPath: join(path, 'batches'),
      incomingPath: join(path, 'incoming'),
      close() {
        database.close()
        free()
      },
    }
  } catch (error) {
    free()
    throw error
  }
}

async function expectSame(path: string, wanted: string): Promise<void> {
  const found = await readFile(path, 'utf8').catch((cause: Error) => {
    if (isMissing(cause)) return undefined
    throw new OperationError('STORE_FAILED', `could not read ${path}: ${cause.message}`, { cause })
  })
  if (found === undefined) await writeDurably(path, utf8(wanted))
  else if (found !== wanted) {
    throw new InputError('BAD_ARGUMENT', `${path} is of another audit: choose another folder with --state`)
  }
}
