import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { SigningDomain } from '../../src/chain/signing.ts'
import type { PrepareJob } from './prepare-worker.ts'

/**
 * The requests of a run, heads and signed bodies, written to disk before a clock starts.
 *
 * What is made in advance is the sources' own work: records, salts, canonical bytes, roots, signatures, HTTP heads.
 * Every subject is sent the same bytes, each source's in the same order.
 */
export class Requests {
  readonly folder: string
  /** records of a submission */
  readonly size: number
  readonly sources: number
  readonly #domain: SigningDomain
  /** of each source */
  #submissions = 0
  #lineBytes = 0

  constructor(folder: string, size: number, sources: number, domain: SigningDomain) {
    mkdirSync(folder, { recursive: true })
    this.folder = folder
    this.size = size
    this.sources = sources
    this.#domain = domain
  }

  get records(): number {
    return this.#submissions * this.sources * this.size
  }

  /** Bytes of an item's line on average, line feed included. */
  get meanBytes(): number {
    return this.#lineBytes / this.records
  }

  /** Writes more, until there are so many records in all. */
  async extendTo(records: number): Promise<void> {
    const from = this.#submissions
    const to = Math.ceil(records / this.size / this.sources)
    if (to <= from) return
    const threads = Math.min(availableParallelism(), this.sources)
    const all = Array.from({ length: this.sources }, (_, source) => source)
    const shares = Array.from({ length: threads }, (_, thread) => all.filter((s) => s % threads === thread))
    const { folder, size } = this
    const made = await Promise.all(
      shares.map((sources) => inThread({ folder, size, sources, from, to, domain: this.#domain })),
    )
    this.#submissions = to
    this.#lineBytes += made.reduce((sum, bytes) => sum + bytes, 0)
  }
}

async function inThread(job: PrepareJob): Promise<number> {
  const worker = new Worker(new URL('./prepare-worker.ts', import.meta.url), { workerData: job })
  const [lineBytes] = (await once(worker, 'message')) as [number]
  return lineBytes
}
