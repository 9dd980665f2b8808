import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { OperationError } from '../errors.ts'

/**
 * Takes a data folder for this process alone; the operating system frees it when the process ends, however it ends.
 *
 * @returns what frees it
 * @throws {OperationError} `STORE_FAILED` when another process has it
 */
export async function lockFolder(path: string): Promise<() => void> {
  await mkdir(path, { recursive: true })
  // SQLite holds the portable file locks that Node itself does not offer.
  const lock = new DatabaseSync(join(path, 'lock.sqlite'))
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new OperationError(
      'STORE_FAILED',
      `another process works in ${path}: end it, or choose another folder with --data`,
      {
        cause,
        retryable: false,
      },
    )
  }
  return () => lock.close()
}
