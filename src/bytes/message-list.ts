import { GrowingBytes } from './growing-bytes.ts'
import { engine } from './sha256.ts'

/** Bytes of messages that are hashed together. */
const HASHED_AT_ONCE = 1 << 16
const HASH_SIZE = 32

/** Gathers messages, hashes many of them at once, and keeps their hashes in order. */
export class MessageList {
  readonly #prefix: 'leaf' | 'none'
  readonly #waiting = new GrowingBytes()
  readonly #ends: number[] = []
  readonly #hashes = new GrowingBytes()

  /** @param prefix `leaf` puts 0x00 before each message */
  constructor(prefix: 'leaf' | 'none') {
    this.#prefix = prefix
  }

  /** Adds bytes to the message that is being written. */
  add(from: Uint8Array, start: number, end: number): void {
    this.#waiting.add(from, start, end)
  }

  endMessage(): void {
    this.#ends.push(this.#waiting.size)
    if (this.#waiting.size >= HASHED_AT_ONCE) this.#hash()
  }

  /** The hashes of all messages that have ended, 32 bytes each. */
  hashes(): Uint8Array {
    this.#hash()
    return this.#hashes.bytes
  }

  #hash(): void {
    const ends = new Uint32Array(this.#ends)
    const starts = new Uint32Array(ends.length)
    if (ends.length > 1) starts.set(ends.subarray(0, -1), 1)
    const hashes = new Uint8Array(HASH_SIZE * ends.length)
    engine.hashMany(this.#waiting.bytes, starts, ends, this.#prefix, hashes)
    this.#hashes.add(hashes)
    this.#waiting.clear()
    this.#ends.length = 0
  }
}
