import { utf8 } from '../bytes/bytes.ts'
import { GrowingBytes } from '../bytes/growing-bytes.ts'
import { MessageList } from '../bytes/message-list.ts'
import { indexValuesOf, KEY_BYTES, KeyList } from '../lookup/index.ts'
import { HASH_SIZE } from '../merkle/index.ts'
import { type Opened, openPseudonyms, timeOf } from '../record/index.ts'
import { type Item, recordText, spellItem } from './item.ts'
import type { LineScan } from './line-scan.ts'

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

/** Hashes records one after the other. */
export class RecordHasher {
  readonly #leaves = new MessageList('leaf')
  readonly #keys = new KeyList()
  #count = 0
  #firstTime = Number.POSITIVE_INFINITY
  #lastTime = 0

  get count(): number {
    return this.#count
  }

  /**
   * @param opened its pseudonyms, all of them
   * @param text JCS text of its record
   */
  add({ record }: Item, opened: readonly Opened[], text: string): void {
    for (const [name, value] of indexValuesOf(record, opened)) this.#keys.add(this.#count, name, value)
    const bytes = utf8(text)
    this.#take(bytes, 0, bytes.length, timeOf(record))
  }

  /** Adds the record of the line that was read out of `bytes` last. */
  addLine(bytes: Uint8Array, line: LineScan): void {
    line.addKeys(this.#keys, this.#count)
    this.#take(bytes, line.record.start, line.record.end, line.timeMs)
  }

  finish(): RecordHashes {
    return {
      count: this.#count,
      leafHashes: this.#leaves.hashes(),
      keys: this.#keys.keys,
      positions: this.#keys.positions,
      firstTime: this.#firstTime,
      lastTime: this.#lastTime,
    }
  }

  #take(bytes: Uint8Array, start: number, end: number, timeMs: number): void {
    this.#leaves.add(bytes, start, end)
    this.#leaves.endMessage()
    this.#firstTime = Math.min(this.#firstTime, timeMs)
    this.#lastTime = Math.max(this.#lastTime, timeMs)
    this.#count++
  }
}

/** Prepares records one after the other. */
export class RecordPreparer {
  readonly #hasher = new RecordHasher()
  readonly #lines = new GrowingBytes()

  get count(): number {
    return this.#hasher.count
  }

  /**
   * @param opened its pseudonyms, all of them
   * @param text JCS text of its record, where it is known
   */
  add(item: Item, opened: readonly Opened[], text = recordText(item)): void {
    this.#hasher.add(item, opened, text)
    this.#lines.add(utf8(`${spellItem(item, text)}\n`))
  }

  /** Adds the line from `start` up to `end`, which was read out of `bytes` last. */
  addLine(bytes: Uint8Array, start: number, end: number, line: LineScan): void {
    this.#hasher.addLine(bytes, line)
    this.#lines.add(bytes, start, end)
    this.#lines.add(LINE_FEED)
  }

  finish(): PreparedRecords {
    return { ...this.#hasher.finish(), lines: this.#lines.bytes }
  }
}

const LINE_FEED = utf8('\n')

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
