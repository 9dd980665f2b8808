import { encodeHeader, type Header, hashHeader } from '../../src/batch/index.ts'
import { concatBytes, utf8 } from '../../src/bytes/bytes.ts'
import { type Hex, toHex } from '../../src/bytes/hex.ts'
import { sha256 } from '../../src/bytes/sha256.ts'
import { GrowingLog } from '../../src/merkle/index.ts'

/** A header where the ledger put it. */
export interface SimulatedEvent {
  index: number
  header: Header
  /** root of the largest perfect subtree that the header completes */
  node: Uint8Array
}

export interface SimulatedBlock {
  number: number
  hash: Hex
  transactions: { hash: Hex; events: SimulatedEvent[] }[]
  /** of the ledger after the block */
  root: Uint8Array
  size: number
}

/** What a node has of the chain: all blocks from the first on. */
export type Branch = readonly SimulatedBlock[]

/** A chain of blocks in memory with one ledger, from which the newest blocks can be taken. */
export class SimulatedChain {
  readonly #log = new GrowingLog()
  #blocks: SimulatedBlock[] = []
  #made = 0
  /** the chain as it was before its newest blocks were last taken away; empty before */
  abandoned: Branch = []
  /** the highest block that ever was */
  highest = -1

  constructor() {
    this.mine([])
  }

  get branch(): Branch {
    return this.#blocks
  }

  get head(): number {
    return this.#blocks.length - 1
  }

  /** Makes one block; each list of headers is a transaction. */
  mine(transactions: readonly (readonly Header[])[]): void {
    const number = this.#blocks.length
    // No two blocks are alike, on whatever branch.
    const seal = (what: string) => toHex(sha256(utf8(`${what} ${number} ${this.#made++}`)))
    this.#blocks.push({
      number,
      hash: seal('block'),
      transactions: transactions.map((headers) => ({
        hash: seal('transaction'),
        events: headers.map((header) => this.#append(header)),
      })),
      root: this.#log.root(),
      size: this.#log.size,
    })
    this.highest = Math.max(this.highest, number)
  }

  /** Takes the newest blocks away, and answers the headers that were in them. */
  takeBack(depth: number): Header[] {
    this.abandoned = [...this.#blocks]
    const gone = this.#blocks.splice(-depth)
    this.#log.truncate(BigInt(this.#blocks.at(-1)?.size ?? 0))
    return gone.flatMap(eventsOf).map(({ header }) => header)
  }

  #append(header: Header): SimulatedEvent {
    const index = this.#log.size
    this.#log.append(hashHeader(header))
    return { index, header, node: lastPeak(this.#log) }
  }
}

export const eventsOf = ({ transactions }: SimulatedBlock): SimulatedEvent[] =>
  transactions.flatMap(({ events }) => events)

/** The events of a branch as the ledger would have made them of these headers. */
export function remake(before: Branch, headers: readonly Header[]): SimulatedEvent[] {
  const log = new GrowingLog()
  for (const { header } of before.flatMap(eventsOf)) log.append(hashHeader(header))
  return headers.map((header) => {
    const index = log.size
    log.append(hashHeader(header))
    return { index, header, node: lastPeak(log) }
  })
}

const lastPeak = (log: GrowingLog): Uint8Array => log.peaks().at(-1) ?? new Uint8Array(32)

/** As `eth_getLogs` gives it. */
export type JsonLog = Record<string, unknown> & { data: string; blockHash: string }

export function toJsonLogs(block: SimulatedBlock, topic: Hex, ledger: Hex): JsonLog[] {
  let logIndex = 0
  return block.transactions.flatMap(({ hash, events }, transactionIndex) =>
    events.map((event) => ({
      address: ledger,
      topics: [topic, word(event.index), `0x${'0'.repeat(24)}${event.header.publisher.slice(2)}`],
      data: toData(event),
      blockNumber: quantity(block.number),
      blockHash: block.hash,
      transactionHash: hash,
      transactionIndex: quantity(transactionIndex),
      logIndex: quantity(logIndex++),
      removed: false,
    })),
  )
}

export const toData = ({ header, node }: SimulatedEvent): Hex =>
  toHex(concatBytes(encodeHeader(header), node))

export const quantity = (value: number): Hex => `0x${value.toString(16)}`

export const word = (value: number): Hex => `0x${value.toString(16).padStart(64, '0')}`
