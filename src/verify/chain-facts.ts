import type { Hex } from '../bytes/hex.ts'

/** One log of a transaction's receipt. `logIndex` counts within the block. */
export interface ReceiptLog {
  address: Hex
  topics: Hex[]
  data: Hex
  logIndex: number
}

export interface TransactionReceipt {
  blockNumber: bigint
  blockHash: Hex
  succeeded: boolean
  logs: ReceiptLog[]
}

export interface Block {
  number: bigint
  hash: Hex
  /** seconds since 1970 */
  timestamp: bigint
  transactionHashes: Hex[]
}

/**
 * What a verifier asks of a chain; it trusts the answers and nothing else.
 *
 * Every function MUST throw `OperationError` when it cannot answer, and answer `undefined` only when the chain
 * says that there is no such thing.
 */
export interface ChainFacts {
  chainId(): Promise<bigint>
  headBlock(): Promise<bigint>
  /**
   * The highest block that is final by the verifier's own rule.
   *
   * @param head the chain's, where it is known already
   */
  finalBlock(head?: bigint): Promise<bigint>
  blockByNumber(number: bigint): Promise<Block | undefined>
  blockByHash(hash: Hex): Promise<Block | undefined>
  receipt(transactionHash: Hex): Promise<TransactionReceipt | undefined>
  /** Root of the ledger's log when it had `size` headers, 32 bytes; undefined while it has fewer. */
  ledgerRoot(ledger: Hex, size: bigint): Promise<Uint8Array | undefined>
}
