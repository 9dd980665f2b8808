import { createHash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { copyFile, mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Header } from '../batch/index.ts'
import { toHex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { isMissing } from '../store/durable.ts'
import type { JudgedFile } from './alert.ts'
import { PUBLIC_FILES, type PublicFile } from './file-limits.ts'

/** The digests of the files of a batch that are there. */
export async function digestFiles(
  folder: string,
  fromOf: (name: PublicFile) => string,
): Promise<JudgedFile[]> {
  const files: JudgedFile[] = []
  for (const name of PUBLIC_FILES) {
    const hash = createHash('sha256')
    try {
      const { size } = await stat(join(folder, name))
      await pipeline(createReadStream(join(folder, name)), hash)
      files.push({ name, sha256: toHex(hash.digest()), sizeBytes: size, from: fromOf(name) })
    } catch (cause) {
      if (!isMissing(cause)) throw new OperationError('STORE_FAILED', `could not read ${folder}`, { cause })
    }
  }
  return files
}

/** Keeps the offending files of a batch aside, the latest ones; those in `folder` stay. */
export async function keepEvidence(
  evidencePath: string,
  { publisher, sequence }: Header,
  folder: string,
): Promise<void> {
  const target = new BatchFolder(evidencePath).pathOf(publisher, sequence)
  try {
    await rm(target, { recursive: true, force: true })
    await copyFiles(folder, target)
  } catch (cause) {
    throw new OperationError('STORE_FAILED', `could not keep the evidence in ${target}`, { cause })
  }
}

async function copyFiles(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const name of PUBLIC_FILES) {
    try {
      await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
}
