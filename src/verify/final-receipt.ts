import type { Hex } from '../bytes/hex.ts'
import { OperationError, VerificationError } from '../errors.ts'
import type { Place } from '../proof/index.ts'
import type { Block, ChainFacts, ReceiptLog, TransactionReceipt } from './chain-facts.ts'

/**
 * The receipt of the transaction that a bundle names, and its block, which is final and the one named.
 *
 * @param finalBlock the highest, asked for before
 * @throws {VerificationError} `NOT_CANONICAL`, or `NOT_ANCHORED` when no such transaction succeeded there
 * @throws {OperationError} when the chain cannot tell, or not yet
 */
export async function finalReceipt(
  place: Place,
  chain: ChainFacts,
  finalBlock: bigint,
): Promise<{ receipt: TransactionReceipt; block: Block }> {
  const receipt = await chain.receipt(place.transactionHash)
  if (receipt === undefined) throw await explainMissing(place, chain, finalBlock)
  // Until the block is final, neither what it holds nor where the transaction lies is settled.
  if (finalBlock < receipt.blockNumber) throw notFinal(receipt.blockNumber, finalBlock)
  if (receipt.blockNumber !== place.blockNumber || receipt.blockHash !== place.blockHash) {
    throw new VerificationError(
      'NOT_CANONICAL',
      `the transaction is in block ${receipt.blockNumber}, ${receipt.blockHash}`,
    )
  }
  const block = await chain.blockByNumber(place.blockNumber)
  if (block?.hash !== receipt.blockHash) {
    throw new OperationError(
      'RPC_MALFORMED',
      "the node's receipt and its block contradict each other; ask another",
    )
  }
  if (!receipt.succeeded) throw new VerificationError('NOT_ANCHORED', 'the transaction was reverted')
  return { receipt, block }
}

/** Why the chain has no receipt of the transaction: a false claim, or a node that lags or has forgotten. */
async function explainMissing(
  place: Place,
  chain: ChainFacts,
  finalBlock: bigint,
): Promise<VerificationError | OperationError> {
  const named = await chain.blockByHash(place.blockHash)
  // What a block holds follows from its hash, whether it is final or not.
  if (named !== undefined && named.number !== place.blockNumber) {
    return new VerificationError(
      'NOT_CANONICAL',
      `the block has number ${named.number}, not ${place.blockNumber}`,
    )
  }
  if (named !== undefined && !named.transactionHashes.includes(place.transactionHash)) {
    return new VerificationError('NOT_ANCHORED', 'the block does not hold the transaction')
  }
  if ((await chain.headBlock()) < place.blockNumber) {
    return new OperationError(
      'RPC_LAGS',
      `the node has not reached block ${place.blockNumber} yet; ask another`,
    )
  }
  const block = await chain.blockByNumber(place.blockNumber)
  if (block === undefined || block.hash === place.blockHash) {
    return new OperationError(
      'RPC_REFUSED',
      `the node no longer has block ${place.blockNumber} whole; ask another`,
    )
  }
  if (finalBlock < place.blockNumber) return notFinal(place.blockNumber, finalBlock)
  return new VerificationError(
    'NOT_CANONICAL',
    `block ${place.blockNumber} of the chain is another than the proof names`,
  )
}

export const notFinal = (number: bigint, finalBlock: bigint) =>
  new OperationError('NOT_FINAL', `block ${number} is not final yet (${finalBlock} is); try again later`)

/** The event of a contract at a place of a final block, and that block. */
export async function eventAt(place: Place, address: Hex, chain: ChainFacts, final: Block) {
  const { receipt, block } = await finalReceipt(place, chain, final.number)
  const log = receipt.logs.find(({ logIndex }) => logIndex === place.logIndex)
  if (log?.address === address) return { log, block }
  throw new VerificationError(
    'NOT_ANCHORED',
    `the transaction has no event ${place.logIndex} of contract ${address}`,
  )
}

type Event = Pick<ReceiptLog, 'topics' | 'data'>

export const sameEvent = (log: Event, expected: Event) =>
  log.data === expected.data && log.topics.join() === expected.topics.join()
