import { type FileHandle, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { equalBytes } from '../bytes/bytes.ts'
import type { Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { buildRun, IndexReader, type RunSummary } from '../lookup/index.ts'
import type { ReadBytes } from '../merkle/index.ts'
import { answerJobs } from '../store/background-job.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { orStoreFailed, syncDirectory } from '../store/durable.ts'
import { bufferWrites } from './buffered-writes.ts'
import { OpenFiles } from './open-files.ts'

/** Merges the indexes of verified batches. */
export interface RunJob {
  batchesPath: string
  /** in the order of the ledger */
  batches: { publisher: Hex; sequence: bigint; indexRoot: Uint8Array }[]
  /** of the file that is made, durable at the end; without one, none is made */
  path: string | undefined
}

answerJobs<RunJob, RunSummary>(async ({ batchesPath, batches, path }) => {
  const folder = new BatchFolder(batchesPath)
  const files = new OpenFiles(OPEN_FILES)
  try {
    const readers: IndexReader[] = []
    for (const { publisher, sequence, indexRoot } of batches) {
      const file = folder.indexPathOf(publisher, sequence)
      await expectIndex(file, indexRoot)
      readers.push(await IndexReader.open((offset, length) => files.read(file, offset, length)))
    }
    return path === undefined ? await buildRun(readers, async () => undefined) : await writeRun(readers, path)
  } catch (cause) {
    if (cause instanceof OperationError || (cause as Error & { syscall?: unknown }).syscall === undefined)
      throw cause
    throw new OperationError('STORE_FAILED', `a run could not be merged: ${(cause as Error).message}`, {
      cause,
    })
  } finally {
    await files.close()
  }
})

/** Index files open at a time; a run has more batches than a process may have files. */
const OPEN_FILES = 256

/** Nobody is to be blamed for what our own disk has changed since the batch was verified. */
async function expectIndex(file: string, indexRoot: Uint8Array): Promise<void> {
  const bytes = await readFile(file)
  const read: ReadBytes = async (offset, length) => bytes.subarray(offset, offset + length)
  // A damaged file may fail in any way to be read as an index.
  const root = await IndexReader.open(read)
    .then((reader) => reader.root())
    .catch(() => undefined)
  if (root === undefined || !equalBytes(root, indexRoot)) {
    throw new OperationError('STORE_DAMAGED', `${file} is not the index that was verified`)
  }
}

/** The file is there whole or not at all. */
async function writeRun(readers: readonly IndexReader[], path: string): Promise<RunSummary> {
  let summary: RunSummary | undefined
  await orStoreFailed(path, async () => {
    const temporary = `${path}.tmp`
    const handle: FileHandle = await open(temporary, 'w')
    try {
      const writes = bufferWrites((offset, bytes) => handle.write(bytes, 0, bytes.length, offset))
      summary = await buildRun(readers, writes.write)
      await writes.flush()
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  })
  return summary as RunSummary // set unless it threw
}
