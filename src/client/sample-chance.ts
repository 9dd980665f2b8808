import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { toHex } from '../bytes/hex.ts'
import { sha256 } from '../bytes/sha256.ts'

/** Chance that repeats: SHA-256 of a seed and a counter, so that one seed gives one sequence on every machine. */
export class Chance {
  readonly #seed: Uint8Array
  #block: DataView = new DataView(new ArrayBuffer(0))
  #counter = 0
  #offset = 0

  constructor(seed: string) {
    this.#seed = utf8(seed)
  }

  /** A whole number from 0 up to but not including `limit`, at most 2^32. The bias of the modulus does not matter here. */
  below(limit: number): number {
    if (this.#offset >= this.#block.byteLength) {
      const counter = new Uint8Array(4)
      new DataView(counter.buffer).setUint32(0, this.#counter++)
      const { buffer, byteOffset } = sha256(concatBytes(this.#seed, counter))
      this.#block = new DataView(buffer, byteOffset, 32)
      this.#offset = 0
    }
    const value = this.#block.getUint32(this.#offset)
    this.#offset += 4
    return value % limit
  }

  between(first: number, last: number): number {
    return first + this.below(last - first + 1)
  }

  /** True `percent` times out of a hundred. */
  happens(percent: number): boolean {
    return this.below(100) < percent
  }

  pick<const Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] ?? items[0]
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256))
  }

  uuid(): string {
    const bytes = this.bytes(16)
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80 // RFC 9562, version 8: the rest is the maker's own
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
    const digits = toHex(bytes).slice(2)
    return [0, 8, 12, 16, 20].map((start, i, starts) => digits.slice(start, starts[i + 1])).join('-')
  }
}
