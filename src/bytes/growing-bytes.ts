const FIRST_BYTES = 4_096
/** More bytes than this are copied in one call. */
const LONG_COPY = 160

/** Bytes that are added at the end, whatever they come to. */
export class GrowingBytes {
  #bytes = new Uint8Array(FIRST_BYTES)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** what has been added, until more is */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#size)
  }

  /** Adds the bytes of `from` from `start` up to `end`. */
  add(from: Uint8Array, start = 0, end: number = from.length): void {
    const size = this.#size + end - start
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, size))
      larger.set(this.bytes)
      this.#bytes = larger
    }
    const bytes = this.#bytes
    // Few bytes are copied before a call of `set` begins.
    if (end - start > LONG_COPY) bytes.set(from.subarray(start, end), this.#size)
    else for (let i = start, to = this.#size; i < end; i++, to++) bytes[to] = from[i] as number
    this.#size = size
  }

  clear(): void {
    this.#size = 0
  }
}
