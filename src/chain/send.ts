import { Transaction } from 'ethers'
import type { Hex } from '../bytes/hex.ts'
import { malformed, parseBytes, parseQuantity, toQuantity } from './answers.ts'
import type { Fees } from './fees.ts'
import { explainRefusal } from './refusals.ts'
import { type Rpc, RpcRefusal } from './rpc.ts'
import type { Signer } from './signer.ts'

/** What is signed: a call when `to` is given, else the creation of a contract. */
export interface UnsignedTransaction extends Fees {
  chainId: bigint
  nonce: bigint
  to?: Hex
  data: Hex
  gasLimit: bigint
}

export interface SignedTransaction {
  hash: Hex
  raw: Hex
}

/** Signs an EIP-1559 transaction. */
export async function signTransaction(
  signer: Signer,
  unsigned: UnsignedTransaction,
): Promise<SignedTransaction> {
  const { to, nonce, ...rest } = unsigned
  const request = { ...rest, ...(to === undefined ? {} : { to }), nonce: Number(nonce), type: 2, value: 0n }
  const raw = parseBytes(await signer.signTransaction(request), 'signed transaction')
  return { raw, hash: parseBytes(Transaction.from(raw).hash, 'transaction hash', 32) }
}

/**
 * What became of a broadcast that was not a failure.
 *
 * - `known`: the node has it, now or from before
 * - `outbid`: the node holds another transaction with this nonce and wants more for a replacement
 * - `passed`: a transaction with this nonce is already in a block
 */
export type Broadcast = 'known' | 'outbid' | 'passed'

/** Nodes say these things in words only: geth, erigon, nethermind, besu, reth and anvil. */
const BROADCAST_WORDS: readonly [RegExp, Broadcast][] = [
  [/already (known|imported|exists)|known transaction|AlreadyKnown/i, 'known'],
  [/underpriced|replacement fee too low|FeeTooLow/i, 'outbid'],
  [/nonce( is)? too low|OldNonce|nonce.*already used/i, 'passed'],
]

/** @throws {OperationError} when the node refuses the transaction (see `explainRefusal`) or cannot be reached */
export async function broadcast(rpc: Rpc, { hash, raw }: SignedTransaction): Promise<Broadcast> {
  try {
    const answer = parseBytes(await rpc.call('eth_sendRawTransaction', [raw]), 'transaction hash', 32)
    if (answer !== hash) throw malformed('transaction hash', hash)
    return 'known'
  } catch (error) {
    if (!(error instanceof RpcRefusal)) throw error
    for (const [words, outcome] of BROADCAST_WORDS) if (words.test(error.rpcMessage)) return outcome
    throw explainRefusal(error)
  }
}

/** @throws {OperationError} `CHAIN_FAILED` with the ledger's own reason when the call would revert */
export async function estimateGas(
  rpc: Rpc,
  call: { from: Hex; to?: Hex; data: Hex },
  marginPercent: number,
): Promise<bigint> {
  try {
    // Not at `pending`, some nodes' default: over the transaction that this one replaces, it would cost next to nothing.
    const gas = parseQuantity(await rpc.call('eth_estimateGas', [call, 'latest']), 'gas estimate')
    return gas + (gas * BigInt(marginPercent)) / 100n
  } catch (error) {
    throw error instanceof RpcRefusal ? explainRefusal(error) : error
  }
}

/** @param block `latest` counts what is in blocks, `pending` also what waits */
export async function fetchNonce(
  rpc: Rpc,
  account: Hex,
  block: 'latest' | 'pending' | bigint = 'latest',
): Promise<bigint> {
  const at = typeof block === 'bigint' ? toQuantity(block) : block
  return parseQuantity(await rpc.call('eth_getTransactionCount', [account, at]), 'nonce')
}
