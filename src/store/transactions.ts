import type { Hex } from '../bytes/hex.ts'
import { type Database, writeCatalogue } from './database.ts'

/** A signed transaction, stored before it is broadcast. */
export interface TransactionRow {
  publisher: Hex
  nonce: bigint
  hash: Hex
  /** the signed bytes */
  raw: Hex
  firstSequence: bigint
  count: number
  maxFeePerGas: bigint
  maxPriorityFeePerGas: bigint
  /** milliseconds since 1970 */
  createdAt: number
}

/** The catalogue's part about transactions of one publisher. Durable when its functions return; they throw as `writeCatalogue` does. */
export function transactionStore(database: Database, publisher: Hex) {
  const insert = database.prepare(
    // After a reorg the same bytes may have to be sent again.
    'INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (hash) DO UPDATE SET settled = 0',
  )
  const outstanding = database.prepare(
    'SELECT * FROM transactions WHERE publisher = ? AND settled = 0 ORDER BY nonce, created_at',
  )
  outstanding.setReadBigInts(true)
  const settle = database.prepare(
    'UPDATE transactions SET settled = 1 WHERE publisher = ? AND nonce < ? AND settled = 0',
  )
  return {
    saveTransaction(row: TransactionRow): void {
      writeCatalogue(() =>
        insert.run(
          row.hash,
          row.publisher,
          row.nonce,
          row.raw,
          row.firstSequence,
          row.count,
          String(row.maxFeePerGas),
          String(row.maxPriorityFeePerGas),
          row.createdAt,
        ),
      )
    },
    outstandingTransactions: (): TransactionRow[] =>
      outstanding.all(publisher).map((row) => ({
        publisher,
        nonce: row.nonce as bigint,
        hash: row.hash as Hex,
        raw: row.raw as Hex,
        firstSequence: row.first_sequence as bigint,
        count: Number(row.count),
        maxFeePerGas: BigInt(row.max_fee_per_gas as string),
        maxPriorityFeePerGas: BigInt(row.max_priority_fee_per_gas as string),
        createdAt: Number(row.created_at),
      })),
    settleTransactions(belowNonce: bigint): void {
      writeCatalogue(() => settle.run(publisher, belowNonce))
    },
  }
}
