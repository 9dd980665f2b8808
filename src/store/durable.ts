import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { OperationError } from '../errors.ts'

/** Makes names in a directory survive a crash: a rename or a new file counts only after this. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Writes a file so that after a crash there is either the old one or the new one, whole.
 *
 * @throws {OperationError} `STORE_FAILED`
 */
export function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  return orStoreFailed(path, async () => {
    const temporary = `${path}.tmp`
    await writeSynced(temporary, bytes)
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  })
}

/**
 * Writes a folder of files so that after a crash it is either there whole or not at all.
 *
 * @throws {OperationError} `STORE_FAILED`
 */
export function writeFolderDurably(path: string, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  return orStoreFailed(path, async () => {
    const temporary = `${path}.tmp`
    await rm(temporary, { recursive: true, force: true })
    await mkdir(temporary, { recursive: true })
    for (const [name, bytes] of Object.entries(files)) await writeSynced(join(temporary, name), bytes)
    await syncDirectory(temporary)
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  })
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'w')
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** @throws {OperationError} `STORE_FAILED` with the path, whatever goes wrong in `write` */
export async function orStoreFailed(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (cause) {
    throw new OperationError('STORE_FAILED', `could not write ${path}: ${(cause as Error).message}`, {
      cause,
    })
  }
}

/** Whether an error says that a file or folder is not there. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'
