import type { Command } from 'commander'
import type { Hex } from '../bytes/hex.ts'
import { findRights, type RightsIdentity } from '../chain/deploy.ts'
import { fetchChainId } from '../chain/facts.ts'
import { createRpc, type Rpc } from '../chain/rpc.ts'
import { InputError } from '../errors.ts'
import { dataOption } from './catalogue.ts'
import { type FolderIdentity, identityPath, loadIdentity } from './identity.ts'
import { authorizationsOption, chainRpcOption, DEFAULT_RPC } from './options.ts'

/** Which registry and authorisations, as commands are told. */
export interface RightsOptions {
  data: string
  rpc: string
  authorizations?: Hex
}

/** The registry is the one that the authorisations rest on. */
export const withRights = (command: Command) =>
  command
    .addOption(chainRpcOption().default(DEFAULT_RPC))
    .addOption(authorizationsOption())
    .addOption(dataOption())

/** A registry and its authorisations, and a node of their chain. */
export interface ReachedRights extends RightsIdentity {
  rpc: Rpc
  chainId: bigint
}

/**
 * @throws {InputError} `BAD_ARGUMENT` when nothing says which contracts, or the node is of another chain
 * @throws {OperationError} when the chain cannot tell
 */
export async function reachRights({ data, rpc: url, authorizations }: RightsOptions): Promise<ReachedRights> {
  const rpc = createRpc(url)
  if (authorizations !== undefined) {
    const chainId = await fetchChainId(rpc)
    return { rpc, chainId, ...(await findRights(rpc, authorizations)) }
  }
  const { rights, chainId } = await loadRights(data)
  const actual = await fetchChainId(rpc)
  if (actual === chainId) return { rpc, chainId, ...rights }
  throw new InputError(
    'BAD_ARGUMENT',
    `${data} belongs to chain ${chainId}, and the node is of chain ${actual}: name a node of the former with --rpc, or the contract with --authorizations`,
  )
}

/**
 * What a data folder says, without asking its chain.
 *
 * @throws {InputError} `BAD_ARGUMENT` when it names no such contracts
 */
export async function loadRights(data: string): Promise<FolderIdentity & { rights: RightsIdentity }> {
  const known = await loadIdentity(identityPath(data))
  if (known?.rights !== undefined) return { ...known, rights: known.rights }
  throw new InputError(
    'BAD_ARGUMENT',
    `${data} names no authorisations: name the folder of "tidemark up" with --data, or the contract with --authorizations`,
  )
}
