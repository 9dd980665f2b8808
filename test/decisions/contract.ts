import type { Hex } from '../../src/bytes/hex.ts'
import { authorizationsInterface } from '../../src/chain/rights-abi.ts'
import { nameId, REASONS } from '../../src/record/index.ts'
import type { PlannedCall } from './plan.ts'

const NO_GRANT: Hex = `0x${'00'.repeat(32)}`

/** What `decide`, or `decideWith` for a grant that the contract does not hold, is asked about a call. */
function calldataOf({ consumer, resource, purpose, authorization = NO_GRANT, grant }: PlannedCall): string {
  const use = [nameId(consumer), nameId(resource), nameId(purpose)]
  return grant === undefined || grant.isOnChain
    ? authorizationsInterface.encodeFunctionData('decide', [...use, authorization])
    : authorizationsInterface.encodeFunctionData('decideWith', [...use, grant.grant, grant.signature])
}

/** The contract's reasons for calls, each at the block named beside it, asked in one JSON-RPC batch. */
export async function askContract(
  rpcUrl: string,
  contract: Hex,
  asked: readonly { call: PlannedCall; blockHash: Hex }[],
): Promise<string[]> {
  const body = asked.map(({ call, blockHash }, id) => ({
    jsonrpc: '2.0',
    id,
    method: 'eth_call',
    params: [{ to: contract, data: calldataOf(call) }, { blockHash }],
  }))
  const ask = () =>
    fetch(rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  // A node may close a connection that was idle just when it is used again.
  const response = await ask().catch(ask)
  const answers = (await response.json()) as { id: number; result?: string; error?: unknown }[]
  const reasons = new Array<string>(asked.length)
  for (const { id, result, error } of answers) {
    if (result === undefined) throw new Error(`the node does not decide: ${JSON.stringify(error)}`)
    // Two words: whether it is allowed, and the reason.
    reasons[id] = `${Number(result.slice(0, 66))} ${REASONS[Number(`0x${result.slice(66)}`)]}`
  }
  return reasons
}
