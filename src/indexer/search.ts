import { setImmediate } from 'node:timers/promises'
import { FRAME_RECORDS, type Item } from '../batch/index.ts'
import { equalBytes } from '../bytes/bytes.ts'
import { type IndexName, type IndexSketch, indexKey, indexValues } from '../lookup/index.ts'
import { timeOf } from '../record/index.ts'
import type { BatchCache } from '../store/batch-cache.ts'
import type { BatchFolder } from '../store/batch-folder.ts'
import type { LedgerEntries, LedgerEntry, SearchableBatch } from '../store/ledger-entries.ts'

/** A record of the ledger, and where it is. */
export interface FoundRecord {
  item: Item
  position: number
  entry: LedgerEntry
}

export interface SearchQuery {
  /** one or more; a record has to be under all of them */
  keys: ReadonlyMap<IndexName, string>
  /** milliseconds since 1970, [fromMs, toMs) on the record's own time */
  fromMs: number
  toMs: number
  /** most records of one page */
  limit: number
  /** where to go on: only what is older */
  after: Place
}

/** Where a record is; a batch is older than the ones above it, and a record than the ones behind it. */
export interface Place {
  logIndex: bigint
  position: number
}

export interface FoundPage {
  records: FoundRecord[]
  /** batches that were looked into, if only by what is known of them in memory */
  searched: number
  /** where the next page goes on; undefined at the end */
  next: Place | undefined
}

/** A range of time without bounds. */
export const ALWAYS = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }

interface SearchParts {
  entries: LedgerEntries
  batches: BatchCache
  folder: BatchFolder
  /** for sketches: of the newest batches as many as fit */
  sketchBytes: number
  /** what a page may cost */
  budget: number
}

/** Entries of the catalogue that are read at once. */
const WINDOW = 1_024n

/** A unit is about as long as it takes to read one record. */
const COST = { record: 1, frame: 8, index: 8, sketch: 16, entry: 1 / 32 }

/** Records that are read at once: all of one frame, and not many more than a page may want. */
const GROUP = 64

/** Finds records through the index files of the verified batches, newest batch first. */
export class Search {
  readonly #parts: SearchParts
  readonly #sketches = new Map<number, { indexRoot: Uint8Array; sketch: IndexSketch }>()
  #sketchedBytes = 0
  #newestDropped = -1

  constructor(parts: SearchParts) {
    this.#parts = parts
  }

  /**
   * One page of the records under some keys: by place in the ledger and then in the batch, both descending.
   *
   * Its work is bounded: where much has to be searched a page may end early, even without a record. What becomes
   * verified while pages are turned is above where they go on, so no record comes twice.
   *
   * @throws {OperationError} when the files of a verified batch cannot be read
   */
  async page(query: SearchQuery): Promise<FoundPage> {
    const { keys, fromMs, toMs, limit, after } = query
    const page: FoundPage = { records: [], searched: 0, next: undefined }
    const hashes = [...keys].map(([name, value]) => indexKey(name, value))
    let left = this.#parts.budget
    // The entry of `after` itself is searched once more, if there is anything below its position.
    for (let end = after.logIndex + (after.position > 0 ? 1n : 0n); end > 0n; ) {
      const first = end > WINDOW ? end - WINDOW : 0n
      for (const batch of this.#parts.entries.searchable(first, end, fromMs, toMs)) {
        const { logIndex } = batch
        const found = await this.#positions(batch, hashes)
        page.searched++
        left -= found.cost
        const below = logIndex === after.logIndex ? after.position : Number.POSITIVE_INFINITY
        for (const group of groupsOf(found.positions.filter((position) => position < below))) {
          left -= COST.frame + COST.record * group.length
          for (const record of await this.#read(batch, group)) {
            page.next = { logIndex, position: record.position }
            if (fits(record.item, query)) page.records.push(record)
            if (page.records.length === limit) return page
          }
          if (left <= 0) return page
        }
        page.next = { logIndex, position: 0 }
        if (left <= 0) return page
      }
      left -= COST.entry * Number(end - first)
      page.next = { logIndex: first, position: 0 }
      if (left <= 0) return page
      end = first
      // Where nothing is read, nothing else would get its turn.
      await setImmediate()
    }
    return { ...page, next: undefined }
  }

