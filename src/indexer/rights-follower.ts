import type { Hex } from '../bytes/hex.ts'
import type { RightsIdentity } from '../chain/deploy.ts'
import { fetchLinkedBlock } from '../chain/facts.ts'
import { type ChainLog, fetchBlockLogs, fetchLogs } from '../chain/logs.ts'
import { decodeRightsEvent } from '../chain/rights-events.ts'
import type { Rpc } from '../chain/rpc.ts'
import { OperationError } from '../errors.ts'
import type { RightsBlock, RightsLogEntry } from '../store/rights-log.ts'
import type { Block, ChainFacts } from '../verify/index.ts'
import { keyOf } from './registry-history.ts'
import type { Rights } from './rights.ts'
import { expectAsContracts } from './rights-check.ts'

interface RightsFollowerParts {
  rpc: Rpc
  chain: ChainFacts
  identity: RightsIdentity
  rights: Rights
  /** the highest block that is known to be final */
  finalBlock: () => bigint
  /** see `Follower` */
  mayLag: boolean
  /** milliseconds since 1970 */
  now: () => number
}

/** The newest blocks, which are asked for one by one: the logs of a range may lag behind them. */
const NEAR_BLOCKS = 64n
const BLOCKS_AT_ONCE = 16
/** A single answer may be the one that is false. */
const MOST_MISFITS = 2

/**
 * Follows the events of the registry and of the authorisations, and takes back what a reorg takes back.
 *
 * Near the head each block is asked for its logs by its hash, and follows on the one before by its parent's hash; what its events
 * say is what the contracts have there. Further back a range is asked, and each event must be in the block and the
 * transaction that it names.
 */
export class RightsFollower {
  readonly #parts: RightsFollowerParts
  #currentAt: number
  /** how often in a row the events did not give what the contracts have */
  #misfits = 0

  constructor(parts: RightsFollowerParts) {
    this.#parts = parts
    this.#currentAt = parts.now()
  }

  /** When everything up to the chain's head was last known, or this began; milliseconds since 1970. */
  get currentAt(): number {
    return this.#currentAt
  }

  /**
   * Brings the rights up to the chain's head. Call it again and again, one call at a time.
   *
   * @throws {OperationError} when the chain cannot tell, or contradicts what was final; what was known stays
   */
  async step(): Promise<void> {
    const { chain, now, rights } = this.#parts
    const head = await chain.blockByNumber(await chain.headBlock())
    if (head === undefined)
      throw new OperationError('RPC_LAGS', 'the node took its head back while it was asked')
    if (await this.#unwind(head)) return
    const near = head.number - NEAR_BLOCKS + 1n
    if (this.#next() < near) await this.#scanRange(near - 1n)
    while (this.#next() <= head.number) await this.#scanBlocks(head.number)
    if ((rights.cursor?.block.number ?? -1n) >= head.number) this.#currentAt = now()
  }

  #next(): bigint {
    const { rights, identity } = this.#parts
    return (rights.cursor?.block.number ?? identity.deploymentBlock - 1n) + 1n
  }

  /** Takes back what is in blocks that the chain no longer has. Answers whether the node merely lags. */
  async #unwind(head: Block): Promise<boolean> {
    const { chain, rights, mayLag, identity } = this.#parts
    const { cursor } = rights
    if (cursor === undefined) return false
    const { block: last, finalBlock } = cursor
    if (mayLag && head.number < last.number) return true
    const there = await chain.blockByNumber(last.number)
    if (there?.hash === last.hash) return false
    // Behind one address may be several nodes, and a block below the head that is not there at all is no other block.
    if (there === undefined && mayLag) return true
    let kept = rights.blockBefore(last.number)
    while (kept !== undefined) {
      const block = await chain.blockByNumber(kept.number)
      if (block === undefined && mayLag) return true
      if (block?.hash === kept.hash) break
      if (kept.number <= finalBlock) throw contradicts(kept)
      kept = rights.blockBefore(kept.number)
    }
    // What is final need not be read again, even where nothing was announced.
    const settled = lowest(finalBlock, last.number - 1n, head.number)
    if (settled > (kept?.number ?? identity.deploymentBlock - 1n)) {
      const block = await chain.blockByNumber(settled)
      if (block === undefined) throw noBlock(settled)
      kept = toRightsBlock(block)
    }
    rights.takeBackTo(kept && { block: kept, finalBlock })
    return false
  }

  /** Reads on in ranges up to a block that is well below the head. */
  async #scanRange(to: bigint): Promise<void> {
    const { rpc, chain } = this.#parts
    for await (const { logs, lastBlock } of fetchLogs(rpc, this.#filter(), this.#next(), to)) {
      const numbers = [...new Set([...logs.map(({ blockNumber }) => blockNumber), lastBlock])]
      const blocks = new Map<bigint, Block>()
      while (blocks.size < numbers.length) {
        const some = numbers.slice(blocks.size, blocks.size + BLOCKS_AT_ONCE)
        for (const block of await Promise.all(some.map((number) => chain.blockByNumber(number)))) {
          if (block === undefined)
            throw new OperationError('RPC_LAGS', 'the node has events, and not their block')
          blocks.set(block.number, block)
        }
      }
      const last = blocks.get(lastBlock)
      if (last === undefined) throw noBlock(lastBlock)
      this.#extend(
        logs.flatMap((log) => this.#entryOf(log, blocks.get(log.blockNumber))),
        last,
      )
    }
  }

  /** Reads the next blocks one by one. */
  async #scanBlocks(head: bigint): Promise<void> {
    const { rpc, rights } = this.#parts
    const next = this.#next()
    const count = head - next + 1n < BLOCKS_AT_ONCE ? Number(head - next + 1n) : BLOCKS_AT_ONCE
    const read = await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const block = await fetchLinkedBlock(rpc, next + BigInt(i))
        if (block === undefined) throw noBlock(next + BigInt(i))
        return { block, logs: await fetchBlockLogs(rpc, this.#filter(), block) }
      }),
    )
    let before = rights.cursor?.block.hash
    for (const { block } of read) {
      if (before !== undefined && block.parentHash !== before) {
        throw new OperationError('RPC_LAGS', `block ${block.number} does not follow on the one that was read`)
      }
      before = block.hash
    }
    const last = read.at(-1)?.block
    if (last === undefined) return
    const entries = read.flatMap(({ block, logs }) => logs.flatMap((log) => this.#entryOf(log, block)))
    await this.#expectAsContracts(entries, last)
    this.#extend(entries, last)
  }

  /** Of a chain that others run; further back than this a node need not have the state. */
  async #expectAsContracts(entries: readonly RightsLogEntry[], { hash }: Block): Promise<void> {
    const { rpc, identity, rights, mayLag } = this.#parts
    if (!mayLag) return
    try {
      await expectAsContracts(rpc, identity, rights, entries, hash)
      this.#misfits = 0
    } catch (error) {
      if (!(error instanceof OperationError) || error.code !== 'RPC_MALFORMED') throw error
      // What comes does not fit again and again: something that came before is false, and all is read anew.
      if (++this.#misfits > MOST_MISFITS) {
        this.#misfits = 0
        rights.takeBackTo(undefined)
      }
      throw error
    }
  }

