import { setImmediate } from 'node:timers/promises'
import { FRAME_RECORDS, type Item } from '../batch/index.ts'
import { equalBytes } from '../bytes/bytes.ts'
import { type IndexName, indexKey, indexValues } from '../lookup/index.ts'
import { timeOf } from '../record/index.ts'
import type { BatchCache } from '../store/batch-cache.ts'
import type { BatchFolder } from '../store/batch-folder.ts'
import type { LedgerEntries, LedgerEntry, SearchableBatch } from '../store/ledger-entries.ts'
import { Sketches } from './sketches.ts'

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

/** Entries of the catalogue that are read at once: few at first, as many a page is full after one batch. */
const FIRST_WINDOW = 32n
const WINDOW = 1_024n

/** A unit is about as long as it takes to read one record. */
const COST = { record: 1, frame: 8, index: 8, entry: 1 / 32 }

/** Entries whose sketches are made at the start: about as many as there is room for. */
const WARM = 4_096n

/** Batches that are looked into beside each other: twice as many as Node has threads for files. */
const AT_ONCE = 8

/** Records that are read at once: all of one frame, and not many more than a page may want. */
const GROUP = 64

/**
 * Finds records through the index files of the verified batches, newest batch first.
 *
 * Of a batch that has been met once a sketch is kept, made behind the answer, so that the next question opens only
 * batches that hold its key.
 */
export class Search {
  readonly #parts: SearchParts
  readonly #sketches: Sketches

  constructor(parts: SearchParts) {
    this.#parts = parts
    this.#sketches = new Sketches(parts.folder, parts.sketchBytes)
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
    let window = FIRST_WINDOW
    // The entry of `after` itself is searched once more, if there is anything below its position.
    for (let end = after.logIndex + (after.position > 0 ? 1n : 0n); end > 0n; ) {
      const first = end > window ? end - window : 0n
      const batches = this.#parts.entries.searchable(first, end, fromMs, toMs)
      const searched = page.searched
      const looks = ahead(this.#candidates(batches, hashes), ({ batch, rank }) => {
        const below = batch.logIndex === after.logIndex ? after.position : Number.POSITIVE_INFINITY
        return this.#look(batch, rank, hashes, below, limit - page.records.length)
      })
      for await (const { batch, rank, groups } of looks) {
        const { logIndex } = batch
        page.searched = searched + rank + 1
        left -= COST.index
        for (const { positions, read } of groups) {
          left -= COST.frame + COST.record * positions.length
          for (const record of await read()) {
            page.next = { logIndex, position: record.position }
            if (fits(record.item, query)) page.records.push(record)
            if (page.records.length === limit) return page
          }
          if (left <= 0) return page
        }
        page.next = { logIndex, position: 0 }
        if (left <= 0) return page
      }
      page.searched = searched + batches.length
      left -= COST.entry * Number(end - first)
      page.next = { logIndex: first, position: 0 }
      if (left <= 0) return page
      end = first
      window = WINDOW
      // Where nothing is read, nothing else would get its turn.
      await setImmediate()
    }
    return { ...page, next: undefined }
  }

  /** Begins to make sketches of the newest verified batches, so that the first who asks need not wait for them. */
  warm(): void {
    const { entries } = this.#parts
    const [newest] = entries.before(2n ** 62n, 1)
    const end = (newest?.logIndex ?? -1n) + 1n
    const { fromMs, toMs } = ALWAYS
    for (const batch of entries.searchable(end > WARM ? end - WARM : 0n, end, fromMs, toMs)) {
      this.#sketches.want(batch)
    }
  }

  /** Ends what goes on behind the answers. */
  stop(): Promise<void> {
    return this.#sketches.stop()
  }

  /** Batches that may hold all keys, as far as is known in memory, and how many stand before each. */
  *#candidates(batches: readonly SearchableBatch[], keys: readonly Uint8Array[]) {
    for (const [rank, batch] of batches.entries()) {
      const sketch = this.#sketches.of(batch)
      if (keys.every((key) => sketch === undefined || sketch.rowsOf(key) !== undefined)) yield { batch, rank }
    }
  }

  /** Looks into one batch; as many records as are wanted are read at once, the others when somebody comes to them. */
  async #look(
    batch: SearchableBatch,
    rank: number,
    keys: readonly Uint8Array[],
    below: number,
    wanted: number,
  ) {
    const positions = await this.#positions(batch, keys)
    let before = 0
    const groups = groupsOf(positions.filter((position) => position < below)).map((group) => {
      const reading = before < wanted ? this.#read(batch, group) : undefined
      reading?.catch(() => undefined)
      before += group.length
      return { positions: group, read: () => reading ?? this.#read(batch, group) }
    })
    return { batch, rank, groups }
  }

  /** The records of a batch that are under all keys, ascending. */
  async #positions(batch: SearchableBatch, keys: readonly Uint8Array[]): Promise<number[]> {
    const sketch = this.#sketches.of(batch)
    if (sketch === undefined) this.#sketches.want(batch)
    return this.#parts.folder.useIndex(batch.publisher, batch.sequence, async (index) => {
      let positions: number[] | undefined
      for (const key of keys) {
        const under = new Set(await index.find(key, sketch?.rowsOf(key)))
        positions = positions === undefined ? [...under] : positions.filter((position) => under.has(position))
      }
      return positions ?? []
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
}

/** What `work` makes of each, in their order; the longer it goes on the more are under way. */
async function* ahead<T, R>(items: Iterable<T>, work: (item: T) => Promise<R>): AsyncGenerator<R> {
  const left = items[Symbol.iterator]()
  const started: Promise<R>[] = []
  for (let depth = 1; ; depth = Math.min(depth + 1, AT_ONCE)) {
    while (started.length < depth) {
      const next = left.next()
      if (next.done === true) break
      const result = work(next.value)
      // Whoever does not come to it does not hear of it.
      result.catch(() => undefined)
      started.push(result)
    }
    const first = started.shift()
    if (first === undefined) return
    yield await first
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
