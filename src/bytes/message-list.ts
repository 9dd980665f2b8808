import { engine } from './sha256.ts'

/** Bytes of messages that are hashed together. */
const HASHED_AT_ONCE = 1 << 16

/** Gathers messages and hashes many of them at once. */
export class MessageList {
  #bytes = new Uint8Array(2 * HASHED_AT_ONCE)
  #size = 0
  /** where each message begins, and where the last one ends */
  #offsets = new Uint32Array(1_024)
  #count = 0

  /** Adds bytes to the message that is being written. */
  add(from: Uint8Array, start: number, end: number): void {
    const size = this.#size + end - start
    if (size > this.#bytes.length) this.#bytes = grown(this.#bytes, size)
    const bytes = this.#bytes
    for (let i = start, to = this.#size; i < end; i++, to++) bytes[to] = from[i] as number
    this.#size = size
  }

  /** @returns whether so much waits that it should be hashed now */
  endMessage(): boolean {
    if (++this.#count === this.#offsets.length) {
      const offsets = new Uint32Array(2 * this.#count)
      offsets.set(this.#offsets)
      this.#offsets = offsets
    }
    this.#offsets[this.#count] = this.#size
    return this.#size >= HASHED_AT_ONCE
  }

  /** Hashes all messages and forgets them: 32 bytes each. */
  hash(): Uint8Array {
    const [starts, ends] = [
      this.#offsets.subarray(0, this.#count),
      this.#offsets.subarray(1, this.#count + 1),
    ]
    const out = new Uint8Array(32 * this.#count)
    engine.hashMany(this.#bytes, starts, ends, 'none', out)
    this.#size = 0
    this.#count = 0
    return out
  }
}

function grown(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(2 * bytes.length, size))
  larger.set(bytes)
  return larger
}
