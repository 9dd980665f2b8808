import type { Hex } from '../bytes/hex.ts'
import { createAuthorizations } from '../chain/authorizations.ts'
import type { RightsIdentity } from '../chain/deploy.ts'
import { createRegistry } from '../chain/registry.ts'
import type { Rpc } from '../chain/rpc.ts'
import { OperationError } from '../errors.ts'
import type { RightsKey, RightsLogEntry } from '../store/rights-log.ts'
import type { Rights, SaidOf } from './rights.ts'

/**
 * Holds what events say against the state that the contracts have at the block of the last of them: a single answer of a
 * node that makes one up, alters one or leaves out one of several about the same thing is not believed.
 *
 * @throws {OperationError} `RPC_MALFORMED` when they do not fit
 */
export async function expectAsContracts(
  rpc: Rpc,
  { registry, authorizations }: RightsIdentity,
  rights: Rights,
  entries: readonly RightsLogEntry[],
  blockHash: Hex,
): Promise<void> {
  const at = { blockHash }
  const contracts = {
    registry: createRegistry(rpc, registry),
    authorizations: createAuthorizations(rpc, authorizations),
  }
  for (const { key, said } of rights.foretell(entries)) {
    if (await fits(contracts, key, said, at)) continue
    throw new OperationError(
      'RPC_MALFORMED',
      `the node's events do not give the ${key.kind} ${key.id} that the contract has at block ${blockHash}`,
    )
  }
}

interface Contracts {
  registry: ReturnType<typeof createRegistry>
  authorizations: ReturnType<typeof createAuthorizations>
}

async function fits(
  { registry, authorizations }: Contracts,
  { kind, id }: RightsKey,
  { source, resource, trips, grant }: SaidOf,
  at: { blockHash: Hex },
): Promise<boolean> {
  if (kind === 'grant') {
    const [state, revokedAt] = [
      await authorizations.grantState(id, at),
      await authorizations.revokedAt(id, at),
    ]
    return (
      state.given === (grant.terms !== undefined) &&
      state.paused === grant.paused &&
      state.calls === grant.calls &&
      revokedAt === grant.revokedAt
    )
  }
  const last = trips.at(-1)
  const trippedAt = last === undefined || last.reset !== undefined ? 0n : last.block.time
  if ((await registry.trippedAt({ kind, id }, at)) !== trippedAt) return false
  if (kind === 'source') {
    if ((await registry.isSource(id, at)) !== (source !== undefined)) return false
    for (const { key, from, until } of source?.keys ?? []) {
      const period = await registry.keyPeriod(id, key, at)
      if (period.from !== from || period.until !== until) return false
    }
  }
  if (kind === 'resource') {
    const entry = await registry.resource(id, at)
    const version = resource?.versions.at(-1)
    const { version: number, owner, sharing, level, digest } = version ?? { version: 0 }
    if (entry.version !== number || resource?.versions.length !== number) return false
    return (
      entry.owner === owner && entry.sharing === sharing && entry.level === level && entry.digest === digest
    )
  }
  return true
}
