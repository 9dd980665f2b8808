import type { StatementSync } from 'node:sqlite'
import type { Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { type BlockEvidence, parseOffline, toJsonOffline } from '../proof/index.ts'
import { compress, decompress } from './compression.ts'
import { type Database, preparerOf, writeCatalogue } from './database.ts'

/** A transaction that appended to the ledger, of which nothing is captured yet. */
export interface DueEvidence {
  /** of the last header that it appended */
  logIndex: bigint
  blockHash: Hex
  transactionHash: Hex
  /** how often it was tried in vain */
  attempts: number
}

/** What shows one block that holds an anchor. */
export interface CapturedEvidence {
  block: BlockEvidence
  /** headers that the ledger had after the block; undefined where the node no longer gave that state */
  ledgerSize: bigint | undefined
}

/** The catalogue's part about evidence: a row for each transaction that appended to the ledger. */
export class EvidenceStore {
  readonly #statements: Record<'due' | 'save' | 'postpone' | 'get' | 'count', StatementSync>

  constructor(database: Database) {
    const prepare = preparerOf(database)
    this.#statements = {
      // The newest first: nodes forget the state of old blocks, and receipts much later.
      due: prepare(`
        SELECT evidence.log_index, block_hash, transaction_hash, evidence.attempts
        FROM evidence JOIN entries USING (log_index)
        WHERE shown IS NULL AND evidence.retry_at <= ? AND block_number <= ?
        ORDER BY evidence.retry_at, evidence.log_index DESC LIMIT 1`),
      save: prepare(
        'UPDATE evidence SET shown = ?, shown_bytes = ?, ledger_size = ?, reason = NULL WHERE log_index = ?',
      ),
      postpone: prepare(
        'UPDATE evidence SET attempts = attempts + 1, retry_at = ?, reason = ? WHERE log_index = ?',
      ),
      get: prepare('SELECT * FROM evidence WHERE log_index = ?'),
      count: prepare('SELECT count(*) AS count FROM evidence WHERE shown IS NULL'),
    }
  }

  /** One that is to be captured now, if there is any: its block is `finalBlock` or before it. */
  due(finalBlock: bigint, now: number): DueEvidence | undefined {
    const row = this.#statements.due.get(now, finalBlock)
    return (
      row && {
        logIndex: row.log_index as bigint,
        blockHash: row.block_hash as Hex,
        transactionHash: row.transaction_hash as Hex,
        attempts: Number(row.attempts),
      }
    )
  }

  save(logIndex: bigint, { block, ledgerSize }: CapturedEvidence): void {
    const bytes = Buffer.from(JSON.stringify(toJsonOffline({ bundle: null, evidence: { blocks: [block] } })))
    writeCatalogue(() =>
      this.#statements.save.run(compress(bytes), bytes.length, ledgerSize ?? null, logIndex),
    )
  }

  /** Counts a failed attempt; it is not due before `retryAt`, in milliseconds since 1970. */
  postpone(logIndex: bigint, retryAt: number, reason: string): void {
    writeCatalogue(() => this.#statements.postpone.run(retryAt, reason, logIndex))
  }

  /** What is known of the transaction that appended this header last: evidence, or why there is none yet. */
  get(logIndex: bigint): CapturedEvidence | { missing: string | undefined } {
    const row = this.#statements.get.get(logIndex)
    const shown = row?.shown as Uint8Array | null | undefined
    if (shown === undefined || shown === null) return { missing: (row?.reason as string | null) ?? undefined }
    const text = Buffer.from(decompress(shown, Number(row?.shown_bytes))).toString('utf8')
    const [block] = parseOffline(JSON.parse(text)).evidence.blocks
    if (block === undefined)
      throw new OperationError('STORE_DAMAGED', `evidence of header ${logIndex} is empty`)
    return {
      block,
      ledgerSize: (row?.ledger_size as bigint | null) ?? undefined,
    }
  }

  /** Transactions of which nothing is captured yet; some of their blocks are not final. */
  countMissing(): number {
    return Number(this.#statements.count.get()?.count)
  }
}
