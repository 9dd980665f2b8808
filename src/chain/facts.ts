import { APPENDED_TOPIC } from '../batch/appended.ts'
import type { Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { peakHeights, rootFromPeaks } from '../merkle/index.ts'
import type { Block, ChainFacts, TransactionReceipt } from '../verify/chain-facts.ts'
import { malformed, parseBytes, parseList, parseMembers, parseQuantity, toQuantity } from './answers.ts'
import { createLedger, parseAppended } from './ledger.ts'
import { fetchLogs, parseLog } from './logs.ts'
import { type Rpc, RpcRefusal } from './rpc.ts'

/**
 * When a block counts as final.
 *
 * - `tag`: at or below the chain's own `finalized` block
 * - `depth`: with this many confirmations; one is mined, two has a block on top
 * - `durable`: at or below a block that someone vouches for: the embedded chain's `durableBlock`
 */
export type Finality =
  | { kind: 'tag' }
  | { kind: 'depth'; confirmations: number }
  | { kind: 'durable'; durableBlock: () => bigint }

/** Answers a verifier's questions through a node's JSON-RPC, checking the shape of everything that comes back. */
export function chainFacts(rpc: Rpc, { finality }: { finality: Finality }): ChainFacts {
  const headBlock = async () => parseQuantity(await rpc.call('eth_blockNumber', []), 'block number')

  async function blockByNumber(number: bigint): Promise<Block | undefined> {
    const answer = await rpc.call('eth_getBlockByNumber', [toQuantity(number), false])
    if (answer === null) return undefined
    const block = parseBlock(answer)
    if (block.number !== number) throw malformed('block', `number ${number}`)
    return block
  }

  async function finalBlock(head?: bigint): Promise<bigint> {
    if (finality.kind === 'durable') return finality.durableBlock()
    if (finality.kind === 'depth') {
      const final = (head ?? (await headBlock())) - BigInt(finality.confirmations - 1)
      return final > 0n ? final : 0n
    }
    const answer = await rpc.call('eth_getBlockByNumber', ['finalized', false]).catch(refusedAsNone)
    if (answer === null) {
      throw new OperationError(
        'NOT_FINAL',
        'the chain has no finalized block yet; if it never has one, give a number of confirmations (--finality)',
      )
    }
    const final = parseBlock(answer)
    // What is called final once is never doubted again, so a block of nowhere must not be.
    if ((await blockByNumber(final.number))?.hash !== final.hash) {
      throw new OperationError('RPC_LAGS', `the node calls block ${final.number} final and does not have it`)
    }
    return final.number
  }

  return {
    chainId: () => fetchChainId(rpc),
    headBlock,
    finalBlock,
    blockByNumber,
    async blockByHash(hash) {
      const answer = await rpc.call('eth_getBlockByHash', [hash, false])
      if (answer === null) return undefined
      const block = parseBlock(answer)
      if (block.hash !== hash) throw malformed('block', hash)
      return block
    },
    async receipt(transactionHash) {
      return parseReceipt(await rpc.call('eth_getTransactionReceipt', [transactionHash]), transactionHash)
    },
    ledgerRoot: (ledger, size) => fetchLedgerRoot(rpc, ledger, size),
  }
}

/** Some nodes refuse to name a finalized block where others answer that there is none. */
function refusedAsNone(error: unknown): null {
  if (error instanceof RpcRefusal && !error.retryable) return null
  throw error
}

export async function fetchChainId(rpc: Rpc): Promise<bigint> {
  return parseQuantity(await rpc.call('eth_chainId', []), 'chain id')
}

/** @throws {OperationError} `RPC_MALFORMED` */
function parseBlock(value: unknown): Block {
  const block = parseMembers(value, 'block')
  return {
    number: parseQuantity(block.number, 'block number'),
    hash: parseBytes(block.hash, 'block hash', 32),
    timestamp: parseQuantity(block.timestamp, 'block timestamp'),
    transactionHashes: parseList(block.transactions, 'list of transactions').map((hash) =>
      parseBytes(hash, 'transaction hash', 32),
    ),
  }
}

/** A block that says which one is before it. */
export interface LinkedBlock extends Block {
  parentHash: Hex
}

/** @returns undefined when the node has no such block */
export async function fetchLinkedBlock(rpc: Rpc, number: bigint): Promise<LinkedBlock | undefined> {
  const answer = await rpc.call('eth_getBlockByNumber', [toQuantity(number), false])
  if (answer === null) return undefined
  const block = parseBlock(answer)
  if (block.number !== number) throw malformed('block', `number ${number}`)
  return { ...block, parentHash: parseBytes(parseMembers(answer, 'block').parentHash, 'parent hash', 32) }
}

/** @returns undefined when the transaction is not in a block */
export function parseReceipt(value: unknown, transactionHash: Hex): TransactionReceipt | undefined {
  if (value === null) return undefined
  const receipt = parseMembers(value, 'receipt')
  if (receipt.blockHash === null) return undefined
  if (parseBytes(receipt.transactionHash, 'transaction hash of a receipt', 32) !== transactionHash) {
    throw malformed('receipt', `that of ${transactionHash}`)
  }
  const status = parseQuantity(receipt.status, 'status of a receipt')
  if (status > 1n) throw malformed('status of a receipt', '0 or 1')
  return {
    blockNumber: parseQuantity(receipt.blockNumber, 'block number of a receipt'),
    blockHash: parseBytes(receipt.blockHash, 'block hash of a receipt', 32),
    succeeded: status === 1n,
    logs: parseList(receipt.logs, 'list of logs').map((log) => parseLog(parseMembers(log, 'log'))),
  }
}

export async function fetchLatestBlock(rpc: Rpc): Promise<Block> {
  return parseBlock(await rpc.call('eth_getBlockByNumber', ['latest', false]))
}

/**
 * The root of the ledger's log when it had `size` headers; undefined while it has fewer.
 *
 * Size and root are read at one and the same block. An earlier root is joined from its peaks, each being the `node`
 * of the event of the last header below it (contracts/interfaces/ILedger.sol, `Appended`).
 *
 * @returns 32 bytes
 * @throws {OperationError} also when the node does not give every event needed
 */
async function fetchLedgerRoot(rpc: Rpc, address: Hex, size: bigint): Promise<Uint8Array | undefined> {
  const ledger = createLedger(rpc, address)
  const head = await fetchLatestBlock(rpc)
  const at = { blockHash: head.hash }
  const current = await ledger.size(at)
  if (current < size) return undefined
  if (current === size) return ledger.root(at)

  let end = 0n
  const wanted = peakHeights(size).map((height) => {
    end += 1n << BigInt(height)
    return end - 1n
  })
  const nodes = new Map<bigint, Uint8Array>()
  const topics = [APPENDED_TOPIC, wanted.map(toTopic)]
  if (wanted.length > 0) {
    for await (const { logs } of fetchLogs(
      rpc,
      { address, topics },
      await ledger.deploymentBlock(),
      head.number,
    )) {
      for (const { appended } of logs.map(parseAppended)) {
        if (nodes.has(appended.index)) throw malformed('list of Appended events', 'free of repetitions')
        nodes.set(appended.index, appended.node)
      }
      if (nodes.size === wanted.length) break
    }
  }
  const peaks = wanted.map((index) => {
    const node = nodes.get(index)
    if (node === undefined) {
      throw new OperationError(
        'RPC_MALFORMED',
        `the ledger holds ${current} headers, but the node has no Appended event of header ${index}`,
      )
    }
    return node
  })
  return rootFromPeaks(peaks)
}

const toTopic = (index: bigint): Hex => `0x${index.toString(16).padStart(64, '0')}`
