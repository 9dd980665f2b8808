import { equalBytes } from '../bytes/bytes.ts'
import type { IndexSketch } from '../lookup/index.ts'
import type { BatchFolder } from '../store/batch-folder.ts'
import type { SearchableBatch } from '../store/ledger-entries.ts'

/** Sketches of the indexes of batches, the newest of them as many as fit, made one after the other behind all else. */
export class Sketches {
  readonly #folder: BatchFolder
  readonly #maxBytes: number
  readonly #kept = new Map<number, { indexRoot: Uint8Array; sketch: IndexSketch }>()
  #keptBytes = 0
  #newestDropped = -1
  /** in the order in which they are made */
  readonly #wanted = new Map<bigint, SearchableBatch>()
  #making: Promise<void> | undefined

  constructor(folder: BatchFolder, maxBytes: number) {
    this.#folder = folder
    this.#maxBytes = maxBytes
  }

  /** undefined when there is none yet, or none fits */
  of({ logIndex, indexRoot }: SearchableBatch): IndexSketch | undefined {
    const known = this.#kept.get(Number(logIndex))
    // A reorg may have put another batch there.
    return known !== undefined && equalBytes(known.indexRoot, indexRoot) ? known.sketch : undefined
  }

  /** Has one made, if there is room: for that of a newer batch always, for that of an older one while nothing was dropped. */
  want(batch: SearchableBatch): void {
    if (Number(batch.logIndex) <= this.#newestDropped) return
    this.#wanted.set(batch.logIndex, batch)
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined
    })
  }

  async stop(): Promise<void> {
    this.#wanted.clear()
    await this.#making
  }

  async #make(): Promise<void> {
    for (;;) {
      const [next] = this.#wanted.values()
      if (next === undefined) return
      this.#wanted.delete(next.logIndex)
      if (Number(next.logIndex) <= this.#newestDropped) continue
      await this.#folder
        .useIndex(next.publisher, next.sequence, async (index) => this.#keep(next, await index.sketch()))
        // Whoever asks for the batch meets what is wrong with it.
        .catch(() => undefined)
    }
  }

  #keep({ logIndex, indexRoot }: SearchableBatch, sketch: IndexSketch): void {
    this.#drop(Number(logIndex))
    this.#kept.set(Number(logIndex), { indexRoot, sketch })
    this.#keptBytes += sketch.sizeBytes
    while (this.#keptBytes > this.#maxBytes) {
      this.#newestDropped = [...this.#kept.keys()].reduce((a, b) => Math.min(a, b))
      this.#drop(this.#newestDropped)
    }
  }

  #drop(logIndex: number): void {
    this.#keptBytes -= this.#kept.get(logIndex)?.sketch.sizeBytes ?? 0
    this.#kept.delete(logIndex)
  }
}
