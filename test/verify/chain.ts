import { APPENDED_TOPIC, encodeHeader, type Header, hashHeader } from '../../src/batch/index.ts'
import { concatBytes, utf8 } from '../../src/bytes/bytes.ts'
import { fromHex, type Hex, toHex } from '../../src/bytes/hex.ts'
import { sha256 } from '../../src/bytes/sha256.ts'
import { GrowingLog } from '../../src/merkle/index.ts'
import type { Block, ChainFacts, ReceiptLog, TransactionReceipt } from '../../src/verify/index.ts'

/** A small chain as JSON: everything that a verifier can ask of it. Also the form of the vectors. */
export interface ChainData {
  chainId: string
  headBlock: string
  finalBlock: string
  blocks: { number: string; hash: Hex; timestamp: string; transactionHashes: Hex[] }[]
  receipts: {
    transactionHash: Hex
    blockNumber: string
    blockHash: Hex
    succeeded: boolean
    logs: ReceiptLog[]
  }[]
  ledgerRoots: { ledger: Hex; size: string; root: Hex }[]
}

/** Answers out of a chain's data; what is not in it does not exist. */
export function factsOf(data: ChainData): ChainFacts {
  const block = (found: ChainData['blocks'][number] | undefined): Block | undefined =>
    found && { ...found, number: BigInt(found.number), timestamp: BigInt(found.timestamp) }
  return {
    chainId: async () => BigInt(data.chainId),
    headBlock: async () => BigInt(data.headBlock),
    finalBlock: async () => BigInt(data.finalBlock),
    blockByNumber: async (number) => block(data.blocks.find((held) => held.number === String(number))),
    blockByHash: async (hash) => block(data.blocks.find((held) => held.hash === hash)),
    receipt: async (hash): Promise<TransactionReceipt | undefined> => {
      const found = data.receipts.find(({ transactionHash }) => transactionHash === hash)
      return found && { ...found, blockNumber: BigInt(found.blockNumber) }
    },
    ledgerRoot: async (ledger, size) => {
      const found = data.ledgerRoots.find((held) => held.ledger === ledger && held.size === String(size))
      return found && fromHex(found.root)
    },
  }
}

/** Where a header ended up. */
export interface Place {
  index: bigint
  /** headers in the ledger when the transaction ended */
  size: bigint
  blockNumber: bigint
  blockHash: Hex
  transactionHash: Hex
  logIndex: number
}

export const CHAIN_ID = 31337n
export const LEDGER: Hex = `0x${'1e'.repeat(20)}`
const STRANGER: Hex = `0x${'57'.repeat(20)}`
const ROLE_GRANTED: Hex = '0x2f8788117e7eff1d82e926ec794901d17c78024a50270940304540a733656f0d'

/**
 * Mines a chain whose ledger holds the headers.
 *
 * @param blocks the transactions of each block, the headers that each appends
 */
export function mine(blocks: readonly (readonly (readonly Header[])[])[]): {
  data: ChainData
  log: GrowingLog
  places: Place[]
} {
  const log = new GrowingLog()
  const places: Place[] = []
  const genesis = { number: '0', hash: hashOf('block 0'), timestamp: '1790000000', transactionHashes: [] }
  const data: ChainData = {
    chainId: String(CHAIN_ID),
    headBlock: String(blocks.length + 2),
    finalBlock: String(blocks.length),
    blocks: [genesis],
    receipts: [],
    ledgerRoots: [{ ledger: LEDGER, size: '0', root: toHex(log.root()) }],
  }
  const mineBlock = (transactions: readonly (readonly Header[])[]) => {
    const number = String(data.blocks.length)
    const hash = hashOf(`block ${number}`)
    const timestamp = String(1_790_000_000 + 12 * data.blocks.length)
    const transactionHashes = transactions.map((_, i) => hashOf(`transaction ${number}.${i}`))
    data.blocks.push({ number, hash, timestamp, transactionHashes })
    let logIndex = 0
    transactions.forEach((headers, i) => {
      const transactionHash = transactionHashes[i] ?? hash
      // Every transaction starts with an event of another contract and another event of the ledger.
      const logs: ReceiptLog[] = [
        { address: STRANGER, topics: [APPENDED_TOPIC], data: '0x', logIndex: logIndex++ },
        { address: LEDGER, topics: [ROLE_GRANTED], data: '0x', logIndex: logIndex++ },
      ]
      const size = BigInt(log.size + headers.length)
      for (const header of headers) {
        const index = BigInt(log.size)
        log.append(hashHeader(header))
        places.push({ index, size, blockNumber: BigInt(number), blockHash: hash, transactionHash, logIndex })
        const node = log.peaks().at(-1) ?? new Uint8Array(32)
        logs.push({ address: LEDGER, ...encodeAppended(index, header, node), logIndex: logIndex++ })
        data.ledgerRoots.push({ ledger: LEDGER, size: String(log.size), root: toHex(log.root()) })
      }
      data.receipts.push({ transactionHash, blockNumber: number, blockHash: hash, succeeded: true, logs })
    })
  }
  for (const transactions of blocks) mineBlock(transactions)
  mineBlock([])
  mineBlock([])
  return { data, log, places }
}

/** The event as the ledger writes it (contracts/interfaces/ILedger.sol). */
export function encodeAppended(index: bigint, header: Header, node: Uint8Array) {
  const word = (hex: string): Hex => `0x${hex.padStart(64, '0')}`
  return {
    topics: [APPENDED_TOPIC, word(index.toString(16)), word(header.publisher.slice(2))],
    data: toHex(concatBytes(encodeHeader(header), node)),
  }
}

const hashOf = (text: string): Hex => toHex(sha256(utf8(text)))
