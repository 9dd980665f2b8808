import type { StatementSync } from 'node:sqlite'
import { fromHex, type Hex } from '../bytes/hex.ts'
import type { Database } from './database.ts'

/** What calls are counted by; a pair is the consumer and the provider, as a JSON list. */
export const FACETS = ['resource', 'consumer', 'provider', 'pair', 'outcome', 'sharing'] as const
export type Facet = (typeof FACETS)[number]

/** The calls of one hour under one key. */
interface Volume {
  calls: number
  /** of the calls, those that were refused, and those that failed */
  refused: number
  failed: number
  rows: number
  requestBytes: number
  responseBytes: number
}

/** What one batch adds to the counts. */
export interface BatchAggregate {
  /** `hour` counts from 1970 */
  volumes: (Volume & { facet: Facet; key: string; hour: number })[]
  /** when each grant was given and first used in this batch, milliseconds since 1970 */
  grants: { id: Hex; authorizedAt?: number; firstCallAt?: number }[]
}

/** Rows of each kind in one part. */
const PART_ROWS = 100

/**
 * What a batch adds, in parts that can each be written within a turn of the event loop.
 *
 * The same aggregate has the same parts, so a batch that is counted again after a crash goes on with those that lack.
 */
export function partsOf({ volumes, grants }: BatchAggregate, rows = PART_ROWS): string[] {
  const count = Math.max(1, Math.ceil(Math.max(volumes.length, grants.length) / rows))
  return Array.from({ length: count }, (_, i) => {
    const [start, end] = [rows * i, rows * (i + 1)]
    const part: Part = { volumes: volumes.slice(start, end).map(toRow), grants: grants.slice(start, end) }
    return JSON.stringify(part)
  })
}

interface Part {
  volumes: Row[]
  grants: BatchAggregate['grants']
}

/** One bar of a chart. */
export interface Point extends Volume {
  key: string
  /** milliseconds since 1970 */
  start: number
}

export interface SeriesQuery {
  facet: Facet
  /** only this one */
  key?: string | undefined
  /** hours from 1970, from the first to before the last */
  fromHour: number
  toHour: number
  stepHours: number
  /** an hour that a step begins with, no later than `fromHour`; 0 if left out */
  originHour?: number
  limit: number
}

const HOUR_MS = 3_600_000
const AUTHORIZED = 0
const CALLED = 1

/**
 * The catalogue's counts by hour, kept as batches become verified and undone when they leave.
 *
 * A batch is counted in parts and only then marked as verified, so that one that is verified is counted whole. Whoever
 * calls `retractFrom` does so in the transaction that changes the state of the batch.
 */
export class Stats {
  readonly #statements: Record<
    | 'addVolume'
    | 'dropVolume'
    | 'dropEmpty'
    | 'addGrant'
    | 'dropGrants'
    | 'keepPart'
    | 'hasPart'
    | 'partsFrom'
    | 'dropParts'
    | 'enqueue'
    | 'enqueueFrom'
    | 'dequeue'
    | 'dequeueFrom'
    | 'waiting'
    | 'series'
    | 'seriesOf'
    | 'hours'
    | 'hoursOf'
    | 'shared'
    | 'used'
    | 'grants'
    | 'latest'
    | 'latestOf',
    StatementSync
  >
  readonly #clear: () => void

