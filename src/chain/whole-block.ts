import { keccak_256 } from '@noble/hashes/sha3.js'
import { fromHex, type Hex, toHex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import {
  type Members,
  malformed,
  parseBytes,
  parseIndex,
  parseList,
  parseMembers,
  parseQuantity,
} from './answers.ts'
import { encodeBlockHeader, encodeReceipt, encodeTransaction } from './block-encoding.ts'
import { type Rpc, RpcRefusal } from './rpc.ts'

/** A block's header, and what it says. */
export interface BlockHeader {
  number: bigint
  hash: Hex
  /** 32 bytes each */
  stateRoot: Hex
  transactionsRoot: Hex
  receiptsRoot: Hex
  /** RLP; hashes to the block's hash */
  header: Uint8Array
}

/** A block and all that it holds, each as the block's hash commits to it. */
export interface WholeBlock extends BlockHeader {
  /** in their order; each hashes to its `hash` */
  transactions: { hash: Hex; encoded: Uint8Array }[]
  receipts: WholeReceipt[]
}

interface WholeReceipt {
  encoded: Uint8Array
  logCount: number
}

/** @throws {OperationError} as `fetchWholeBlock` */
export const fetchHeader = async (rpc: Rpc, hash: Hex): Promise<BlockHeader> =>
  readHeader(await fetchBlock(rpc, hash, false), hash)

/**
 * A block with all its transactions and receipts, encoded from a node's answers.
 *
 * @throws {OperationError} `RPC_LAGS` when the node does not have the block; `RPC_MALFORMED` when what it says does not
 *   hash to what it says it does: it is wrong, or its chain encodes blocks in a way that is not known here
 */
export async function fetchWholeBlock(rpc: Rpc, hash: Hex): Promise<WholeBlock> {
  const block = await fetchBlock(rpc, hash, true)
  const header = readHeader(block, hash)
  const transactions: WholeBlock['transactions'] = []
  for (const value of parseList(block.transactions, 'list of transactions')) {
    transactions.push(await readTransaction(rpc, parseMembers(value, 'transaction')))
  }
  const hashes = transactions.map((transaction) => transaction.hash)
  return { ...header, transactions, receipts: await fetchReceipts(rpc, hash, hashes) }
}

async function fetchBlock(rpc: Rpc, hash: Hex, whole: boolean): Promise<Members> {
  const answer = await rpc.call('eth_getBlockByHash', [hash, whole])
  if (answer === null) throw new OperationError('RPC_LAGS', `the node does not have block ${hash}`)
  return parseMembers(answer, 'block')
}

function readHeader(block: Members, hash: Hex): BlockHeader {
  const header = encodeBlockHeader(block)
  expectHash(header, hash, `header of block ${hash}`)
  return {
    number: parseQuantity(block.number, 'block number'),
    hash,
    stateRoot: parseBytes(block.stateRoot, 'state root', 32),
    transactionsRoot: parseBytes(block.transactionsRoot, 'root of transactions', 32),
    receiptsRoot: parseBytes(block.receiptsRoot, 'root of receipts', 32),
    header,
  }
}

/** Of a type that is not known here, the node is asked for the bytes. */
async function readTransaction(rpc: Rpc, members: Members): Promise<WholeBlock['transactions'][number]> {
  const hash = parseBytes(members.hash, 'transaction hash', 32)
  const encoded =
    encodeTransaction(members) ??
    fromHex(parseBytes(await rpc.call('eth_getRawTransactionByHash', [hash]), `transaction ${hash}`))
  expectHash(encoded, hash, `transaction ${hash}`)
  return { hash, encoded }
}

async function fetchReceipts(rpc: Rpc, blockHash: Hex, hashes: readonly Hex[]): Promise<WholeReceipt[]> {
  const receipts = parseList(await askForReceipts(rpc, blockHash, hashes), 'list of receipts').map((value) =>
    parseMembers(value, 'receipt'),
  )
  const inOrder = receipts
    .map((receipt) => ({ receipt, index: parseIndex(receipt.transactionIndex, 'transaction index') }))
    .sort((a, b) => a.index - b.index)
  const named = inOrder.map(({ receipt }) => parseBytes(receipt.transactionHash, 'transaction hash', 32))
  if (named.join() !== hashes.join()) throw malformed('list of receipts', `that of block ${blockHash}`)
  return inOrder.map(({ receipt }) => ({
    encoded: encodeReceipt(receipt),
    logCount: parseList(receipt.logs, 'list of logs').length,
  }))
}

/** Not every node gives all receipts of a block at once. */
async function askForReceipts(rpc: Rpc, blockHash: Hex, hashes: readonly Hex[]): Promise<unknown> {
  try {
    return await rpc.call('eth_getBlockReceipts', [blockHash])
  } catch (error) {
    if (!(error instanceof RpcRefusal)) throw error
  }
  const receipts: unknown[] = []
  for (const hash of hashes) receipts.push(await rpc.call('eth_getTransactionReceipt', [hash]))
  return receipts
}

function expectHash(encoded: Uint8Array, hash: Hex, what: string): void {
  if (toHex(keccak_256(encoded)) !== hash) {
    throw malformed(what, 'what its hash says, or is of a kind that is not known here')
  }
}
