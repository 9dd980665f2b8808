import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { APPENDED_TOPIC } from '../../src/batch/appended.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import { ledgerInterface } from '../../src/chain/ledger-abi.ts'
import {
  type Branch,
  eventsOf,
  type JsonLog,
  quantity,
  remake,
  type SimulatedBlock,
  type SimulatedChain,
  toData,
  toJsonLogs,
  word,
} from './chain.ts'

/**
 * How a node answers badly.
 *
 * It lags, wholly or with its logs only, or is on a branch that is gone; a single answer of it is false; or it refuses.
 */
export const NODE_FAULTS = [
  'node lags',
  'node is on another branch',
  'newest logs missing',
  'block missing',
  'block with another hash',
  'head too high',
  'finalized block of nowhere',
  'log left out',
  'log altered',
  'log forged',
  'log with another block hash',
  'log with another transaction',
  'log said to be removed',
  'log twice',
  'logs of another branch',
  'state of the ledger false',
  'range too large',
  'too many requests',
  'server error',
  'no JSON',
  'connection cut',
  'no answer in time',
] as const
type NodeFaultKind = (typeof NODE_FAULTS)[number]

export interface NodeFault {
  kind: NodeFaultKind
  /** answers that it spoils */
  times: number
  /** whether it leaves out every other call, as behind a load balancer */
  mixed: boolean
  /** decides which, or by how much */
  dice: number
}

interface Call {
  id: unknown
  method: string
  params: unknown[]
}

/** What goes back: a result, a refusal, or nothing that the caller could read. */
type Answer =
  | { result: unknown }
  | { error: { code: number; message: string } }
  | { status: number }
  | 'garbage'
  | 'cut'
  | 'silence'

export interface NodeParts {
  chain: SimulatedChain
  chainId: number
  ledger: Hex
  deploymentBlock: number
  /** blocks from the head down to the newest final one, that one included */
  confirmations: number
  /** told of every fault that spoilt an answer */
  onFault: (kind: NodeFaultKind) => void
}

/** A node's JSON-RPC over HTTP. */
export interface SimulatedNode {
  url: string
  /** Adds a fault to those that are there. */
  arm(fault: NodeFault): void
  /** Ends all faults. */
  heal(): void
  isSpent(): boolean
  /** answered so far */
  calls(): number
  close(): Promise<void>
}

