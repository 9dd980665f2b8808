import { utf8 } from '../bytes/bytes.ts'
import { indexValuesOf, KEY_BYTES, KeyList } from '../lookup/index.ts'
import { HASH_SIZE, hashLeaves } from '../merkle/index.ts'
import { type Opened, openPseudonyms, timeOf } from '../record/index.ts'
import { type Item, recordText, spellItem } from './item.ts'

/** All that the trees of a batch need of its records. */
export interface RecordHashes {
  count: number
  /** 32 bytes a record */
  leafHashes: Uint8Array
  /** index keys of 16 bytes, and of each the position of its record */
  keys: Uint8Array
  positions: Uint32Array
  /** earliest and latest time of a record, milliseconds since 1970 */
  firstTime: number
  lastTime: number
}

/** The number of each record's first key, which is that of its source and id. */
export function ownKeys({ count, positions }: RecordHashes): Uint32Array {
  const own = new Uint32Array(count)
  for (let key = positions.length - 1; key >= 0; key--) own[positions[key] as number] = key
  return own
}

/** All that the trees and the files of a batch need of its records, worked out once for each of them. */
export interface PreparedRecords extends RecordHashes {
  /** the lines of records.ndjson, each with its line feed */
  lines: Uint8Array
}

/** Prepares records one after the other. */
export class RecordPreparer {
  readonly #lines: string[] = []
  readonly #texts: string[] = []
  readonly #keys = new KeyList()
  #firstTime = Number.POSITIVE_INFINITY
  #lastTime = 0

  get count(): number {
    return this.#lines.length
  }

  /**
   * @param opened its pseudonyms, all of them
   * @param text JCS text of its record, where it is known
   */
  add(item: Item, opened: readonly Opened[], text = recordText(item)): void {
    const position = this.#lines.length
    this.#lines.push(spellItem(item, text))
    this.#texts.push(text)
    for (const [name, value] of indexValuesOf(item.record, opened)) this.#keys.add(position, name, value)
    const time = timeOf(item.record)
    this.#firstTime = Math.min(this.#firstTime, time)
    this.#lastTime = Math.max(this.#lastTime, time)
  }

  finish(): PreparedRecords {
    return {
      count: this.#lines.length,
      lines: utf8(this.#lines.map((line) => `${line}\n`).join('')),
      leafHashes: hashTexts(this.#texts),
      keys: this.#keys.keys,
      positions: this.#keys.positions,
      firstTime: this.#firstTime,
      lastTime: this.#lastTime,
    }
  }
}

/**
 * Prepares the records of items.
 *
 * @throws {VerificationError} `BAD_DISCLOSURE` when a disclosure does not open its record, or a pseudonym is closed
 */
export function prepareRecords(items: Iterable<Item>): PreparedRecords {
  const preparer = new RecordPreparer()
  for (const item of items) preparer.add(item, openPseudonyms(item.record, item.disclosures))
  return preparer.finish()
}

/** The records of many as those of one, in their order. */
export function joinPrepared(parts: readonly PreparedRecords[]): PreparedRecords {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only
  const sum = (size: (part: PreparedRecords) => number) =>
    parts.reduce((total, part) => total + size(part), 0)
  const joined: PreparedRecords = {
    count: 0,
    lines: new Uint8Array(sum(({ lines }) => lines.length)),
    leafHashes: new Uint8Array(HASH_SIZE * sum(({ count }) => count)),
    keys: new Uint8Array(sum(({ keys }) => keys.length)),
    positions: new Uint32Array(sum(({ positions }) => positions.length)),
    firstTime: Number.POSITIVE_INFINITY,
    lastTime: 0,
  }
  let [lines, keys] = [0, 0]
  for (const part of parts) {
    joined.lines.set(part.lines, lines)
    joined.leafHashes.set(part.leafHashes, HASH_SIZE * joined.count)
    joined.keys.set(part.keys, KEY_BYTES * keys)
    for (const position of part.positions) joined.positions[keys++] = joined.count + position
    joined.firstTime = Math.min(joined.firstTime, part.firstTime)
    joined.lastTime = Math.max(joined.lastTime, part.lastTime)
    joined.count += part.count
    lines += part.lines.length
  }
  return joined
}

/** Leaf hashes of the bytes of texts. */
function hashTexts(texts: readonly string[]): Uint8Array {
  const bytes = utf8(texts.join(''))
  const offsets = new Uint32Array(texts.length + 1)
  let end = 0
  for (const [i, text] of texts.entries()) offsets[i + 1] = end += text.length
  // Only where all is ASCII are there as many bytes as code units.
  if (bytes.length !== end) {
    end = 0
    for (const [i, text] of texts.entries()) offsets[i + 1] = end += utf8(text).length
  }
  return hashLeaves(bytes, offsets)
}
