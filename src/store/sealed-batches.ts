import type { StatementSync } from 'node:sqlite'
import { decodeHeader, encodeHeader, type Header } from '../batch/index.ts'
import type { Hex } from '../bytes/hex.ts'
import { type Database, inTransaction, preparerOf } from './database.ts'

/** Who says that the records are the source's: its own signature, a token of it, or nobody but the gateway. */
export type Voucher = { by: 'signed'; signer: Hex; signature: Hex } | { by: 'token' } | { by: 'open' }

/** A submission as the gateway took it. Times in milliseconds since 1970. */
export interface AcceptedSubmission {
  source: string
  sequence: bigint
  /** RFC 9162 root of its leaves, 32 bytes */
  root: Uint8Array
  size: number
  receivedAt: number
  anchorBy: number
  voucher: Voucher
}

/** Where a submission went. */
export interface SealedSubmission extends AcceptedSubmission {
  publisher: Hex
  batch: bigint
  /** position of its first record in the batch */
  first: number
}

/** A sealed batch that the chain may not have. Times in milliseconds since 1970. */
export interface UnanchoredBatch {
  sequence: bigint
  sealedAt: number
  /** the earliest promise of its receipts */
  anchorBy: number
}

/** The catalogue's part about our own batches: what has been sealed, and from which submissions. */
export class SealedBatches {
  readonly #database: Database
  readonly #insertBatch: StatementSync
  readonly #insertSubmission: StatementSync
  readonly #selectFrom: StatementSync
  readonly #selectTimes: StatementSync
  readonly #selectLast: StatementSync
  readonly #selectSubmission: StatementSync
  readonly #selectLastOfSource: StatementSync
  readonly #selectSources: StatementSync
  readonly #selectPublishers: StatementSync

  constructor(database: Database) {
    this.#database = database
    const prepare = preparerOf(database)
    this.#insertBatch = prepare('INSERT INTO batches VALUES (?, ?, ?, ?, ?)')
    // One that stands in this batch already is left as it is; one of another batch violates that a batch is not null.
    this.#insertSubmission = prepare(`
      INSERT INTO submissions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET batch =
        CASE WHEN publisher = excluded.publisher AND batch = excluded.batch THEN batch END`)
    this.#selectFrom = prepare(
      'SELECT header FROM batches WHERE publisher = ? AND sequence >= ? ORDER BY sequence LIMIT ?',
    )
    this.#selectTimes = prepare(`
      SELECT sequence, sealed_at, anchor_by FROM batches
      WHERE publisher = ? AND sequence >= ? AND anchor_by IS NOT NULL ORDER BY sequence`)
    this.#selectLast = prepare('SELECT max(sequence) AS last FROM batches WHERE publisher = ?')
    this.#selectSubmission = prepare('SELECT * FROM submissions WHERE source = ? AND sequence = ?')
    // One step of the index a source, however many submissions it has.
    this.#selectSources = prepare(`
      WITH RECURSIVE found (source) AS (
        SELECT min(source) FROM submissions
        UNION ALL
        SELECT (SELECT min(source) FROM submissions WHERE source > found.source) FROM found WHERE source IS NOT NULL
      )
      SELECT source FROM found WHERE source IS NOT NULL LIMIT ?`)
    this.#selectPublishers = prepare('SELECT DISTINCT publisher FROM batches')
    this.#selectLastOfSource = prepare('SELECT max(sequence) AS last FROM submissions WHERE source = ?')
  }

  /**
   * Records submissions of a batch that is durable; they may be recorded already, when a crash came before `addBatch`.
   *
   * @param first position of the first of their records in the batch
   */
  addSubmissions(
    publisher: Hex,
    batch: bigint,
    first: number,
    submissions: readonly AcceptedSubmission[],
  ): void {
    inTransaction(this.#database, () => {
      let position = first
      for (const { source, sequence, root, size, receivedAt, anchorBy, voucher } of submissions) {
        const signed = voucher.by === 'signed' ? voucher : { signer: null, signature: null }
        this.#insertSubmission.run(
          source,
          sequence,
          root,
          size,
          receivedAt,
          anchorBy,
          publisher,
          batch,
          position,
          voucher.by,
          signed.signer,
          signed.signature,
        )
        position += size
      }
    })
  }

  /** Records a batch whose submissions have all been recorded: from here on it goes to the chain. */
  addBatch(header: Header, { sequence, sealedAt, anchorBy }: UnanchoredBatch): void {
    this.#insertBatch.run(header.publisher, sequence, encodeHeader(header), sealedAt, anchorBy)
  }

  headersFrom(publisher: Hex, sequence: bigint, limit: number): Header[] {
    return this.#selectFrom
      .all(publisher, sequence, limit)
      .map(({ header }) => decodeHeader(header as Uint8Array))
  }

  /** The batches from a sequence on. */
  timesFrom(publisher: Hex, sequence: bigint): UnanchoredBatch[] {
    return this.#selectTimes.all(publisher, sequence).map((row) => ({
      sequence: row.sequence as bigint,
      sealedAt: Number(row.sealed_at),
      anchorBy: Number(row.anchor_by),
    }))
  }

  /** Those who have sealed a batch here: usually one. */
  publishers(): Hex[] {
    return this.#selectPublishers.all().map(({ publisher }) => publisher as Hex)
  }

  /** The next batch of a publisher has this sequence. */
  nextSequence(publisher: Hex): bigint {
    return next(this.#selectLast.get(publisher))
  }

  submission(source: string, sequence: bigint): SealedSubmission | undefined {
    if (sequence > MAX_INTEGER) return undefined
    const row = this.#selectSubmission.get(source, sequence)
    if (row === undefined) return undefined
    return {
      source,
      sequence,
      root: row.root as Uint8Array,
      size: Number(row.size),
      receivedAt: Number(row.received_at),
      anchorBy: Number(row.anchor_by),
      voucher: toVoucher(row),
      publisher: row.publisher as Hex,
      batch: row.batch as bigint,
      first: Number(row.first),
    }
  }

  /** The sources that have a sealed submission, in order, at most `limit`. */
  sources(limit: number): string[] {
    return this.#selectSources.all(limit).map(({ source }) => source as string)
  }

  /** One more than the last sealed submission of a source. */
  nextSubmission(source: string): bigint {
    return next(this.#selectLastOfSource.get(source))
  }
}

function toVoucher({ vouched_by, signer, signature }: Record<string, unknown>): Voucher {
  if (vouched_by !== 'signed') return { by: vouched_by === 'token' ? 'token' : 'open' }
  return { by: 'signed', signer: signer as Hex, signature: signature as Hex }
}

/** SQLite's integers are signed. */
const MAX_INTEGER = 2n ** 63n - 1n

const next = (row: Record<string, unknown> | undefined): bigint =>
  typeof row?.last === 'bigint' ? row.last + 1n : 0n
