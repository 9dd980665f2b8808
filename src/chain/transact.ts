import { setTimeout as delay } from 'node:timers/promises'
import type { Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import type { TransactionReceipt } from '../verify/chain-facts.ts'
import { parseBytes, parseMembers } from './answers.ts'
import { fetchChainId, parseReceipt } from './facts.ts'
import { suggestFees } from './fees.ts'
import type { Rpc } from './rpc.ts'
import { broadcast, estimateGas, fetchNonce, signTransaction } from './send.ts'
import type { Signer } from './signer.ts'

/** Who sends a single transaction, over which node, and how long and at what price at most. */
export interface Sender {
  rpc: Rpc
  /** pays */
  signer: Signer
  /** for each transaction to be in a block */
  timeoutMs?: number
  /** wei per gas */
  maxFeePerGas?: bigint
}

const FIRST_PAUSE_MS = 25
const LONGEST_PAUSE_MS = 2_000
const GAS_MARGIN_PERCENT = 20
/** 500 gwei */
const DEFAULT_MAX_FEE = 500_000_000_000n

/** What is called, or the code of a contract to create. */
export interface Call {
  to?: Hex
  data: Hex
}

/** Nodes keep so many waiting transactions of an account for certain (geth's `accountslots`). */
const WAITING_AT_ONCE = 16

/**
 * Sends one transaction and waits until it is in a block. Fees are not raised: somebody waits, and may try again.
 *
 * @throws {OperationError} with the contract's own reason when it would revert; `CHAIN_FAILED` naming the hash when it
 *   is in no block within `timeoutMs`
 */
export async function transact(
  sender: Sender,
  call: Call,
): Promise<{ receipt: TransactionReceipt; contractAddress: unknown }> {
  return awaitBlock(sender, await submit(sender, call, await nextNonce(sender)))
}

/**
 * As `transact`, of calls none of which rests on another: several wait for a block together.
 *
 * @param onInBlock told after each group how many are in a block
 * @throws {OperationError} as `transact`; some may have been sent by then
 */
export async function transactAll(
  sender: Sender,
  calls: readonly Call[],
  onInBlock: (count: number) => void,
): Promise<void> {
  for (let at = 0; at < calls.length; at += WAITING_AT_ONCE) {
    let nonce = await nextNonce(sender)
    const hashes: Hex[] = []
    for (const call of calls.slice(at, at + WAITING_AT_ONCE)) hashes.push(await submit(sender, call, nonce++))
    for (const hash of hashes) await awaitBlock(sender, hash)
    onInBlock(at + hashes.length)
  }
}

const nextNonce = ({ rpc, signer }: Sender) =>
  fetchNonce(rpc, parseBytes(signer.address, 'address', 20), 'pending')

/** @returns the transaction's hash */
async function submit(
  { rpc, signer, maxFeePerGas = DEFAULT_MAX_FEE }: Sender,
  call: Call,
  nonce: bigint,
): Promise<Hex> {
  const from = parseBytes(signer.address, 'address', 20)
  const signed = await signTransaction(signer, {
    ...call,
    chainId: await fetchChainId(rpc),
    nonce,
    gasLimit: await estimateGas(rpc, { from, ...call }, GAS_MARGIN_PERCENT),
    ...(await suggestFees(rpc, maxFeePerGas)),
  })
  await broadcast(rpc, signed)
  return signed.hash
}

async function awaitBlock(
  { rpc, timeoutMs = 120_000 }: Sender,
  hash: Hex,
): Promise<{ receipt: TransactionReceipt; contractAddress: unknown }> {
  const deadline = AbortSignal.timeout(timeoutMs)
  for (let pauseMs = FIRST_PAUSE_MS; !deadline.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const answer = await rpc.call('eth_getTransactionReceipt', [hash])
    const receipt = parseReceipt(answer, hash)
    if (receipt?.succeeded === false) {
      throw new OperationError('CHAIN_FAILED', `transaction ${hash} reverted`, { retryable: false })
    }
    if (receipt !== undefined)
      return { receipt, contractAddress: parseMembers(answer, 'receipt').contractAddress }
    await delay(pauseMs)
  }
  throw new OperationError(
    'CHAIN_FAILED',
    `transaction ${hash} is in no block after ${timeoutMs} ms; it may still arrive, so look for it before you try again`,
  )
}
