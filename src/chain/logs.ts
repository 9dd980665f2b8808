import type { Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import type { Place } from '../proof/index.ts'
import type { ReceiptLog } from '../verify/chain-facts.ts'
import {
  malformed,
  parseBytes,
  parseIndex,
  parseList,
  parseMembers,
  parseQuantity,
  toQuantity,
} from './answers.ts'
import { type Rpc, RpcRefusal } from './rpc.ts'

/** A log and where it is. */
export interface ChainLog extends ReceiptLog {
  blockNumber: bigint
  blockHash: Hex
  transactionHash: Hex
  transactionIndex: number
}

/** Where a log is, as bundles spell it. */
export const placeOf = ({ blockNumber, blockHash, transactionHash, logIndex }: ChainLog): Place => ({
  blockNumber,
  blockHash,
  transactionHash,
  logIndex,
})

/** As for `eth_getLogs`: one topic or several alternatives for each place, null for any. */
export interface LogFilter {
  /** or one of several */
  address: Hex | readonly Hex[]
  topics: readonly (Hex | readonly Hex[] | null)[]
}

/** Refusals that a smaller range cannot cure: not JSON-RPC, no such method. */
const INCURABLE_CODES = [-32700, -32600, -32601]

/** Successful ranges in a row before a larger one is tried. */
const GROW_AFTER = 4

/** Blocks of the first range: many nodes refuse more, or take so long that nothing is seen to happen. */
const FIRST_SPAN = 10_000n

/**
 * The matching logs of a block range in the order of the chain, a list for each range that the node answers and
 * the last block of it.
 *
 * A refused range is halved, whatever the node's words are: every vendor has its own for "too large". So is one that
 * the node has no answer to in time.
 *
 * @param fromBlock inclusive, as is `toBlock`
 * @throws {OperationError} the node's refusal when it refuses even a single block
 */
export async function* fetchLogs(
  rpc: Rpc,
  filter: LogFilter,
  fromBlock: bigint,
  toBlock: bigint,
): AsyncGenerator<{ logs: ChainLog[]; lastBlock: bigint }> {
  let span = toBlock - fromBlock + 1n
  if (span > FIRST_SPAN) span = FIRST_SPAN
  let answered = 0
  for (let from = fromBlock; from <= toBlock; ) {
    const last = from + span - 1n
    const to = last < toBlock ? last : toBlock
    let answer: unknown
    try {
      answer = await rpc.call('eth_getLogs', [
        { ...filter, fromBlock: toQuantity(from), toBlock: toQuantity(to) },
      ])
    } catch (error) {
      if (!mayFitHalf(error) || to === from) throw error
      span = (to - from + 1n) / 2n
      answered = 0
      continue
    }
    yield { logs: parseLogs(answer, filter, from, to), lastBlock: to }
    from = to + 1n
    if (++answered % GROW_AFTER === 0) span *= 2n
  }
}

/**
 * The matching logs of one block. A node that does not have the block refuses (EIP-234), where one whose logs lag behind
 * its blocks would answer a range with too few.
 */
export async function fetchBlockLogs(
  rpc: Rpc,
  filter: LogFilter,
  { number, hash }: { number: bigint; hash: Hex },
): Promise<ChainLog[]> {
  const logs = parseLogs(
    await rpc.call('eth_getLogs', [{ ...filter, blockHash: hash }]),
    filter,
    number,
    number,
  )
  if (logs.some(({ blockHash }) => blockHash !== hash)) throw malformed('log', 'of the block asked for')
  return logs
}

function mayFitHalf(error: unknown): boolean {
  if (error instanceof RpcRefusal) return !INCURABLE_CODES.includes(error.rpcCode)
  return error instanceof OperationError && Object(error.cause).name === 'TimeoutError'
}

function parseLogs(answer: unknown, filter: LogFilter, from: bigint, to: bigint): ChainLog[] {
  const logs = parseList(answer, 'list of logs').map((value) => {
    const members = parseMembers(value, 'log')
    const log: ChainLog = {
      ...parseLog(members),
      blockNumber: parseQuantity(members.blockNumber, 'block number of a log'),
      blockHash: parseBytes(members.blockHash, 'block hash of a log', 32),
      transactionHash: parseBytes(members.transactionHash, 'transaction hash of a log', 32),
      transactionIndex: parseIndex(members.transactionIndex, 'transaction index of a log'),
    }
    if (members.removed === true || log.blockNumber < from || log.blockNumber > to || !matches(log, filter)) {
      throw malformed('log', 'among those asked for')
    }
    return log
  })
  logs.sort((a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex)
  for (const [i, log] of logs.entries()) {
    const previous = logs[i - 1]
    if (previous?.blockNumber !== log.blockNumber) continue
    if (previous.logIndex === log.logIndex || previous.blockHash !== log.blockHash) {
      throw malformed('list of logs', 'of one chain')
    }
  }
  return logs
}

function matches(log: ReceiptLog, filter: LogFilter): boolean {
  return (
    (typeof filter.address === 'string'
      ? log.address === filter.address
      : filter.address.includes(log.address)) &&
    filter.topics.every((wanted, i) => {
      const topic = log.topics[i]
      if (wanted === null) return true
      return topic !== undefined && (typeof wanted === 'string' ? wanted === topic : wanted.includes(topic))
    })
  )
}

/** The members that logs have in receipts and in answers to `eth_getLogs` alike. */
export function parseLog(members: Record<string, unknown>): ReceiptLog {
  return {
    address: parseBytes(members.address, 'address of a log', 20),
    topics: parseList(members.topics, 'list of topics').map((topic) => parseBytes(topic, 'topic', 32)),
    data: parseBytes(members.data, 'data of a log'),
    logIndex: parseIndex(members.logIndex, 'index of a log'),
  }
}