  /** The records of a batch that are under all keys, ascending. */
  async #positions(
    batch: SearchableBatch,
    keys: readonly Uint8Array[],
  ): Promise<{ positions: number[]; cost: number }> {
    const known = this.#sketchOf(batch)
    if (known !== undefined && keys.some((key) => known.rowsOf(key) === undefined)) {
      return { positions: [], cost: 0 }
    }
    return this.#parts.folder.useIndex(batch.publisher, batch.sequence, async (index) => {
      const sketch = known ?? (this.#hasRoomFor(batch) ? await index.sketch() : undefined)
      if (sketch !== known && sketch !== undefined) this.#keep(batch, sketch)
      let positions: number[] | undefined
      for (const key of keys) {
        const rows = sketch?.rowsOf(key)
        const found = sketch !== undefined && rows === undefined ? [] : await index.find(key, rows)
        const under = new Set(found)
        positions = positions === undefined ? [...found] : positions.filter((position) => under.has(position))
      }
      return { positions: positions ?? [], cost: sketch === known ? COST.index : COST.sketch }
    })
  }

  /** The records at positions of one frame; none when the ledger no longer holds this batch there. */
  async #read(batch: SearchableBatch, positions: readonly number[]): Promise<FoundRecord[]> {
    const { entries, batches } = this.#parts
    const items = await batches.use(batch.publisher, batch.sequence, (open) => open.itemsAt(positions))
    const entry = entries.get(batch.logIndex)
    if (entry?.state !== 'verified' || !equalBytes(entry.header.indexRoot, batch.indexRoot)) return []
    return items.map((item, i) => ({ item, position: positions[i] ?? 0, entry }))
  }

  #sketchOf({ logIndex, indexRoot }: SearchableBatch): IndexSketch | undefined {
    const known = this.#sketches.get(Number(logIndex))
    // A reorg may have put another batch there.
    return known !== undefined && equalBytes(known.indexRoot, indexRoot) ? known.sketch : undefined
  }

  /** A sketch makes room for that of a newer batch, never for that of an older one: a walk would replace them all. */
  #hasRoomFor({ logIndex }: SearchableBatch): boolean {
    return Number(logIndex) > this.#newestDropped
  }

  #keep({ logIndex, indexRoot }: SearchableBatch, sketch: IndexSketch): void {
    this.#drop(Number(logIndex))
    this.#sketches.set(Number(logIndex), { indexRoot, sketch })
    this.#sketchedBytes += sketch.sizeBytes
    while (this.#sketchedBytes > this.#parts.sketchBytes) {
      this.#newestDropped = [...this.#sketches.keys()].reduce((a, b) => Math.min(a, b))
      this.#drop(this.#newestDropped)
    }
  }

  #drop(logIndex: number): void {
    this.#sketchedBytes -= this.#sketches.get(logIndex)?.sketch.sizeBytes ?? 0
    this.#sketches.delete(logIndex)
  }
}

/** Positions of one frame each, descending. */
function groupsOf(ascending: readonly number[]): number[][] {
  const groups: number[][] = []
  for (const position of ascending.toReversed()) {
    const group = groups.at(-1)
    const [first] = group ?? []
    const near = first !== undefined && frameOf(first) === frameOf(position)
    if (group !== undefined && near && group.length < GROUP) group.push(position)
    else groups.push([position])
  }
  return groups
}

const frameOf = (position: number) => Math.floor(position / FRAME_RECORDS)

/** Whether the record is what its keys stand for, and of the time asked for. */
function fits({ record, disclosures }: Item, { keys, fromMs, toMs }: SearchQuery): boolean {
  const time = timeOf(record)
  if (time < fromMs || time >= toMs) return false
  const values = indexValues(record, disclosures)
  return [...keys].every(([name, value]) => values.get(name) === value)
}
