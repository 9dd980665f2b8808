import { availableParallelism } from 'node:os'
import { OperationError } from '../errors.ts'
import { startBackground } from '../store/background.ts'
import type { CompareJob, ContentPlace, ReadJob, ReadResult } from './intake-worker.ts'

/** Sealing, checking and the event loop want a core too. */
const THREADS = Math.max(1, Math.min(8, availableParallelism() - 1))

/** Requests that may wait to be read: each holds a connection and what belongs to it, however short it is. */
const MOST_WAITING = 4_096

/** Reads submissions in threads of its own, so that the event loop never waits for one. */
export class Intake {
  readonly #threads = Array.from({ length: THREADS }, () => ({
    background: startBackground<ReadJob | CompareJob, ReadResult | boolean>(
      new URL('./intake-worker.ts', import.meta.url),
    ),
    jobs: 0,
  }))

  /**
   * Reads and seals the body of a request.
   *
   * @throws {InputError} what `splitSubmission` and `readDraft` throw
   * @throws {OperationError} `OVERLOADED` when too many wait
   */
  read(job: Omit<ReadJob, 'kind'>): Promise<ReadResult> {
    // Only memory that is all its own can change hands: small bodies share theirs with others.
    const { buffer, length } = job.body
    const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength === length
    const body = isOwn ? new Uint8Array(buffer) : new Uint8Array(job.body)
    return this.#run({ ...job, kind: 'read', body }, [body.buffer]) as Promise<ReadResult>
  }

  /** Whether the body of a draft says the same as an earlier submission. */
  isSame(body: Uint8Array, earlier: ContentPlace): Promise<boolean> {
    return this.#run({ kind: 'compare', body, earlier }, []) as Promise<boolean>
  }

  async stop(): Promise<void> {
    await Promise.all(this.#threads.map(({ background }) => background.stop()))
  }

  async #run(job: ReadJob | CompareJob, transfer: ArrayBuffer[]): Promise<ReadResult | boolean> {
    const thread = this.#threads.reduce((idlest, one) => (one.jobs < idlest.jobs ? one : idlest))
    if (thread.jobs * THREADS >= MOST_WAITING) {
      throw new OperationError('OVERLOADED', `${MOST_WAITING} submissions wait to be read; try again soon`)
    }
    thread.jobs++
    try {
      return await thread.background.run(job, transfer)
    } finally {
      thread.jobs--
    }
  }
}
