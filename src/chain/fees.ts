import { parseMembers, parseQuantity } from './answers.ts'
import { type Rpc, RpcRefusal } from './rpc.ts'

/** EIP-1559, in wei per gas. */
export interface Fees {
  maxFeePerGas: bigint
  maxPriorityFeePerGas: bigint
}

/** Taken when the node has no opinion: 1 gwei. */
const DEFAULT_PRIORITY_FEE = 1_000_000_000n

/** Fees that outlive six full blocks: twice the base fee and the node's suggested tip, below the cap. */
export async function suggestFees(rpc: Rpc, maxFeePerGas: bigint): Promise<Fees> {
  const block = parseMembers(await rpc.call('eth_getBlockByNumber', ['latest', false]), 'block')
  const baseFee = parseQuantity(block.baseFeePerGas, 'base fee')
  const priorityFee = await suggestPriorityFee(rpc)
  return capFees(
    { maxFeePerGas: 2n * baseFee + priorityFee, maxPriorityFeePerGas: priorityFee },
    maxFeePerGas,
  )
}

async function suggestPriorityFee(rpc: Rpc): Promise<bigint> {
  try {
    return parseQuantity(await rpc.call('eth_maxPriorityFeePerGas', []), 'priority fee')
  } catch (error) {
    if (error instanceof RpcRefusal) return DEFAULT_PRIORITY_FEE
    throw error
  }
}

function capFees(fees: Fees, cap: bigint): Fees {
  const maxFeePerGas = min(fees.maxFeePerGas, cap)
  return { maxFeePerGas, maxPriorityFeePerGas: min(fees.maxPriorityFeePerGas, maxFeePerGas) }
}

/**
 * Fees that replace a waiting transaction: at least an eighth more, because nodes ask for a tenth, and at least
 * today's.
 *
 * @returns undefined when the cap leaves no room
 */
export function bumpFees(old: Fees, today: Fees, cap: bigint): Fees | undefined {
  const least = {
    maxFeePerGas: raise(old.maxFeePerGas),
    maxPriorityFeePerGas: raise(old.maxPriorityFeePerGas),
  }
  if (least.maxFeePerGas > cap || least.maxPriorityFeePerGas > cap) return undefined
  return capFees(
    {
      maxFeePerGas: max(least.maxFeePerGas, today.maxFeePerGas),
      maxPriorityFeePerGas: max(least.maxPriorityFeePerGas, today.maxPriorityFeePerGas),
    },
    cap,
  )
}

const raise = (fee: bigint) => fee + fee / 8n + 1n
const min = (a: bigint, b: bigint) => (a < b ? a : b)
const max = (a: bigint, b: bigint) => (a > b ? a : b)