export async function startNode(parts: NodeParts): Promise<SimulatedNode> {
  let faults: NodeFault[] = []
  let calls = 0

  function answer(call: Call): Answer {
    calls++
    for (const fault of faults) {
      if (fault.times === 0 || (fault.mixed && calls % 2 === 0)) continue
      const spoilt = spoil(call, fault, parts)
      if (spoilt === undefined) continue
      fault.times--
      parts.onFault(fault.kind)
      return spoilt
    }
    return honest(call, parts.chain.branch, parts)
  }

  const server = createServer(async (request, response) => {
    try {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const call: Call = JSON.parse(Buffer.concat(chunks).toString('utf8'))
      const given = answer(call)
      if (given === 'silence') return
      if (given === 'cut') return void request.socket.destroy()
      if (given === 'garbage') return void response.end('<html>')
      if ('status' in given) return void response.writeHead(given.status).end()
      response.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, ...given }))
    } catch {
      // The indexer was ended: nobody waits for this answer.
      request.socket.destroy()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arm: (fault) => void faults.push({ ...fault }),
    heal: () => {
      faults = []
    },
    isSpent: () => faults.every(({ times }) => times === 0),
    calls: () => calls,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What a node says that has this branch. */
function honest({ method, params }: Call, branch: Branch, parts: NodeParts): Exclude<Answer, string> {
  const [first, second] = params
  const head = branch.length - 1
  switch (method) {
    case 'eth_chainId':
      return { result: quantity(parts.chainId) }
    case 'eth_blockNumber':
      return { result: quantity(head) }
    case 'eth_getBlockByNumber': {
      const final = Math.max(0, head - parts.confirmations + 1)
      const number = first === 'latest' ? head : first === 'finalized' ? final : Number(first)
      return { result: toJsonBlock(branch[number]) }
    }
    case 'eth_getLogs': {
      const { fromBlock, toBlock } = Object(first)
      const found = branch.slice(Number(fromBlock), Number(toBlock) + 1)
      return { result: found.flatMap((block) => toJsonLogs(block, APPENDED_TOPIC, parts.ledger)) }
    }
    case 'eth_call': {
      const { blockHash } = Object(second)
      const at = second === 'latest' ? branch.at(-1) : branch.find(({ hash }) => hash === blockHash)
      if (at === undefined) return { error: { code: -32001, message: 'header not found' } }
      return { result: stateOf(Object(first).data, at, parts) }
    }
    default:
      return { error: { code: -32601, message: `no method ${method}` } }
  }
}

function stateOf(data: string, { size, root }: SimulatedBlock, { deploymentBlock }: NodeParts): string {
  const called = ledgerInterface.parseTransaction({ data })?.name ?? ''
  const values: Record<string, unknown> = { size, root, deploymentBlock }
  return ledgerInterface.encodeFunctionResult(called, [values[called]])
}

const toJsonBlock = (block: SimulatedBlock | undefined) =>
  block === undefined
    ? null
    : {
        number: quantity(block.number),
        hash: block.hash,
        timestamp: quantity(1_790_000_000 + block.number),
        transactions: block.transactions.map(({ hash }) => hash),
      }

/** The call's answer with this fault; undefined when it does not concern this call. */
function spoil(call: Call, { kind, dice }: NodeFault, parts: NodeParts): Answer | undefined {
  const { chain } = parts
  const truth = honest(call, chain.branch, parts)
  const result: unknown = 'result' in truth ? truth.result : undefined
  const { method, params } = call
  switch (kind) {
    case 'node lags':
      return honest(call, chain.branch.slice(0, Math.max(1, chain.branch.length - 1 - (dice % 8))), parts)
    case 'node is on another branch':
      return chain.abandoned.length > 0 ? honest(call, chain.abandoned, parts) : undefined
    case 'too many requests':
      return { status: 429 }
    case 'server error':
      return { status: 503 }
    case 'no JSON':
      return 'garbage'
    case 'connection cut':
      return 'cut'
    case 'no answer in time':
      return 'silence'
    case 'head too high':
      return method === 'eth_blockNumber' ? { result: quantity(chain.head + 1 + (dice % 2_000)) } : undefined
    case 'state of the ledger false': {
      const at = chain.branch[dice % chain.branch.length]
      const answer =
        at && method === 'eth_call' ? { result: stateOf(Object(params[0]).data, at, parts) } : truth
      return isSame(answer, truth) ? undefined : answer
    }
    case 'range too large': {
      const { fromBlock, toBlock } = Object(params[0])
      if (method !== 'eth_getLogs' || Number(toBlock) - Number(fromBlock) < 1 + (dice % 3)) return undefined
      return { error: { code: -32005, message: 'query returned more than 10000 results' } }
    }
    case 'block missing':
      return method === 'eth_getBlockByNumber' ? { result: null } : undefined
    case 'block with another hash':
    case 'finalized block of nowhere': {
      const isFinal = params[0] === 'finalized'
      if (method !== 'eth_getBlockByNumber' || isFinal !== (kind === 'finalized block of nowhere'))
        return undefined
      const block = Object(result)
      const number = isFinal ? quantity(chain.head + (dice % 100)) : block.number
      return { result: { ...block, number, hash: word(dice + 1) } }
    }
    default: {
      if (method !== 'eth_getLogs') return undefined
      const range: [number, number] = [Number(Object(params[0]).fromBlock), Number(Object(params[0]).toBlock)]
      const logs = spoilLogs(result as JsonLog[], kind, dice, range, parts)
      return logs === undefined || isSame(logs, result) ? undefined : { result: logs }
    }
  }
}

/** @param range first and last block asked for */
function spoilLogs(
  logs: readonly JsonLog[],
  kind: NodeFaultKind,
  dice: number,
  [from, to]: [number, number],
  { chain, ledger }: NodeParts,
): JsonLog[] | undefined {
  if (kind === 'logs of another branch') {
    const other = chain.abandoned.slice(from, to + 1)
    return other.length === 0
      ? undefined
      : other.flatMap((block) => toJsonLogs(block, APPENDED_TOPIC, ledger))
  }
  const chosen = dice % Math.max(1, logs.length)
  const log = logs[chosen]
  if (log === undefined) return undefined
  switch (kind) {
    case 'newest logs missing':
      return logs.filter(({ blockNumber }) => blockNumber !== logs.at(-1)?.blockNumber)
    case 'log left out':
      return logs.toSpliced(chosen, 1)
    case 'log altered': {
      const digit = 2 + 64 + (dice % 448)
      const other = log.data[digit] === '0' ? '1' : '0'
      return logs.with(chosen, { ...log, data: log.data.slice(0, digit) + other + log.data.slice(digit + 1) })
    }
    case 'log forged': {
      // As if the publisher had said something else, and the ledger had hashed that.
      const headers = chain.branch.slice(from, to + 1).flatMap(eventsOf)
      const forged = headers.map(({ header }, i) =>
        i === chosen ? { ...header, lastTime: header.lastTime + 1n } : header,
      )
      const events = remake(chain.branch.slice(0, from), forged)
      return logs.map((one, i) => ({ ...one, data: toData(events[i] as (typeof events)[number]) })) // one each
    }
    case 'log with another block hash':
      return logs.map((one) =>
        one.blockNumber === log.blockNumber ? { ...one, blockHash: word(dice + 1) } : one,
      )
    case 'log with another transaction':
      return logs.with(chosen, { ...log, transactionHash: word(dice + 1) })
    case 'log said to be removed':
      return logs.with(chosen, { ...log, removed: true })
    case 'log twice':
      return logs.toSpliced(chosen, 0, log)
    default:
      throw new Error(`${kind} is no fault of logs`)
  }
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
