import type { Interface } from 'ethers'
import type { Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { parseBytes } from './answers.ts'
import type { Rpc } from './rpc.ts'

/** Where a call looks: a tag, or the hash of a block (EIP-1898), which a node that lags cannot answer wrongly. */
export type BlockReference = 'latest' | { blockHash: Hex }

/** Calls a view function and answers with what it returns. */
type ContractReader = (name: string, args: readonly unknown[], at?: BlockReference) => Promise<unknown[]>

/**
 * Reads of one contract. Every one of them throws `OperationError` when it cannot answer.
 *
 * @param what the contract is, for people
 */
export const contractReader =
  (rpc: Rpc, abi: Interface, address: Hex, what: string): ContractReader =>
  async (name, args, at = 'latest') => {
    const call = { to: address, data: abi.encodeFunctionData(name, args) }
    const answer = parseBytes(await rpc.call('eth_call', [call, at]), `answer to ${name}()`)
    if (answer === '0x') {
      throw new OperationError('CHAIN_FAILED', `there is no ${what} at ${address} on this chain`, {
        retryable: false,
      })
    }
    try {
      return abi.decodeFunctionResult(name, answer).toArray(true)
    } catch (cause) {
      const owner = what === 'ledger' ? "a ledger's" : `of the ${what}`
      throw new OperationError('RPC_MALFORMED', `the answer to ${name}() is not ${owner}`, { cause })
    }
  }
