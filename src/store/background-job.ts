import { parentPort } from 'node:worker_threads'
import type { Answer } from './background.ts'

/** Called once by a worker module: answers every message with what `work` makes of it. */
export function answerJobs<Job, Result>(work: (job: Job) => Promise<Result>): void {
  const port = parentPort
  if (port === null) throw new Error('this module runs in a worker thread')
  port.on('message', async (job: Job) => {
    port.postMessage(await answer(work, job))
  })
}

async function answer<Job, Result>(work: (job: Job) => Promise<Result>, job: Job): Promise<Answer<Result>> {
  try {
    return { result: await work(job) }
  } catch (error) {
    const { name, message, code } = error as Error & { code?: unknown }
    return { error: { name, message, code: String(code) } }
  }
}
