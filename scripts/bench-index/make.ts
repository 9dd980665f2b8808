import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Header } from '../../src/batch/index.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import type { SigningDomain } from '../../src/chain/signing.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import type { MakeJob } from './make-worker.ts'

/** Of the records and the files that are made; another number makes them anew. */
const VERSION = 1

export interface MadeBatches {
  path: string
  headers: Header[]
}

/**
 * Batches of made-up records, 0 up to `count`: those that are in the cache, and the others made now by all cores.
 *
 * @param records of a batch
 */
export async function makeBatches(
  cache: string,
  count: number,
  records: number,
  publisher: Hex,
  domain: SigningDomain,
): Promise<MadeBatches> {
  // The signatures are of one ledger.
  const path = join(cache, `index-${VERSION}-${records}-${domain.ledger}`)
  await mkdir(path, { recursive: true })
  const folder = new BatchFolder(path)
  const missing: number[] = []
  for (let number = 0; number < count; number++) {
    if (!(await folder.has(publisher, BigInt(number)))) missing.push(number)
  }
  const threads = Math.min(availableParallelism(), missing.length)
  const shares = Array.from({ length: threads }, (_, thread) =>
    missing.filter((_, i) => i % threads === thread),
  )
  let made = 0
  const onMade = () => {
    if (++made % 10 === 0 || made === missing.length)
      console.error(`made ${made} of ${missing.length} batches`)
  }
  await Promise.all(shares.map((numbers) => inThread({ path, publisher, domain, records, numbers }, onMade)))
  const headers: Header[] = []
  for (let number = 0; number < count; number++) {
    headers.push(await folder.loadHeader(publisher, BigInt(number)))
  }
  return { path, headers }
}

function inThread(job: MakeJob, onMade: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./make-worker.ts', import.meta.url), { workerData: job })
    worker.on('message', onMade).on('error', reject)
    worker.on('exit', () => resolve())
  })
}