  #extend(entries: readonly RightsLogEntry[], last: Block): void {
    const { rights, finalBlock } = this.#parts
    const known = rights.cursor?.finalBlock ?? -1n
    const final = lowest(finalBlock(), last.number)
    rights.extend(entries, { block: toRightsBlock(last), finalBlock: final > known ? final : known })
  }

  #filter(): { address: Hex[]; topics: [] } {
    const { registry, authorizations } = this.#parts.identity
    return { address: [registry, authorizations], topics: [] }
  }

  /**
   * What there is to keep of a log: nothing if it says nothing of rights. A log can say that it is anywhere; the block
   * itself says which it is, and which transactions it has.
   */
  #entryOf(log: ChainLog, block: Block | undefined): RightsLogEntry[] {
    const { address, topics, data, transactionHash, transactionIndex, blockHash, logIndex } = log
    if (block?.hash !== blockHash || block.transactionHashes[transactionIndex] !== transactionHash) {
      throw new OperationError(
        'RPC_LAGS',
        `the node gave an event of transaction ${transactionHash} in block ${blockHash}, and does not have it there`,
      )
    }
    const contract = address === this.#parts.identity.registry ? 'registry' : 'authorizations'
    const event = decodeRightsEvent(log, contract)
    const key = event && keyOf(event)
    if (key === undefined) return []
    return [
      { key, contract, topics, data, block: toRightsBlock(block), eventIndex: logIndex, transactionHash },
    ]
  }
}

const toRightsBlock = ({ number, hash, timestamp }: Block): RightsBlock => ({ number, hash, time: timestamp })

function lowest(first: bigint, ...others: bigint[]): bigint {
  let found = first
  for (const one of others) if (one < found) found = one
  return found
}

const noBlock = (number: bigint) => new OperationError('RPC_LAGS', `the node has no block ${number}`)

const contradicts = ({ number, hash }: RightsBlock) =>
  new OperationError(
    'RPC_MALFORMED',
    `the node no longer has block ${hash}, number ${number}, which was final: it lies, is of another chain, or finality was broken; nothing is taken back`,
  )