  constructor(database: Database) {
    const prepare = (sql: string) => database.prepare(sql)
    const series = (condition: string) =>
      prepare(`
        SELECT key, (hour - CAST(?6 AS INTEGER)) / CAST(?1 AS INTEGER) * CAST(?1 AS INTEGER) + CAST(?6 AS INTEGER) AS start, sum(calls) AS calls, sum(refused) AS refused, sum(failed) AS failed,
          total(rows) AS rows, total(request_bytes) AS requestBytes, total(response_bytes) AS responseBytes
        FROM volumes WHERE facet = ?2 AND hour >= ?3 AND hour < ?4 ${condition}
        GROUP BY start, key ORDER BY start, key LIMIT ?5`)
    const hours = (condition: string) =>
      prepare(`
        SELECT count(*) AS count FROM (
          SELECT 1 FROM volumes WHERE facet = ?1 AND hour >= ?2 AND hour < ?3 ${condition} LIMIT ?4)`)
    // One step of the index a key, however many hours it has.
    const keys = `
      WITH RECURSIVE keys (key) AS (
        SELECT min(key) FROM volumes WHERE facet = ?1
        UNION ALL
        SELECT (SELECT min(key) FROM volumes WHERE facet = ?1 AND key > keys.key) FROM keys WHERE key IS NOT NULL
      )
      SELECT count(*) AS count FROM keys WHERE key IS NOT NULL`
    const sums = ['calls', 'refused', 'failed', 'rows', 'request_bytes', 'response_bytes']
    // Sums stop where SQLite's integers would end, and at nothing on the way back.
    const minus = (column: string, i: number) => `${column} = max(0, ${column} - CAST(?${4 + i} AS INTEGER))`
    const plus = (column: string) => `${column} = min(${column} + excluded.${column}, ${2n ** 62n})`
    this.#statements = {
      addVolume: prepare(`
        INSERT INTO volumes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        ON CONFLICT DO UPDATE SET ${sums.map(plus).join()}`),
      dropVolume: prepare(
        `UPDATE volumes SET ${sums.map(minus).join()} WHERE facet = ?1 AND key = ?2 AND hour = ?3`,
      ),
      dropEmpty: prepare('DELETE FROM volumes WHERE facet = ? AND key = ? AND hour = ? AND calls = 0'),
      // A later time in a later batch can never become the first: batches leave from the end.
      addGrant: prepare(`
        INSERT INTO grant_times SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (
          SELECT 1 FROM grant_times WHERE id = ?1 AND kind = ?2 AND log_index < ?3 AND at <= ?4)`),
      dropGrants: prepare('DELETE FROM grant_times WHERE log_index >= ?'),
      keepPart: prepare('INSERT INTO counted VALUES (?, ?, ?)'),
      hasPart: prepare('SELECT 1 FROM counted WHERE log_index = ? AND part = ?'),
      partsFrom: prepare('SELECT document FROM counted WHERE log_index >= ?'),
      dropParts: prepare('DELETE FROM counted WHERE log_index >= ?'),
      enqueue: prepare(
        'INSERT OR IGNORE INTO uncounted SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM counted WHERE log_index = ?1)',
      ),
      enqueueFrom: prepare(`
        INSERT OR IGNORE INTO uncounted SELECT log_index FROM entries
        WHERE state = 'verified' AND log_index >= ? AND log_index NOT IN (SELECT log_index FROM counted)`),
      dequeue: prepare('DELETE FROM uncounted WHERE log_index = ?'),
      dequeueFrom: prepare('DELETE FROM uncounted WHERE log_index >= ?'),
      waiting: prepare('SELECT log_index FROM uncounted ORDER BY log_index LIMIT ?'),
      series: series(''),
      seriesOf: series('AND key = ?7'),
      hours: hours(''),
      hoursOf: hours('AND key = ?5'),
      shared: prepare(keys),
      used: prepare(`${keys} AND EXISTS (
        SELECT 1 FROM volumes WHERE facet = ?1 AND key = keys.key AND hour >= ?2 AND hour < ?3
          AND calls > refused + failed)`),
      grants: prepare(`
        SELECT given.at AS authorizedAt,
          (SELECT min(at) FROM grant_times AS used WHERE used.id = given.id AND kind = ${CALLED}) AS firstCallAt
        FROM grant_times AS given
        WHERE kind = ${AUTHORIZED} AND at >= ?1 AND at < ?2 AND NOT EXISTS (
          SELECT 1 FROM grant_times AS other WHERE other.id = given.id AND other.kind = ${AUTHORIZED}
          AND (other.at, other.log_index) < (given.at, given.log_index))
        ORDER BY at DESC LIMIT ?3`),
      latest: prepare('SELECT max(hour) AS hour FROM volumes WHERE facet = ? AND hour < ?'),
      latestOf: prepare('SELECT max(hour) AS hour FROM volumes WHERE facet = ? AND hour < ? AND key = ?'),
    }
    this.#clear = () =>
      database.exec(
        'DELETE FROM volumes; DELETE FROM grant_times; DELETE FROM counted; DELETE FROM uncounted',
      )
  }

  /** Counts one of the parts of a batch, unless it is counted already. */
  add(logIndex: bigint, part: number, document: string): void {
    const { hasPart, addVolume, addGrant, keepPart } = this.#statements
    if (hasPart.get(logIndex, part) !== undefined) return
    const { volumes, grants } = JSON.parse(document) as Part
    for (const row of volumes) addVolume.run(...row)
    for (const { id, authorizedAt, firstCallAt } of grants) {
      const key = fromHex(id)
      if (authorizedAt !== undefined) addGrant.run(key, AUTHORIZED, logIndex, authorizedAt)
      if (firstCallAt !== undefined) addGrant.run(key, CALLED, logIndex, firstCallAt)
    }
    keepPart.run(logIndex, part, document)
  }

  /** All parts of the batch are counted. */
  dequeue(logIndex: bigint): void {
    this.#statements.dequeue.run(logIndex)
  }

  /**
   * Undoes one batch. Counts can only be taken back from the end: have what follows counted again.
   *
   * @returns whether there was anything to undo
   */
  retract(logIndex: bigint): boolean {
    this.#statements.dequeue.run(logIndex)
    // Parts are counted in their order.
    const isCounted = this.#statements.hasPart.get(logIndex, 0) !== undefined
    if (isCounted) this.retractFrom(logIndex)
    return isCounted
  }

  /** Undoes every batch from this place on. */
  retractFrom(logIndex: bigint): void {
    for (const { document } of this.#statements.partsFrom.all(logIndex)) {
      for (const row of (JSON.parse(document as string) as Part).volumes) {
        this.#statements.dropVolume.run(...row)
        this.#statements.dropEmpty.run(row[0], row[1], row[2])
      }
    }
    this.#statements.dropGrants.run(logIndex)
    this.#statements.dropParts.run(logIndex)
    this.#statements.dequeueFrom.run(logIndex)
  }

  /** Has a verified batch counted that is not. */
  enqueue(logIndex: bigint): void {
    this.#statements.enqueue.run(logIndex)
  }

  /** Has every verified batch from this place on counted that is not. */
  enqueueFrom(logIndex: bigint): void {
    this.#statements.enqueueFrom.run(logIndex)
  }

  /** Verified batches that are still to be counted, oldest first. */
  uncounted(limit: number): bigint[] {
    return this.#statements.waiting.all(limit).map(({ log_index }) => BigInt(log_index as number))
  }

  /** Forgets all counts, and has every verified batch counted again. */
  recount(): void {
    this.#clear()
    this.enqueueFrom(0n)
  }

  /** By time and key, at most `limit`. */
  series({ facet, key, fromHour, toHour, stepHours, originHour = 0, limit }: SeriesQuery): Point[] {
    const bounds = [stepHours, facet, fromHour, toHour, limit, originHour] as const
    const { series, seriesOf } = this.#statements
    const found = key === undefined ? series.all(...bounds) : seriesOf.all(...bounds, key)
    return found.map(({ start, ...rest }) => ({
      ...(rest as unknown as Volume & { key: string }),
      start: Number(start) * HOUR_MS,
    }))
  }

  /** How much a series has to read: the hours of all its keys, no further than `limit`. */
  hoursOf(
    { facet, key, fromHour, toHour }: Omit<SeriesQuery, 'stepHours' | 'originHour' | 'limit'>,
    limit: number,
  ): number {
    const bounds = [facet, fromHour, toHour, limit] as const
    const { hours, hoursOf } = this.#statements
    return Number((key === undefined ? hours.get(...bounds) : hoursOf.get(...bounds, key))?.count)
  }

  /** When the last hour before `toHour` begins that has a call, milliseconds since 1970. */
  latest({ facet, key, toHour }: Pick<SeriesQuery, 'facet' | 'key' | 'toHour'>): number | undefined {
    const { latest, latestOf } = this.#statements
    const found = key === undefined ? latest.get(facet, toHour) : latestOf.get(facet, toHour, key)
    return typeof found?.hour === 'number' ? found.hour * HOUR_MS : undefined
  }

  /** How many resources were ever called, and how many of them with success within these hours. */
  resources(fromHour: number, toHour: number): { shared: number; used: number } {
    const { shared, used } = this.#statements
    return {
      shared: Number(shared.get('resource')?.count),
      used: Number(used.get('resource', fromHour, toHour)?.count),
    }
  }

  /**
   * Milliseconds from the grant to the first call that cites it, of the latest `limit` grants given in
   * [fromMs, toMs); undefined for one that no call cites.
   */
  grantDelays(fromMs: number, toMs: number, limit: number): (number | undefined)[] {
    return this.#statements.grants
      .all(fromMs, toMs, limit)
      .map(({ authorizedAt, firstCallAt }) =>
        firstCallAt === null ? undefined : Number(firstCallAt) - Number(authorizedAt),
      )
  }
}

type Row = [Facet, string, number, number, number, number, number, number, number]

const toRow = (volume: BatchAggregate['volumes'][number]): Row => {
  const { facet, key, hour, calls, refused, failed, rows, requestBytes, responseBytes } = volume
  return [facet, key, hour, calls, refused, failed, rows, requestBytes, responseBytes]
}
