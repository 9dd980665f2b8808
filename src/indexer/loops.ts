import { setTimeout as delay } from 'node:timers/promises'
import { OperationError } from '../errors.ts'

interface LoopsOptions {
  /** between two steps of a loop that has nothing left to do */
  pollMs: number
  /** told of what goes wrong and is tried again */
  onTrouble: (message: string, error?: unknown) => void
}

interface Loop {
  /** for people, such as "following the chain" */
  what: string
  /** Does some of the work; true when there is more of it at once. */
  step: () => Promise<boolean> | Promise<void>
  /** before a failed step is tried again, where that is longer than between two others */
  retryMs?: number
  /** ends a pause early */
  wake?: () => Promise<void>
}

/** Work that goes on side by side until it is stopped; what fails is tried again, and a bug ends all of it. */
export class Loops {
  readonly #options: LoopsOptions
  readonly #running = new AbortController()
  readonly #failure = Promise.withResolvers<never>()
  readonly #working: Promise<void>[] = []
  readonly #troubles = new Map<string, string>()

  constructor(options: LoopsOptions) {
    this.#options = options
    this.failed.catch(() => undefined)
  }

  /** Rejects when the work cannot go on. */
  get failed(): Promise<never> {
    return this.#failure.promise
  }

  start(loop: Loop): void {
    const working = this.#run(loop)
    working.catch((error: unknown) => this.#failure.reject(error))
    this.#working.push(working)
  }

  /** Notes that a part has failed, for a loop whose steps go on by themselves. */
  report(what: string, error: unknown): void {
    if (!(error instanceof OperationError)) {
      this.#failure.reject(error)
      return
    }
    this.#troubles.set(what, `${what}: ${error.message}`)
    this.#options.onTrouble(`${what} failed; trying again`, error)
  }

  isTroubled(what: string): boolean {
    return this.#troubles.has(what)
  }

  /** What goes wrong now, a sentence each. */
  troubles(): string[] {
    return [...this.#troubles.values()]
  }

  async stop(): Promise<void> {
    this.#running.abort()
    await Promise.allSettled(this.#working)
  }

  async #run({ what, step, retryMs = 0, wake }: Loop): Promise<void> {
    while (!this.#running.signal.aborted) {
      try {
        const isMore = await step()
        this.#troubles.delete(what)
        if (isMore === true) continue
      } catch (error) {
        this.report(what, error)
        if (retryMs > 0) await this.#pause(retryMs)
      }
      await (wake === undefined ? this.#pause() : Promise.race([this.#pause(), wake()]))
    }
  }

  /** An aborted pause is how it ends. */
  #pause(ms = this.#options.pollMs): Promise<void> {
    return delay(ms, undefined, { signal: this.#running.signal }).catch(() => undefined)
  }
}
