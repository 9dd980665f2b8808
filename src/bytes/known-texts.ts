const decoder = new TextDecoder()
const PLACES = 8_192
const MOST_BYTES = 256

/** Remembers texts by their bytes, so that one that comes often is one string. */
export class KnownTexts {
  readonly #texts: (string | undefined)[] = new Array(PLACES)
  readonly #bytes: (Uint8Array | undefined)[] = new Array(PLACES)

  /** The text of bytes from `start` up to `end`, which are UTF-8. */
  read(bytes: Uint8Array, start: number, end: number): string {
    if (end - start > MOST_BYTES) return decoder.decode(bytes.subarray(start, end))
    const place = placeOf(bytes, start, end)
    const known = this.#bytes[place]
    const text = this.#texts[place]
    if (known !== undefined && text !== undefined && isSame(known, bytes, start, end)) return text
    const read = decoder.decode(bytes.subarray(start, end))
    // The latest stays: whatever comes often is soon there again.
    this.#bytes[place] = new Uint8Array(bytes.subarray(start, end))
    this.#texts[place] = read
    return read
  }
}

function placeOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0
  return (hash ^ (hash >>> 13)) & (PLACES - 1)
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false
  return true
}
