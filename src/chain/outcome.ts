import type { Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { parseMembers, parseQuantity } from './answers.ts'
import type { Rpc } from './rpc.ts'

/** What a transaction that is in a block did and cost. */
export interface TransactionOutcome {
  hash: Hex
  succeeded: boolean
  blockNumber: bigint
  gasUsed: bigint
  /** wei per gas, as it was paid */
  gasPrice: bigint
}

/** Those of the transactions that are in a block. For people: what a node cannot tell just now is left out. */
export async function fetchOutcomes(rpc: Rpc, hashes: readonly Hex[]): Promise<TransactionOutcome[]> {
  const found = await Promise.all(
    hashes.map((hash) =>
      fetchOutcome(rpc, hash).catch((error: unknown) => {
        if (error instanceof OperationError) return undefined
        throw error
      }),
    ),
  )
  return found.filter((outcome) => outcome !== undefined)
}

async function fetchOutcome(rpc: Rpc, hash: Hex): Promise<TransactionOutcome | undefined> {
  const answer = await rpc.call('eth_getTransactionReceipt', [hash])
  if (answer === null) return undefined
  const receipt = parseMembers(answer, 'receipt')
  return {
    hash,
    succeeded: parseQuantity(receipt.status, 'receipt status') === 1n,
    blockNumber: parseQuantity(receipt.blockNumber, 'block number'),
    gasUsed: parseQuantity(receipt.gasUsed, 'gas used'),
    gasPrice: parseQuantity(receipt.effectiveGasPrice, 'gas price'),
  }
}
