import type { Hex } from '../bytes/hex.ts'
import type { TypedDomain } from '../bytes/typed-data.ts'
import { OperationError } from '../errors.ts'
import type { Authorization, Place, ResourceVersion } from '../proof/index.ts'
import { GRANTED_TOPIC, type Grant, grantId, RESOURCE_SET_TOPIC } from '../record/index.ts'
import type { Block, ChainFacts } from '../verify/index.ts'
import { malformed } from './answers.ts'
import { createAuthorizations } from './authorizations.ts'
import type { RightsIdentity } from './deploy.ts'
import { type ChainLog, placeOf } from './logs.ts'
import { decodeRightsEvent } from './rights-events.ts'
import { allLogs, rightsFacts } from './rights-facts.ts'
import type { Rpc } from './rpc.ts'
import { grantSigner } from './signing.ts'

/** What the chain adds to the proof of an authorised call, all of it as of final blocks. */
export interface AuthorizationSource {
  /** of the contract that decides on grants */
  domain: TypedDomain
  /** Whether the subject has signed the grant, by its key or as an account. */
  isSigned(grant: Grant, signature: Hex): Promise<boolean>
  /** The grant of this id that the contract holds, and where it says so. */
  givenGrant(id: Hex): Promise<{ grant: Grant; given: Place } | undefined>
  /**
   * The version of a resource that was in force.
   *
   * @param time seconds since 1970
   */
  resourceAt(resource: Hex, time: bigint): Promise<ResourceVersion | undefined>
  revocation(id: Hex): Promise<Authorization['revocation']>
}

/** Asks a node each time: events for what was, calls at the last final block for what is. */
export function authorizationSource(
  rpc: Rpc,
  chain: ChainFacts,
  { chainId, registry, authorizations, deploymentBlock }: RightsIdentity & { chainId: bigint },
): AuthorizationSource {
  const domain = { chainId, contract: authorizations }
  const facts = rightsFacts(rpc, grantSigner)

  const finalLogs = async (address: Hex, topics: readonly Hex[]) =>
    allLogs(rpc, { address, topics }, deploymentBlock, await chain.finalBlock())

  async function finalBlock(): Promise<Block> {
    const number = await chain.finalBlock()
    const block = await chain.blockByNumber(number)
    if (block === undefined) throw new OperationError('RPC_LAGS', `the node does not have block ${number}`)
    return block
  }

  async function timeOf({ blockNumber, blockHash }: ChainLog): Promise<bigint> {
    const block = await chain.blockByNumber(blockNumber)
    if (block?.hash === blockHash) return block.timestamp
    throw new OperationError('RPC_LAGS', `the node's logs of block ${blockNumber} are not of that block`)
  }

  return {
    domain,
    async isSigned(grant, signature) {
      if (facts.grantSigner(domain, grant, signature) === grant.subject) return true
      const { hash } = await finalBlock()
      return facts.isValidSignature(grant.subject, grantId(domain, grant), signature, hash)
    },
    async givenGrant(id) {
      const [log] = await finalLogs(authorizations, [GRANTED_TOPIC, id])
      if (log === undefined) return undefined
      const event = decodeRightsEvent(log, 'authorizations')
      if (event?.name !== 'Granted') throw malformed('log', 'of a grant')
      return { grant: event.grant, given: placeOf(log) }
    },
    async resourceAt(resource, time) {
      const logs = await finalLogs(registry, [RESOURCE_SET_TOPIC, resource])
      let next: Place | undefined
      for (const log of logs.toReversed()) {
        if ((await timeOf(log)) <= time) {
          const event = decodeRightsEvent(log, 'registry')
          if (event?.name !== 'ResourceSet') throw malformed('log', 'of a resource')
          return { registry, ...event.entry, set: placeOf(log), ...(next !== undefined && { next }) }
        }
        next = placeOf(log)
      }
      return undefined
    },
    async revocation(id) {
      const { number, hash } = await finalBlock()
      const revokedAt = await createAuthorizations(rpc, authorizations).revokedAt(id, { blockHash: hash })
      return { revokedAt, blockNumber: number, blockHash: hash }
    },
  }
}
