import type { Hex } from '../bytes/hex.ts'
import type { BatchFolder, OpenBatch } from './batch-folder.ts'

interface Held {
  batch: Promise<OpenBatch>
  users: number
}

/** Keeps the batches that were asked last open; one that is in use is never closed. */
export class BatchCache {
  readonly #folder: BatchFolder
  readonly #maxOpen: number
  /** in the order of use, least recent first */
  readonly #held = new Map<string, Held>()

  constructor(folder: BatchFolder, maxOpen: number) {
    this.#folder = folder
    this.#maxOpen = maxOpen
  }

  async use<T>(publisher: Hex, sequence: bigint, work: (batch: OpenBatch) => Promise<T>): Promise<T> {
    const name = `${publisher}/${sequence}`
    const held = this.#held.get(name) ?? { batch: this.#folder.open(publisher, sequence), users: 0 }
    this.#held.delete(name)
    this.#held.set(name, held)
    held.users++
    try {
      return await work(await held.batch)
    } catch (error) {
      // What may not even have opened is opened afresh next time.
      if (this.#held.get(name) === held) this.#held.delete(name)
      throw error
    } finally {
      held.users--
      if (this.#held.get(name) !== held && held.users === 0) await close(held)
      await this.#evict()
    }
  }

  /** Other files have its place now: whoever asks next opens them. */
  async forget(publisher: Hex, sequence: bigint): Promise<void> {
    const name = `${publisher}/${sequence}`
    const held = this.#held.get(name)
    if (held === undefined) return
    this.#held.delete(name)
    if (held.users === 0) await close(held)
  }

  async close(): Promise<void> {
    const all = [...this.#held.values()]
    this.#held.clear()
    await Promise.all(all.filter(({ users }) => users === 0).map(close))
  }

  async #evict(): Promise<void> {
    for (const [name, held] of this.#held) {
      if (this.#held.size <= this.#maxOpen) return
      if (held.users > 0) continue
      this.#held.delete(name)
      await close(held)
    }
  }
}

async function close({ batch }: Held): Promise<void> {
  const opened = await batch.catch(() => undefined)
  await opened?.close()
}
