import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Option } from 'commander'
import { InputError, OperationError } from '../errors.ts'
import { type Database, openDatabase } from '../store/database.ts'
import { Sources } from '../store/sources.ts'

export const dataOption = () =>
  new Option('--data <folder>', 'where everything is kept').default('.tidemark').env('TIDEMARK_DATA')

/**
 * Works on the catalogue of a data folder.
 *
 * It does not take the folder: SQLite lets it write beside a running `up`, which reads the change when it looks next.
 *
 * @param folder `new` when one that is not there yet is made, so that sources can be added before the first start
 * @throws {InputError} `BAD_ARGUMENT` when there is nothing to read
 * @throws {OperationError} `STORE_FAILED`
 */
export async function withCatalogue<T>(
  dataPath: string,
  folder: 'existing' | 'new',
  work: (database: Database) => T | Promise<T>,
): Promise<T> {
  const path = join(dataPath, 'catalogue.sqlite')
  if (folder === 'new') await mkdir(dataPath, { recursive: true })
  else await access(path).catch(() => Promise.reject(noCatalogue(dataPath)))
  try {
    const database = openDatabase(path)
    try {
      return await work(database)
    } finally {
      database.close()
    }
  } catch (cause) {
    if (cause instanceof InputError || cause instanceof OperationError) throw cause
    throw new OperationError('STORE_FAILED', `${path}: ${(cause as Error).message}`, { cause })
  }
}

/** The same on the part about who may submit. */
export const withSources = <T>(
  dataPath: string,
  folder: 'existing' | 'new',
  work: (sources: Sources) => T,
): Promise<T> => withCatalogue(dataPath, folder, (database) => work(new Sources(database)))

const noCatalogue = (dataPath: string) =>
  new InputError(
    'BAD_ARGUMENT',
    `there is no catalogue in ${dataPath}: name the folder of "tidemark up" with --data`,
  )

/** Rows as columns under their titles. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [titles, ...rows]
  const widths = titles.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** A time as a person reads it; empty when it has not come. */
export const showTime = (timeMs: number | undefined): string =>
  timeMs === undefined ? '' : new Date(timeMs).toISOString()
