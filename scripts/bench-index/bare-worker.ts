/** A thread that does the least that any check of batches must do: reads, decompresses and hashes their records. */
import { hash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { readFrameTable } from '../../src/batch/index.ts'
import { hashLeaves } from '../../src/merkle/index.ts'
import { stepBack } from '../../src/store/background-job.ts'
import { decompress } from '../../src/store/compression.ts'

/** Each line as a leaf by our kernel, or each frame whole by Node's OpenSSL. */
export type Hashing = 'lines' | 'frames'

export interface BareJob {
  folders: readonly string[]
  hashing: Hashing
}

// As the threads of a check do, so that whatever else the machine does slows down both alike.
stepBack()
const { folders, hashing } = workerData as BareJob
parentPort?.once('message', async () => {
  let bytes = 0
  for (const folder of folders) bytes += await readBatch(join(folder, 'records.ndjson.zst'))
  parentPort?.postMessage(bytes)
})
parentPort?.postMessage('ready')

async function readBatch(path: string): Promise<number> {
  const handle = await open(path)
  const file = await handle.readFile()
  await handle.close()
  let bytes = 0
  const frames = await readFrameTable(
    async (offset, length) => file.subarray(offset, offset + length),
    file.length,
  )
  for (const { offset, compressedBytes, textBytes } of frames) {
    const text = decompress(file.subarray(offset, offset + compressedBytes), textBytes)
    bytes += text.length
    if (hashing === 'frames') hash('sha256', text, 'buffer')
    else hashLeaves(text, lineEnds(text))
  }
  return bytes
}

function lineEnds(text: Uint8Array): Uint32Array {
  const ends = [0]
  for (let end = text.indexOf(10); end !== -1; end = text.indexOf(10, end + 1)) ends.push(end + 1)
  return Uint32Array.from(ends)
}
