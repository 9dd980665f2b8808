import { KEY_BYTES } from './keys.ts'

/** Bytes of one row of an index's key table: a key, a count, the place of its first posting. */
export const ROW_BYTES = KEY_BYTES + 8

/** Rows that share a slot on average; a slot costs four bytes, a row two. */
const ROWS_PER_SLOT = 16
/** A slot and a fingerprint together are read off the first four bytes of a key. */
const MAX_SLOT_BITS = 16

/**
 * The sorted keys of an index, cut to 16 bits each, and where each slot of the key space begins among them.
 *
 * Keys are uniform hashes, so of the keys that an index lacks it passes one in four thousand, and for those that it
 * has it names the row. About 2.3 bytes a row.
 */
export class IndexSketch {
  readonly #slotBits: number
  readonly #starts: Uint32Array
  readonly #fingerprints: Uint16Array

  /** @param keyTable the rows of an index file, by ascending key */
  constructor(keyTable: Uint8Array) {
    const rows = keyTable.length / ROW_BYTES
    this.#slotBits = Math.min(MAX_SLOT_BITS, Math.max(0, Math.round(Math.log2(rows / ROWS_PER_SLOT))))
    this.#starts = new Uint32Array(2 ** this.#slotBits + 1)
    this.#fingerprints = new Uint16Array(rows)
    const view = new DataView(keyTable.buffer, keyTable.byteOffset, keyTable.byteLength)
    for (let row = 0; row < rows; row++) {
      const head = view.getUint32(ROW_BYTES * row)
      this.#fingerprints[row] = this.#fingerprint(head)
      const next = this.#slot(head) + 1
      this.#starts[next] = (this.#starts[next] ?? 0) + 1
    }
    for (let slot = 1; slot < this.#starts.length; slot++) {
      this.#starts[slot] = (this.#starts[slot] ?? 0) + (this.#starts[slot - 1] ?? 0)
    }
  }

  get sizeBytes(): number {
    return this.#starts.byteLength + this.#fingerprints.byteLength
  }

  /** The rows that may be of this key, from `start` to before `end`; undefined when the index does not have it. */
  rowsOf(key: Uint8Array): { start: number; end: number } | undefined {
    const head = new DataView(key.buffer, key.byteOffset).getUint32(0)
    const wanted = this.#fingerprint(head)
    const slot = this.#slot(head)
    const slotEnd = this.#starts[slot + 1] ?? 0
    let start = this.#starts[slot] ?? 0
    while (start < slotEnd && (this.#fingerprints[start] ?? 0) < wanted) start++
    let end = start
    while (end < slotEnd && this.#fingerprints[end] === wanted) end++
    return end > start ? { start, end } : undefined
  }

  // JavaScript shifts by 32 as by 0.
  #slot(head: number): number {
    return this.#slotBits === 0 ? 0 : head >>> (32 - this.#slotBits)
  }

  #fingerprint(head: number): number {
    return (head << this.#slotBits) >>> 16
  }
}
