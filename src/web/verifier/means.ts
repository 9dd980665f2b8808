import type { Hex } from '../../bytes/hex.ts'
import { chainFacts } from '../../chain/facts.ts'
import { rightsFacts } from '../../chain/rights-facts.ts'
import { createRpc } from '../../chain/rpc.ts'
import { OperationError, VerificationError } from '../../errors.ts'
import { parseOffline } from '../../proof/index.ts'
import { blockHashes, type ChainFacts, type Means, type RightsFacts } from '../../verify/index.ts'
import type { CheckOptions } from './checked.ts'
import { grantSigner } from './signatures.ts'

/** What a bundle is checked by: the node that is named, or else its evidence, where it has any, as if `blocks` were trusted. */
export function meansOf(
  { rpcUrl, ledger, authorizations, registry }: CheckOptions,
  blocks?: readonly Hex[],
): Means {
  const trust = {
    ...(ledger !== undefined && { ledger }),
    ...(authorizations !== undefined && { authorizations }),
    ...(registry !== undefined && { registry }),
  }
  if (rpcUrl !== undefined) {
    const rpc = createRpc(rpcUrl)
    return {
      chain: chainFacts(rpc, { finality: { kind: 'tag' } }),
      rights: rightsFacts(rpc, grantSigner),
      trust,
    }
  }
  return blocks === undefined ? { ...nobody(), trust } : { trustedBlocks: blocks, grantSigner, trust }
}

/** A chain of which nobody says anything: what can be checked without one is, and then it ends. */
export function nobody(): Means & { chain: ChainFacts; rights: RightsFacts } {
  const ask = async (): Promise<never> => {
    throw new OperationError('NOT_IN_EVIDENCE', 'the file brings no evidence, and no node was named to ask', {
      retryable: false,
    })
  }
  return {
    chain: {
      chainId: ask,
      headBlock: ask,
      finalBlock: ask,
      blockByNumber: ask,
      blockByHash: ask,
      receipt: ask,
      ledgerRoot: ask,
    },
    rights: {
      grantSigner,
      isValidSignature: ask,
      registryOf: ask,
      resourceVersion: ask,
      findResourceSet: ask,
      revokedAt: ask,
    },
  }
}

/** The hashes of the blocks whose headers a file shows; none when its evidence cannot be read. */
export function blocksShown(value: unknown): Hex[] {
  try {
    return blockHashes(parseOffline(value).evidence)
  } catch (error) {
    if (error instanceof VerificationError) return []
    throw error
  }
}
