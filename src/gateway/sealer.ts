import { setImmediate as nextTurn } from 'node:timers/promises'
import { deserialize } from 'node:v8'
import type { Hex } from '../bytes/hex.ts'
import { type Background, startBackground } from '../store/background.ts'
import type { AcceptedSubmission, SealedBatches, UnanchoredBatch } from '../store/sealed-batches.ts'
import { removeSegment, type Segment } from '../store/write-ahead-log.ts'
import type { SealJob, SealResult } from './seal-worker.ts'

interface SealerParts {
  publisher: Hex
  batchesPath: string
  sealed: SealedBatches
  now: () => number
  /** told of every failure; the sealer tries again by itself */
  onError: (error: unknown) => void
  retryMs: number
}

/** Turns closed segments of the log into batches, in their order, in a thread of its own. */
export class Sealer {
  readonly #parts: SealerParts
  readonly #background: Background<SealJob, SealResult>
  readonly #queue: Segment[] = []
  #onCatalogued: (submissions: readonly AcceptedSubmission[]) => void = () => undefined
  #onSealed: (batch: UnanchoredBatch) => void = () => undefined
  #working: Promise<void> | undefined
  #ending = false

  constructor(parts: SealerParts) {
    this.#parts = parts
    this.#background = startBackground(new URL('./seal-worker.ts', import.meta.url))
  }

  /** Calls `listener` with the submissions of a batch that is in the catalogue, some at a time. */
  onCatalogued(listener: (submissions: readonly AcceptedSubmission[]) => void): void {
    this.#onCatalogued = listener
  }

  /** Calls `listener` with each batch once it is whole in the catalogue. */
  onSealed(listener: (batch: UnanchoredBatch) => void): void {
    this.#onSealed = listener
  }

  enqueue(segment: Segment): void {
    this.#queue.push(segment)
    this.#working ??= this.#work()
  }

  /** Segments that wait, the one being sealed included. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Ends when everything is sealed; what cannot be sealed now stays in the log, for the next start. */
  async drain(): Promise<void> {
    this.#ending = true
    await this.#working
    await this.#background.stop()
  }

  async #work(): Promise<void> {
    for (let segment = this.#queue[0]; segment !== undefined; segment = this.#queue[0]) {
      try {
        await this.#seal(segment)
        this.#queue.shift()
      } catch (error) {
        this.#parts.onError(error)
        if (this.#ending) break
        await new Promise((resolve) => setTimeout(resolve, this.#parts.retryMs))
      }
    }
    this.#working = undefined
  }

  async #seal(segment: Segment): Promise<void> {
    const { publisher, batchesPath, sealed, now } = this.#parts
    const { header, submissions } = await this.#background.run({ segment, publisher, batchesPath })
    const { sequence } = header
    let first = 0
    let anchorBy = Number.POSITIVE_INFINITY
    const catalogued: AcceptedSubmission[][] = []
    for (const bytes of submissions) {
      const some: AcceptedSubmission[] = deserialize(bytes)
      sealed.addSubmissions(publisher, sequence, first, some)
      catalogued.push(some)
      for (const one of some) {
        first += one.size
        anchorBy = Math.min(anchorBy, one.anchorBy)
      }
      await nextTurn()
    }
    const batch = { sequence, sealedAt: now(), anchorBy }
    sealed.addBatch(header, batch)
    this.#onSealed(batch)
    for (const some of catalogued) {
      this.#onCatalogued(some)
      await nextTurn()
    }
    // A segment that outlives its batch is recognised and removed at the next start.
    await removeSegment(segment).catch(this.#parts.onError)
  }
}
