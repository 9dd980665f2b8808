/** An entry of the ledger, as GET /v1/batches has it. */
export interface Entry {
  batch: {
    publisher: string
    sequence: string
    recordsRoot: string
    recordCount: number
    indexRoot: string
    indexSize: number
    /** milliseconds since 1970 */
    firstTime: string
    lastTime: string
  }
  anchor: {
    ledgerIndex: string
    blockNumber: string
    blockHash: string
    transactionHash: string
    logIndex: number
  }
  state: 'announced' | 'verified' | 'fraud' | 'withheld'
  reason?: string
  final: boolean
}

export interface EntryDetail extends Entry {
  submissionCount: number
  submissions: { source: string; sequence: string; first: number; count: number; signer?: string }[]
}

/** What GET /v1/transactions has; amounts in wei. */
export interface Transaction {
  hash: string
  nonce: string
  state: 'waiting' | 'succeeded' | 'reverted' | 'replaced' | 'settled'
  createdAt: string
  firstSequence: string
  batches: number
  maxFeePerGas: string
  blockNumber?: string
  gasUsed?: string
  gasPrice?: string
}

export interface LedgerHead {
  chainId: string
  ledger: string
  publisher?: string
  size: string
  root: string
  headBlock: string
  finalBlock: string
}
