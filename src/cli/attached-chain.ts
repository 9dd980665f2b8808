import type { RightsIdentity } from '../chain/deploy.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import type { Rpc } from '../chain/rpc.ts'
import type { Signer } from '../chain/signer.ts'
import type { OperationError } from '../errors.ts'
import type { ChainFacts } from '../verify/index.ts'

/** The chain that a system anchors to, its ledger there, and the key that publishes to it. */
export interface AttachedChain {
  /** as people may see it: an endpoint's path may hold a secret */
  url: string
  /** what kind of chain it is, for people */
  note: string
  rpc: Rpc
  facts: ChainFacts
  /** whether a head below what was seen may be a node that lags */
  mayLag: boolean
  identity: LedgerIdentity
  /** absent where nobody decides on calls */
  rights: RightsIdentity | undefined
  /** the publisher's */
  signer: Signer
  /** who trips the breaker when a rule says so; absent where nobody does. Never the publisher: its nonces are watched */
  guardian: Signer | undefined
  /** what goes wrong with the chain itself now, a sentence each */
  troubles(): string[]
  /** Resolves when the chain is gone for good. */
  ended: Promise<OperationError>
  stop(): Promise<void>
}

/**
 * Attaches a data folder to its chain.
 *
 * @throws {InputError} `BAD_CONFIG` when the folder belongs to another ledger, or the key must not be used
 * @throws {OperationError} when the chain cannot be used; nothing is left running
 */
export type AttachChain = (dataPath: string, onProgress: (message: string) => void) => Promise<AttachedChain>
