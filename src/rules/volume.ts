import type { RecordFacts } from '../record/index.ts'

/** Calls in one role; decimal strings are exact sums. */
export interface VolumeFigures {
  calls: number
  /** of the calls, those that were refused, and those that failed */
  refused: number
  failed: number
  rows: string
  requestBytes: string
  responseBytes: string
  /** calls that the other sides tell */
  toldByOthers: number
}

/** Counts the calls of one department in one of its roles. */
export class Volume {
  readonly #counts = { calls: 0, refused: 0, failed: 0, toldByOthers: 0 }
  /** A source may tell any number: sums must stay exact. */
  readonly #sums = { rows: 0n, requestBytes: 0n, responseBytes: 0n }

  add({ outcome, rows, requestBytes, responseBytes }: RecordFacts): void {
    this.#counts.calls++
    if (outcome === 'refused') this.#counts.refused++
    if (outcome === 'failed') this.#counts.failed++
    this.#sums.rows += BigInt(rows)
    this.#sums.requestBytes += BigInt(requestBytes)
    this.#sums.responseBytes += BigInt(responseBytes)
  }

  addToldByOther(): void {
    this.#counts.toldByOthers++
  }

  addAll(other: Volume): void {
    for (const name of ['calls', 'refused', 'failed', 'toldByOthers'] as const) {
      this.#counts[name] += other.#counts[name]
    }
    for (const name of ['rows', 'requestBytes', 'responseBytes'] as const) {
      this.#sums[name] += other.#sums[name]
    }
  }

  figures(): VolumeFigures {
    const { rows, requestBytes, responseBytes } = this.#sums
    const sums = {
      rows: String(rows),
      requestBytes: String(requestBytes),
      responseBytes: String(responseBytes),
    }
    return { ...this.#counts, ...sums }
  }
}
