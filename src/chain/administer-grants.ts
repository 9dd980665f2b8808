import type { Hex } from '../bytes/hex.ts'
import type { Grant, Use } from '../record/index.ts'
import { parseBytes } from './answers.ts'
import { fetchLatestBlock } from './facts.ts'
import { fetchLogs } from './logs.ts'
import { authorizationsInterface } from './rights-abi.ts'
import { decodeRightsEvent } from './rights-events.ts'
import type { Rpc } from './rpc.ts'
import { type Sender, transact } from './transact.ts'

/**
 * The terms of a grant that its contract holds, as the contract announced them; undefined when it did not.
 *
 * @throws {OperationError} when the node cannot tell
 */
export async function findGrant(
  rpc: Rpc,
  { authorizations, deploymentBlock }: { authorizations: Hex; deploymentBlock: bigint },
  id: Hex,
): Promise<Grant | undefined> {
  const granted = authorizationsInterface.getEvent('Granted')
  const filter = { address: authorizations, topics: [parseBytes(granted?.topicHash, 'topic', 32), id] }
  const { number: head } = await fetchLatestBlock(rpc)
  for await (const { logs } of fetchLogs(rpc, filter, deploymentBlock, head)) {
    for (const log of logs) {
      const event = decodeRightsEvent(log, 'authorizations')
      if (event?.name === 'Granted') return event.grant
    }
  }
  return undefined
}

/** What may be done about grants; every function waits until it is in a block, and answers which. */
export interface GrantAdmin {
  /** @param signature the subject's; `0x` when it sends this itself */
  grant(grant: Grant, signature: Hex): Promise<bigint>
  /** by the subject, as are `pause` and `resume` */
  revoke(grant: Grant): Promise<bigint>
  /** @param deadline seconds of block time */
  revokeBySignature(grant: Grant, deadline: bigint, signature: Hex): Promise<bigint>
  pause(grant: Grant): Promise<bigint>
  resume(grant: Grant): Promise<bigint>
  /** by a key of the consumer */
  request(use: Use, grantId: Hex): Promise<bigint>
}

/** @throws {OperationError} from every function, with the contract's own reason when it refuses (see `transact`) */
export function administerGrants(sender: Sender, authorizations: Hex): GrantAdmin {
  const send = async (name: string, args: unknown[]): Promise<bigint> => {
    const data = parseBytes(authorizationsInterface.encodeFunctionData(name, args), 'calldata')
    return (await transact(sender, { to: authorizations, data })).receipt.blockNumber
  }
  return {
    grant: (grant, signature) => send('grant', [grant, signature]),
    revoke: (grant) => send('revoke', [grant]),
    revokeBySignature: (grant, deadline, signature) =>
      send('revokeBySignature', [grant, deadline, signature]),
    pause: (grant) => send('pause', [grant]),
    resume: (grant) => send('resume', [grant]),
    request: ({ consumer, resource, purpose }, grantId) =>
      send('request', [consumer, resource, purpose, grantId]),
  }
}
