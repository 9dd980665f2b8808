import { type Background, startBackground } from '../store/background.ts'
import type { CheckJob, CheckResult } from './check-worker.ts'

/**
 * What a thread leaves behind is collected early: it takes hardly longer and a third less memory (docs/decisions.md).
 * What it may hold is not limited, or a large batch could not be checked.
 */
const LIMITS = { maxYoungGenerationSizeMb: 24 }

/** Checks batches in several threads, each of which takes one after the other. */
export class CheckPool {
  readonly #threads: { background: Background<CheckJob, CheckResult>; waiting: number }[]

  constructor(threads: number) {
    this.#threads = Array.from({ length: threads }, () => ({
      background: startBackground<CheckJob, CheckResult>(
        new URL('./check-worker.ts', import.meta.url),
        LIMITS,
      ),
      waiting: 0,
    }))
  }

  async run(job: CheckJob): Promise<CheckResult> {
    const thread = this.#threads.reduce((least, one) => (one.waiting < least.waiting ? one : least))
    thread.waiting++
    try {
      return await thread.background.run(job)
    } finally {
      thread.waiting--
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#threads.map(({ background }) => background.stop()))
  }
}
