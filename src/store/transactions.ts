import type { Hex } from '../bytes/hex.ts'
import { type Database, inTransaction, preparerOf, writeCatalogue } from './database.ts'

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

/** What became of a transaction whose nonce is used up. */
interface Outcome {
  hash: Hex
  succeeded: boolean
  blockNumber: bigint
  gasUsed: bigint
  /** wei per gas, as it was paid */
  gasPrice: bigint
}

/** A transaction as people look at it. */
export interface SentTransaction extends Omit<TransactionRow, 'raw'> {
  /** `settled`: its nonce is used up, and nobody has told by which transaction */
  state: 'waiting' | 'succeeded' | 'reverted' | 'replaced' | 'settled'
  /** of one that is in a block */
  mined: Omit<Outcome, 'hash' | 'succeeded'> | undefined
}

/** The catalogue's part about transactions of one publisher. Durable when its functions return; they throw as `writeCatalogue` does. */
export function transactionStore(database: Database, publisher: Hex) {
  const insert = database.prepare(
    // After a reorg the same bytes may have to be sent again.
    `INSERT INTO transactions (hash, publisher, nonce, raw, first_sequence, count, max_fee_per_gas,
       max_priority_fee_per_gas, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (hash) DO UPDATE SET settled = 0, succeeded = NULL, block_number = NULL, gas_used = NULL, gas_price = NULL`,
  )
  const prepare = preparerOf(database)
  const outstanding = prepare(
    'SELECT * FROM transactions WHERE publisher = ? AND settled = 0 ORDER BY nonce, created_at',
  )
  const settle = database.prepare(
    'UPDATE transactions SET settled = 1 WHERE publisher = ? AND nonce < ? AND settled = 0',
  )
  const conclude = database.prepare(
    'UPDATE transactions SET succeeded = ?, block_number = ?, gas_used = ?, gas_price = ? WHERE hash = ?',
  )
  const before = prepare(`
    SELECT * FROM transactions WHERE publisher = ?1 AND nonce IN (
      SELECT DISTINCT nonce FROM transactions WHERE publisher = ?1 AND nonce < ?2 ORDER BY nonce DESC LIMIT ?3)
    ORDER BY nonce DESC, created_at DESC, hash`)
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
      outstanding.all(publisher).map((row) => ({ ...toSent(row), raw: row.raw as Hex })),
    settleTransactions(belowNonce: bigint, outcomes: readonly Outcome[] = []): void {
      inTransaction(database, () => {
        settle.run(publisher, belowNonce)
        for (const { hash, succeeded, blockNumber, gasUsed, gasPrice } of outcomes) {
          conclude.run(succeeded ? 1 : 0, blockNumber, gasUsed, String(gasPrice), hash)
        }
      })
    },
    /** Highest nonce first, from just below `nonce`, with all that were sent under it. */
    transactionsBefore(nonce: bigint, limit: number): SentTransaction[] {
      const rows = before.all(publisher, nonce, limit)
      const mined = new Set(rows.filter((row) => row.succeeded !== null).map((row) => row.nonce))
      return rows.map((row) => ({ ...toSent(row), state: stateOf(row, mined), mined: minedOf(row) }))
    },
  }
}

type Row = Record<string, unknown>

const toSent = (row: Row): Omit<TransactionRow, 'raw'> => ({
  publisher: row.publisher as Hex,
  nonce: row.nonce as bigint,
  hash: row.hash as Hex,
  firstSequence: row.first_sequence as bigint,
  count: Number(row.count),
  maxFeePerGas: BigInt(row.max_fee_per_gas as string),
  maxPriorityFeePerGas: BigInt(row.max_priority_fee_per_gas as string),
  createdAt: Number(row.created_at),
})

function stateOf({ settled, succeeded, nonce }: Row, mined: ReadonlySet<unknown>): SentTransaction['state'] {
  if (succeeded !== null) return succeeded === 1n ? 'succeeded' : 'reverted'
  if (settled === 0n) return 'waiting'
  return mined.has(nonce) ? 'replaced' : 'settled'
}

const minedOf = ({ block_number, gas_used, gas_price }: Row): SentTransaction['mined'] =>
  block_number === null
    ? undefined
    : {
        blockNumber: block_number as bigint,
        gasUsed: gas_used as bigint,
        gasPrice: BigInt(gas_price as string),
      }
