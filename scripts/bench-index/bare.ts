import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { BareJob, Hashing } from './bare-worker.ts'

/** Reads, decompresses and hashes the records of batches in threads; nothing is parsed or compared. */
export async function bare(
  folders: readonly string[],
  threads: number,
  hashing: Hashing,
): Promise<{ seconds: number; cpuSeconds: number; bytes: number }> {
  const workers = await Promise.all(
    Array.from({ length: threads }, async (_, thread) => {
      const workerData: BareJob = { folders: folders.filter((_, i) => i % threads === thread), hashing }
      const worker = new Worker(new URL('./bare-worker.ts', import.meta.url), { workerData })
      await once(worker, 'message')
      return worker
    }),
  )
  const startedAt = performance.now()
  const before = process.cpuUsage()
  const answers = workers.map((worker) => once(worker, 'message') as Promise<[number]>)
  for (const worker of workers) worker.postMessage('go')
  const bytes = (await Promise.all(answers)).reduce((sum, [one]) => sum + one, 0)
  const seconds = (performance.now() - startedAt) / 1_000
  const { user, system } = process.cpuUsage(before)
  return { seconds, cpuSeconds: (user + system) / 1e6, bytes }
}
