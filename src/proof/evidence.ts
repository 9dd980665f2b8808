import type { Hex } from '../bytes/hex.ts'

export const OFFLINE_FORMAT = 'tidemark-offline/1'
export const OFFLINE_MEDIA_TYPE = 'application/vnd.tidemark.offline+json'

/** A bundle of any other format, and what shows from the hashes of blocks alone all that it says of the chain. */
export interface Offline {
  /** parsed JSON, read by whoever knows its format */
  bundle: unknown
  evidence: Evidence
}

/** What shows what blocks hold to whoever trusts the hashes of these blocks. */
export interface Evidence {
  /** in the order of their numbers, each once */
  blocks: BlockEvidence[]
  /**
   * Where the ledger of `accounts` had more headers than the log of the bundle: the consistency path of RFC 9162,
   * section 2.1.4, from the log of the bundle to the log of the state that is shown.
   */
  consistency?: Uint8Array[]
}

export interface BlockEvidence {
  /** RLP of the block's header: its Keccak-256 is the block's hash */
  header: Uint8Array
  /** in the order of the block */
  transactions: TransactionEvidence[]
  /** of the state after the block, in the order of their addresses */
  accounts: AccountEvidence[]
}

/** A transaction and its receipt, each by a Merkle-Patricia proof, the node of the root first. */
export interface TransactionEvidence {
  /** position in the block */
  index: number
  transactionProof: Uint8Array[]
  receiptProof: Uint8Array[]
  /** logs of the block's transactions before this one: what the block's log indexes are counted from */
  firstLogIndex: number
}

/** An account and slots of its storage (EIP-1186), each by a Merkle-Patricia proof, the node of the root first. */
export interface AccountEvidence {
  /** 20 bytes */
  address: Hex
  accountProof: Uint8Array[]
  /** in the order of their slots; `slot` is 32 bytes, the value follows from the proof */
  storage: { slot: Hex; proof: Uint8Array[] }[]
}
