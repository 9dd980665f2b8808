import { hashHeader } from '../batch/index.ts'
import { equalBytes } from '../bytes/bytes.ts'
import type { Hex } from '../bytes/hex.ts'
import { type AppendedLog, createLedger, fetchAppended } from '../chain/ledger.ts'
import type { Rpc } from '../chain/rpc.ts'
import { OperationError } from '../errors.ts'
import { GrowingLog } from '../merkle/index.ts'
import type { ChainCursor, Cursor } from '../store/chain-cursor.ts'
import type { LedgerEntries, LedgerEntry } from '../store/ledger-entries.ts'
import type { Block, ChainFacts } from '../verify/index.ts'

interface FollowerParts {
  rpc: Rpc
  chain: ChainFacts
  ledger: Hex
  /** where to start with an empty catalogue */
  deploymentBlock: bigint
  entries: LedgerEntries
  cursor: ChainCursor
  /** Takes back the entries from this one on, and all that is known of them. */
  takeBack: (logIndex: bigint) => void
  /**
   * Whether a head below what was seen, or events that are not there, may be a node that lags. Not so for the embedded
   * chain, which is the only one of its kind: there the blocks are gone. While it makes a block, it answers calls at
   * the one before with the state of the next, so what the ledger says of its size cannot be held against its events.
   */
  mayLag: boolean
}

export interface FollowerState {
  head: bigint
  finalBlock: bigint
  /** every event up to this block is known; below the deployment block before the first */
  scannedBlock: bigint
  /** headers stored; the log may be ahead of it while a node is asked whether they are all */
  size: bigint
  /** of the log of so many, as `GrowingLog.peaks` has them */
  peaks: Uint8Array[]
  /** the chain's head is below what was seen before */
  lagging: boolean
}

/**
 * Follows the ledger's events, keeps its log, and takes back what a reorg takes back.
 *
 * Every entry is stored with its block's hash, so those of blocks that are not final are the undo log: they go, newest
 * first, until one's block is still the chain's.
 */
export class Follower {
  readonly #parts: FollowerParts
  readonly log = new GrowingLog()
  #scanned: Cursor['block'] | undefined
  /** entries that the contract has been seen to have in its log: whatever contradicts these is false */
  #confirmed: bigint
  /** how often in a row the events did not give the contract's log */
  #misfits = 0
  #state: FollowerState

  constructor(parts: FollowerParts) {
    this.#parts = parts
    for (let page = parts.entries.from(0n, PAGE); page.length > 0; ) {
      for (const { header } of page) this.log.append(hashHeader(header))
      page = parts.entries.from(BigInt(this.log.size), PAGE)
    }
    const stored = parts.cursor.load()
    this.#scanned = stored?.block
    this.#confirmed = BigInt(stored === undefined ? 0 : parts.entries.countUpTo(stored.block.number))
    this.#state = {
      head: -1n,
      finalBlock: stored?.finalBlock ?? -1n,
      scannedBlock: stored?.block.number ?? parts.deploymentBlock - 1n,
      ...headOf(this.log),
      lagging: false,
    }
    // It ended before the contract was asked.
    if (this.#confirmed < this.#state.size) this.#rewind()
  }

  get state(): FollowerState {
    return this.#state
  }

  /** Whether the ledger entry can no longer be taken back. */
  isFinal(entry: LedgerEntry): boolean {
    return entry.blockNumber <= this.#state.finalBlock
  }

