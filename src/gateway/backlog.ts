import type { UnanchoredBatch } from '../store/sealed-batches.ts'

/** The sealed batches of one publisher that the chain does not have yet. */
export class Backlog {
  readonly #load: (from: bigint) => UnanchoredBatch[]
  #next: bigint
  /** in order, from `#next` on */
  #batches: UnanchoredBatch[]

  /**
   * @param load the sealed batches from a sequence on, of the catalogue
   * @param next the ledger's next sequence of the publisher
   */
  constructor(load: (from: bigint) => UnanchoredBatch[], next: bigint) {
    this.#load = load
    this.#next = next
    this.#batches = load(next)
  }

  /** Hears of a batch once it is in the catalogue. */
  add(batch: UnanchoredBatch): void {
    if (batch.sequence >= this.#next) this.#batches.push(batch)
  }

  /** Hears the ledger's next sequence; a reorg takes it back. */
  follow(next: bigint): void {
    if (next < this.#next) this.#batches = this.#load(next)
    else if (next > this.#next) this.#batches = this.#batches.filter(({ sequence }) => sequence >= next)
    this.#next = next
  }

  get size(): number {
    return this.#batches.length
  }

  /** How long the oldest has been sealed; 0 when there is none. */
  ageMs(now: number): number {
    const [oldest] = this.#batches
    return oldest === undefined ? 0 : Math.max(now - oldest.sealedAt, 0)
  }

  /** The earliest time by which one of them was promised to the chain. */
  get anchorBy(): number | undefined {
    return this.#batches.reduce<number | undefined>(
      (earliest, { anchorBy }) => Math.min(anchorBy, earliest ?? anchorBy),
      undefined,
    )
  }
}
