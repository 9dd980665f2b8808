import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import type { Answer, Place } from './background.ts'

/**
 * Called once by a worker module: answers every message with what `work` makes of it.
 *
 * @param transferOf memory of a result that changes hands instead of being copied
 */
export function answerJobs<Job, Result>(
  work: (job: Job) => Promise<Result>,
  transferOf: (result: Result) => ArrayBuffer[] = () => [],
): void {
  const port = parentPort
  if (port === null) throw new Error('this module runs in a worker thread')
  stepBack()
  port.on('message', async (job: Job) => {
    const answered = await answer(work, job)
    port.postMessage(answered, 'result' in answered ? transferOf(answered.result) : [])
  })
}

async function answer<Job, Result>(work: (job: Job) => Promise<Result>, job: Job): Promise<Answer<Result>> {
  try {
    return { result: await work(job) }
  } catch (error) {
    const { name, message, code, place } = error as Error & { code?: unknown; place?: Place }
    return { error: { name, message, code: String(code), place } }
  }
}

/** A thread without it gets three times the processor of one with it (sched(7)). */
const NICENESS = 5

/** Lets the event loop go first, where the system has priorities for threads: on Linux. */
export function stepBack(): void {
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), NICENESS)
  } catch {
    // Elsewhere all threads are alike.
  }
}
