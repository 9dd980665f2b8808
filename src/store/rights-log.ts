import type { StatementSync } from 'node:sqlite'
import { concatBytes } from '../bytes/bytes.ts'
import { fromHex, type Hex, toHex } from '../bytes/hex.ts'
import { type Database, inTransaction, preparerOf } from './database.ts'

/** A block as far as decisions name it; its time in seconds since 1970. */
export interface RightsBlock {
  number: bigint
  hash: Hex
  time: bigint
}

/** How far the two contracts were read. */
export interface RightsCursor {
  /** the last block whose events are all here */
  block: RightsBlock
  /** blocks up to this one were final when they were read, or since; they are never doubted */
  finalBlock: bigint
}

/** What an event is about: `everything` has the id of 32 zero bytes. */
export interface RightsKey {
  kind: 'everything' | 'source' | 'resource' | 'grant'
  id: Hex
}

/** An event of the registry or of the authorisations as its contract logged it, and where. */
export interface RightsLogEntry {
  key: RightsKey
  contract: 'registry' | 'authorizations'
  topics: Hex[]
  data: Hex
  block: RightsBlock
  /** position of the event within the block */
  eventIndex: number
  transactionHash: Hex
}

const WORD = 32

/** Reads the events about one thing, in the order of the chain. */
export function rightsEvents(database: Database): (key: RightsKey) => Generator<RightsLogEntry> {
  const select = preparerOf(database)(
    'SELECT * FROM rights_events WHERE kind = ? AND id = ? ORDER BY block_number, event_index',
  )
  return function* ({ kind, id }) {
    for (const row of select.iterate(kind, fromHex(id))) yield toEntry(row)
  }
}

/** The catalogue's part about what the two contracts announced: events by what they concern, and how far they were read. */
export class RightsLog {
  readonly #database: Database
  readonly #statements: Record<
    'cursor' | 'save' | 'insert' | 'keysAfter' | 'lastBlock' | 'truncate' | 'keysOfKind',
    StatementSync
  >

  /**
   * @param authorizations the contract that is followed, which names its registry: where another was, or none, all that
   *   was known goes, and verified batches are read again for the grants in their records
   */
  constructor(database: Database, authorizations: Hex) {
    this.#database = database
    const prepare = preparerOf(database)
    this.#statements = {
      cursor: prepare('SELECT * FROM rights_cursor WHERE block_number IS NOT NULL'),
      save: prepare(
        'UPDATE rights_cursor SET block_number = ?, block_hash = ?, block_time = ?, final_block = ?',
      ),
      insert: prepare('INSERT INTO rights_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
      keysAfter: prepare('SELECT DISTINCT kind, id FROM rights_events WHERE block_number > ?'),
      keysOfKind: prepare('SELECT DISTINCT id FROM rights_events WHERE kind = ?'),
      lastBlock: prepare(
        'SELECT block_number, block_hash, block_time FROM rights_events WHERE block_number < ? ORDER BY block_number DESC LIMIT 1',
      ),
      truncate: prepare('DELETE FROM rights_events WHERE block_number > ?'),
    }
    this.#adopt(authorizations)
  }

  #adopt(authorizations: Hex): void {
    const database = this.#database
    if (database.prepare('SELECT authorizations FROM rights_cursor').get()?.authorizations === authorizations)
      return
    inTransaction(database, () => {
      database.exec(`
        DELETE FROM rights_cursor; DELETE FROM rights_events; DELETE FROM grant_states; DELETE FROM record_grants;
        DELETE FROM grant_uses;
        INSERT OR IGNORE INTO uncounted SELECT log_index FROM entries WHERE state = 'verified'`)
      database
        .prepare('INSERT INTO rights_cursor (only_one, authorizations) VALUES (1, ?)')
        .run(authorizations)
    })
  }

  cursor(): RightsCursor | undefined {
    const row = this.#statements.cursor.get()
    const block = toBlock(row)
    return block && { block, finalBlock: row?.final_block as bigint }
  }

  saveCursor(cursor: RightsCursor | undefined): void {
    const { number, hash, time } = cursor?.block ?? {}
    this.#statements.save.run(number ?? null, hash ?? null, time ?? null, cursor?.finalBlock ?? null)
  }

  add({ key, contract, topics, data, block, eventIndex, transactionHash }: RightsLogEntry): void {
    this.#statements.insert.run(
      block.number,
      eventIndex,
      block.hash,
      block.time,
      transactionHash,
      contract,
      key.kind,
      fromHex(key.id),
      concatBytes(...topics.map((topic) => fromHex(topic))),
      fromHex(data),
    )
  }

  /** All sources, or all resources, that any event is about. */
  idsOf(kind: RightsKey['kind']): Hex[] {
    return this.#statements.keysOfKind.all(kind).map(({ id }) => toHex(id as Uint8Array))
  }

  /** The newest block below `number` of which there are events. */
  blockBefore(number: bigint): RightsBlock | undefined {
    return toBlock(this.#statements.lastBlock.get(number))
  }

  /** Takes back the events above a block, and answers what they were about. */
  truncateAfter(number: bigint): RightsKey[] {
    const keys = this.#statements.keysAfter.all(number).map((row) => ({
      kind: row.kind as RightsKey['kind'],
      id: toHex(row.id as Uint8Array),
    }))
    this.#statements.truncate.run(number)
    return keys
  }
}

function toBlock(row: Record<string, unknown> | undefined): RightsBlock | undefined {
  if (row === undefined) return undefined
  return {
    number: row.block_number as bigint,
    hash: row.block_hash as Hex,
    time: row.block_time as bigint,
  }
}

function toEntry(row: Record<string, unknown>): RightsLogEntry {
  const topics = row.topics as Uint8Array
  return {
    key: { kind: row.kind as RightsKey['kind'], id: toHex(row.id as Uint8Array) },
    contract: row.contract as RightsLogEntry['contract'],
    topics: Array.from({ length: topics.length / WORD }, (_, i) =>
      toHex(topics.subarray(WORD * i, WORD * (i + 1))),
    ),
    data: toHex(row.data as Uint8Array),
    block: toBlock(row) as RightsBlock, // there is a row
    eventIndex: Number(row.event_index),
    transactionHash: row.transaction_hash as Hex,
  }
}
