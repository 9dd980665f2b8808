import { fromHex, type Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { resourceSetTopics } from '../record/index.ts'
import type { RightsFacts } from '../verify/index.ts'
import { parseBytes } from './answers.ts'
import { createAuthorizations } from './authorizations.ts'
import { callData, withBytes } from './contract.ts'
import { type ChainLog, fetchLogs, type LogFilter, placeOf } from './logs.ts'
import { createRegistry } from './registry.ts'
import { type Rpc, RpcRefusal } from './rpc.ts'

/** Answers what a verifier of authorised calls asks, through a node's JSON-RPC; keys are recovered as the caller can. */
export const rightsFacts = (rpc: Rpc, grantSigner: RightsFacts['grantSigner']): RightsFacts => ({
  grantSigner,
  isValidSignature: (account, digest, signature, blockHash) =>
    isValidSignature(rpc, account, digest, signature, blockHash),
  registryOf: (authorizations, blockHash) =>
    createAuthorizations(rpc, authorizations).registry({ blockHash }),
  resourceVersion: async (registry, resource, blockHash) =>
    (await createRegistry(rpc, registry).resource(resource, { blockHash })).version,
  async findResourceSet(registry, resource, version, upToBlock) {
    const from = await createRegistry(rpc, registry).deploymentBlock()
    const filter = { address: registry, topics: resourceSetTopics(resource, version) }
    const [log] = await allLogs(rpc, filter, from, upToBlock)
    if (log !== undefined) return placeOf(log)
    throw new OperationError(
      'RPC_MALFORMED',
      `the node says that there is version ${version} of the resource, and has no event of it; ask another`,
    )
  },
  revokedAt: (authorizations, grantId, blockHash) =>
    createAuthorizations(rpc, authorizations).revokedAt(grantId, { blockHash }),
})

/** Every matching log of a block range, in the order of the chain. */
export async function allLogs(rpc: Rpc, filter: LogFilter, from: bigint, to: bigint): Promise<ChainLog[]> {
  const all: ChainLog[] = []
  for await (const { logs } of fetchLogs(rpc, filter, from, to)) all.push(...logs)
  return all
}

/** What an account answers that has signed: the selector, in a word of its own (ERC-1271). */
const SIGNED = `0x1626ba7e${'0'.repeat(56)}`
/** Geth's for a call that reverts. */
const REVERTED = 3

async function isValidSignature(
  rpc: Rpc,
  account: Hex,
  digest: Hex,
  signature: Hex,
  blockHash: Hex,
): Promise<boolean> {
  const data = callData('isValidSignature(bytes32,bytes)', withBytes([fromHex(digest)], fromHex(signature)))
  try {
    const answer = await rpc.call('eth_call', [{ to: account, data }, { blockHash }])
    return parseBytes(answer, 'answer to isValidSignature()').slice(0, SIGNED.length) === SIGNED
  } catch (error) {
    // An account that reverts has not signed; nodes have no common code for it.
    if (error instanceof RpcRefusal && (error.rpcCode === REVERTED || /revert/i.test(error.rpcMessage)))
      return false
    throw error
  }
}
