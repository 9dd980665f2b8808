import { APPENDED_TOPIC, type Appended, decodeAppended } from '../batch/appended.ts'
import { fromHex, type Hex, isHex } from '../bytes/hex.ts'
import { addressWord } from '../bytes/typed-data.ts'
import { OperationError, VerificationError } from '../errors.ts'
import { malformed } from './answers.ts'
import { type BlockReference, contractReader, uintOf } from './contract.ts'
import { type ChainLog, fetchLogs } from './logs.ts'
import type { Rpc } from './rpc.ts'

/** Which ledger: a contract on a chain, and the block where its history begins. */
export interface LedgerIdentity {
  chainId: bigint
  /** 20 bytes */
  ledger: Hex
  deploymentBlock: bigint
}

export type PublisherStatus = 'none' | 'active' | 'suspended'

interface Publisher {
  /** the sequence that its next header must have */
  nextSequence: bigint
  status: PublisherStatus
}

/** Typed reads of a ledger contract. Every one of them throws `OperationError` when it cannot answer. */
export interface Ledger {
  readonly address: Hex
  size(at?: BlockReference): Promise<bigint>
  /** 32 bytes */
  root(at?: BlockReference): Promise<Uint8Array>
  /** largest first, 32 bytes each */
  peaks(at?: BlockReference): Promise<Uint8Array[]>
  publisher(account: Hex, at?: BlockReference): Promise<Publisher>
  deploymentBlock(): Promise<bigint>
}

const STATUSES: readonly PublisherStatus[] = ['none', 'active', 'suspended']

export function createLedger(rpc: Rpc, address: Hex): Ledger {
  const read = contractReader(rpc, address, 'ledger')
  return {
    address,
    size: async (at) => uintOf((await read('size()', [], 1, at))[0], 64),
    deploymentBlock: async () => uintOf((await read('deploymentBlock()', [], 1))[0], 64),
    root: async (at) => hashOf((await read('root()', [], 1, at))[0]),
    peaks: async (at) => {
      // An offset, a length, and as many words.
      const [, length, ...peaks] = await read('peaks()', [], 2, at)
      if (uintOf(length, 64) !== BigInt(peaks.length)) throw malformed('answer to peaks()', 'a list')
      return peaks.map(hashOf)
    },
    publisher: async (account, at) => {
      const [nextSequence, code] = await read('publisher(address)', [addressWord(account)], 2, at)
      const status = STATUSES[Number(uintOf(code, 8))]
      if (status === undefined) throw malformed('answer to publisher()', "a publisher's")
      return { nextSequence: uintOf(nextSequence, 64), status }
    },
  }
}

function hashOf(word: Hex | undefined): Uint8Array {
  if (!isHex(word, 32)) throw malformed("ledger's hash", '32 bytes')
  return fromHex(word)
}

/** An `Appended` event and where it is. */
export interface AppendedLog {
  appended: Appended
  blockNumber: bigint
  blockHash: Hex
  transactionHash: Hex
  transactionIndex: number
  /** counts within the block */
  logIndex: number
}

/** A stretch of blocks that was read. */
export interface AppendedRange {
  found: AppendedLog[]
  lastBlock: bigint
}

/**
 * The headers that a ledger announced in a block range, in the order of the chain, as far as the node gives them at once.
 *
 * @param fromBlock inclusive, as is `toBlock`
 * @throws {OperationError} `RPC_MALFORMED` if a log is not one that a ledger can emit
 */
export async function* fetchAppended(
  rpc: Rpc,
  ledger: Hex,
  fromBlock: bigint,
  toBlock: bigint,
): AsyncGenerator<AppendedRange> {
  const filter = { address: ledger, topics: [APPENDED_TOPIC] }
  let next: bigint | undefined
  for await (const { logs, lastBlock } of fetchLogs(rpc, filter, fromBlock, toBlock)) {
    const found = logs.map(parseAppended)
    for (const { appended } of found) {
      if (next !== undefined && appended.index !== next) {
        throw malformed('list of Appended events', 'without gaps')
      }
      next = appended.index + 1n
    }
    yield { found, lastBlock }
  }
}

/** @throws {OperationError} `RPC_MALFORMED` */
export function parseAppended(log: ChainLog): AppendedLog {
  const { blockNumber, blockHash, transactionHash, transactionIndex, logIndex } = log
  try {
    const appended = decodeAppended(log.topics, log.data)
    if (appended === undefined) throw malformed('log', 'an Appended event')
    return { appended, blockNumber, blockHash, transactionHash, transactionIndex, logIndex }
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    throw new OperationError(
      'RPC_MALFORMED',
      `the node's log ${logIndex} of block ${blockNumber}: ${cause.message}`,
      {
        cause,
      },
    )
  }
}
