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
  /** headers known */
  size: bigint
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
  #state: FollowerState

  constructor(parts: FollowerParts) {
    this.#parts = parts
    for (let page = parts.entries.from(0n, PAGE); page.length > 0; ) {
      for (const { header } of page) this.log.append(hashHeader(header))
      page = parts.entries.from(BigInt(this.log.size), PAGE)
    }
    const stored = parts.cursor.load()
    this.#scanned = stored?.block
    this.#state = {
      head: -1n,
      finalBlock: stored?.finalBlock ?? -1n,
      scannedBlock: stored?.block.number ?? parts.deploymentBlock - 1n,
      size: BigInt(this.log.size),
      lagging: false,
    }
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
    const finalBlock = await this.#finalBlock()
    this.#state = {
      ...this.#state,
      head: head.number,
      finalBlock,
      size: BigInt(this.log.size),
      lagging,
    }
    if (!lagging) await this.#scan(head)
  }

  /** The highest that was ever seen: another node of the same chain may be behind. */
  async #finalBlock(): Promise<bigint> {
    const known = this.#state.finalBlock
    try {
      const final = await this.#parts.chain.finalBlock()
      if (final > known) return final
    } catch (error) {
      // A young chain has none yet; it can be followed all the same.
      if (!(error instanceof OperationError) || error.code !== 'NOT_FINAL') throw error
    }
    return known
  }

  /** Takes back entries whose block the chain no longer has. Answers whether the node merely lags. */
  async #unwind(head: Block): Promise<boolean> {
    const { chain, entries, mayLag, takeBack } = this.#parts
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
      if (this.isFinal(last)) throw contradicts(last)
      takeBack(last.logIndex)
      this.log.truncate(last.logIndex)
    }
    this.#rewind()
    return false
  }

  /** Reads on from the last entry's block, which may hold more than was stored of it. */
  #rewind(): void {
    const [last] = this.#parts.entries.before(BigInt(this.log.size), 1)
    this.#scanned = undefined
    this.#state = {
      ...this.#state,
      scannedBlock: (last?.blockNumber ?? this.#parts.deploymentBlock) - 1n,
      size: BigInt(this.log.size),
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
        if (mayLag && lastBlock === head.number) await this.#expectComplete(found, head)
        this.#store(found, block)
      }
    } catch (error) {
      // Of a node that left out something, everything is asked again.
      if (error instanceof OperationError && LEFT_OUT.includes(error.code)) this.#rewind()
      throw error
    }
  }

  /** The ledger itself says how many headers it has: a node whose logs lag behind its blocks would hide the newest. */
  async #expectComplete(found: readonly AppendedLog[], { hash, number }: Block): Promise<void> {
    const { rpc, ledger } = this.#parts
    const size = await createLedger(rpc, ledger).size({ blockHash: hash })
    const last = found.at(-1)
    const known = last === undefined ? BigInt(this.log.size) : last.appended.index + 1n
    if (known < size) {
      throw new OperationError(
        'RPC_LAGS',
        `the ledger has ${size} headers at block ${number}, and the node gave the events of ${known}`,
      )
    }
  }

  #store(found: readonly AppendedLog[], { number, hash }: Cursor['block']): void {
    const { entries, cursor } = this.#parts
    const fresh = found.filter(({ appended }) => appended.index >= BigInt(this.log.size))
    this.#extend(fresh)
    const scanned = { number, hash }
    const rows = fresh.map(({ appended, blockNumber, blockHash, transactionHash, logIndex }) => ({
      logIndex: appended.index,
      header: appended.header,
      blockNumber,
      blockHash,
      transactionHash,
      eventIndex: logIndex,
    }))
    try {
      entries.add(rows, () => cursor.save({ block: scanned, finalBlock: this.#state.finalBlock }))
    } catch (error) {
      // Otherwise they would count as known, and never be stored.
      this.log.truncate(this.#state.size)
      throw error
    }
    this.#scanned = scanned
    this.#state = { ...this.#state, scannedBlock: number, size: BigInt(this.log.size) }
  }

  /** Appends to the log, and holds it against the node of each event: the contract hashed the same. */
  #extend(found: readonly AppendedLog[]): void {
    const before = this.log.size
    try {
      for (const { appended } of found) {
        if (appended.index !== BigInt(this.log.size)) {
          throw new OperationError('RPC_MALFORMED', `the node left out header ${this.log.size} of the ledger`)
        }
        this.log.append(hashHeader(appended.header))
        if (!equalBytes(this.log.peaks().at(-1) ?? new Uint8Array(), appended.node)) {
          throw new OperationError(
            'RPC_MALFORMED',
            `the node's header ${appended.index} does not fit the log before it`,
          )
        }
      }
    } catch (error) {
      this.log.truncate(before)
      throw error
    }
  }
}

const PAGE = 1_000

const LEFT_OUT = ['RPC_LAGS', 'RPC_MALFORMED']

const contradicts = ({ blockNumber, blockHash }: LedgerEntry) =>
  new OperationError(
    'RPC_MALFORMED',
    `the node no longer has block ${blockHash}, number ${blockNumber}, which was final: it lies, is of another chain, or finality was broken; nothing is taken back`,
  )