  /**
   * Brings the catalogue up to the chain's head. Call it again and again, one call at a time.
   *
   * @throws {OperationError} when the chain cannot tell, or contradicts what was final; what was known stays
   */
  async step(): Promise<void> {
    const { chain } = this.#parts
    const head = await chain.blockByNumber(await chain.headBlock())
    if (head === undefined)
      throw new OperationError('RPC_LAGS', 'the node took its head back while it was asked')
    const lagging = await this.#unwind(head)
    const finalBlock = await this.#finalBlock(head.number)
    this.#state = {
      ...this.#state,
      head: head.number,
      finalBlock,
      ...headOf(this.log),
      lagging,
    }
    if (!lagging) await this.#scan(head)
  }

  /** The highest that was ever seen: another node of the same chain may be behind. */
  async #finalBlock(head: bigint): Promise<bigint> {
    const known = this.#state.finalBlock
    try {
      const final = await this.#parts.chain.finalBlock(head)
      if (final > known && final <= head) return final
    } catch (error) {
      // A young chain has none yet; it can be followed all the same.
      if (!(error instanceof OperationError) || error.code !== 'NOT_FINAL') throw error
    }
    return known
  }

  /** Takes back entries whose block the chain no longer has. Answers whether the node merely lags. */
  async #unwind(head: Block): Promise<boolean> {
    const { chain, entries, mayLag } = this.#parts
    const scanned = this.#scanned
    if (scanned !== undefined) {
      if (mayLag && head.number < scanned.number) return true
      if ((await chain.blockByNumber(scanned.number))?.hash === scanned.hash) return false
    }
    for (;;) {
      const [last] = entries.before(BigInt(this.log.size), 1)
      if (last === undefined) break
      if (last.blockNumber > head.number && mayLag) return true
      const block = await chain.blockByNumber(last.blockNumber)
      // Behind one address may be several nodes, and a block below the head that is not there at all is no other block.
      if (block === undefined && mayLag) return true
      if (block?.hash === last.blockHash) break
      if (this.isFinal(last) && last.logIndex < this.#confirmed) throw contradicts(last)
      this.#takeBack(last.logIndex)
    }
    this.#rewind()
    return false
  }

  #takeBack(logIndex: bigint): void {
    this.#parts.takeBack(logIndex)
    this.log.truncate(logIndex)
    if (this.#confirmed > logIndex) this.#confirmed = logIndex
  }

  /** Reads on from the last entry's block, which may hold more than was stored of it. */
  #rewind(): void {
    const [last] = this.#parts.entries.before(BigInt(this.log.size), 1)
    this.#scanned = undefined
    this.#state = {
      ...this.#state,
      scannedBlock: (last?.blockNumber ?? this.#parts.deploymentBlock) - 1n,
      ...headOf(this.log),
    }
  }

  async #scan(head: Block): Promise<void> {
    const { rpc, chain, ledger, mayLag } = this.#parts
    const from = this.#state.scannedBlock + 1n
    if (from > head.number) return
    try {
      for await (const { found, lastBlock } of fetchAppended(rpc, ledger, from, head.number)) {
        const block = lastBlock === head.number ? head : await chain.blockByNumber(lastBlock)
        // If the chain changed while it was read, the logs may come from two histories.
        if (lastBlock > this.#state.finalBlock) {
          if ((await chain.blockByNumber(head.number))?.hash !== head.hash) return
        }
        if (block === undefined) throw new OperationError('RPC_LAGS', `the node has no block ${lastBlock}`)
        const fresh = found.filter(({ appended }) => appended.index >= BigInt(this.log.size))
        if (mayLag) await this.#expectInBlocks(fresh)
        this.#extend(fresh)
        if (mayLag && lastBlock === head.number) await this.#expectWhole(head)
        this.#store(fresh, block, !mayLag || lastBlock === head.number)
      }
    } catch (error) {
      this.log.truncate(this.#state.size)
      // Of a node that left out something, everything is asked again.
      if (error instanceof OperationError && LEFT_OUT.includes(error.code)) {
        // What comes does not fit again: what came before, and nobody confirmed, is false.
        if (this.#misfits >= MOST_MISFITS) this.#takeBack(this.#confirmed)
        this.#rewind()
      }
      throw error
    }
  }

  /** A log can say that it is anywhere: the block itself says which it is, and which transactions it has. */
  async #expectInBlocks(found: readonly AppendedLog[]): Promise<void> {
    const numbers = [...new Set(found.map(({ blockNumber }) => blockNumber))]
    const blocks = new Map<bigint, Block | undefined>()
    while (blocks.size < numbers.length) {
      const some = numbers.slice(blocks.size, blocks.size + BLOCKS_AT_ONCE)
      const answers = await Promise.all(some.map((number) => this.#parts.chain.blockByNumber(number)))
      for (const [i, number] of some.entries()) blocks.set(number, answers[i])
    }
    for (const { blockNumber, blockHash, transactionHash, transactionIndex } of found) {
      const block = blocks.get(blockNumber)
      if (block?.hash === blockHash && block.transactionHashes[transactionIndex] === transactionHash) continue
      throw new OperationError(
        'RPC_LAGS',
        `the node gave an event of transaction ${transactionHash} in block ${blockHash}, number ${blockNumber}, and does not have it there`,
      )
    }
  }

  /**
   * The ledger itself keeps its log: a node whose events lag behind its blocks would hide the newest, and one that made
   * some up would be found out by whatever comes after them.
   */
  async #expectWhole({ hash, number }: Block): Promise<void> {
    const { rpc, ledger } = this.#parts
    const contract = createLedger(rpc, ledger)
    const [known, size] = [BigInt(this.log.size), await contract.size({ blockHash: hash })]
    if (known < size) {
      throw new OperationError(
        'RPC_LAGS',
        `the ledger has ${size} headers at block ${number}, and the node gave the events of ${known}`,
      )
    }
    if (known === size && equalBytes(await contract.root({ blockHash: hash }), this.log.root())) return
    throw this.#misfit(`the node's events do not give the log that the ledger has at block ${number}`)
  }

  /** @param isWhole whether everything up to this block is as the ledger has it, as far as can be known */
  #store(fresh: readonly AppendedLog[], { number, hash }: Cursor['block'], isWhole: boolean): void {
    const { entries, cursor } = this.#parts
    const scanned = { number, hash }
    const rows = fresh.map(({ appended, blockNumber, blockHash, transactionHash, logIndex }) => ({
      logIndex: appended.index,
      header: appended.header,
      blockNumber,
      blockHash,
      transactionHash,
      eventIndex: logIndex,
    }))
    entries.add(rows, () => {
      if (isWhole) cursor.save({ block: scanned, finalBlock: this.#state.finalBlock })
    })
    this.#scanned = scanned
    this.#state = { ...this.#state, scannedBlock: number, ...headOf(this.log) }
    if (!isWhole) return
    this.#confirmed = this.#state.size
    this.#misfits = 0
  }

  /** Appends to the log, and holds it against the node of each event: the contract hashed the same. */
  #extend(found: readonly AppendedLog[]): void {
    for (const { appended } of found) {
      if (appended.index !== BigInt(this.log.size)) {
        throw this.#misfit(`the node left out header ${this.log.size} of the ledger`)
      }
      this.log.append(hashHeader(appended.header))
      if (!equalBytes(this.log.peaks().at(-1) ?? new Uint8Array(), appended.node)) {
        throw this.#misfit(`the node's header ${appended.index} does not fit the log before it`)
      }
    }
  }

  #misfit(message: string): OperationError {
    this.#misfits++
    return new OperationError('RPC_MALFORMED', message)
  }
}

const PAGE = 1_000
const BLOCKS_AT_ONCE = 16

/** A single answer may be the one that is false. */
const MOST_MISFITS = 2

const LEFT_OUT = ['RPC_LAGS', 'RPC_MALFORMED']

const contradicts = ({ blockNumber, blockHash }: LedgerEntry) =>
  new OperationError(
    'RPC_MALFORMED',
    `the node no longer has block ${blockHash}, number ${blockNumber}, which was final: it lies, is of another chain, or finality was broken; nothing is taken back`,
  )

const headOf = (log: GrowingLog) => ({ size: BigInt(log.size), peaks: log.peaks() })
