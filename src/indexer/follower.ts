import { hashHeader } from '../batch/index.ts'
import { equalBytes } from '../bytes/bytes.ts'
import type { Hex } from '../bytes/hex.ts'
import { type AppendedLog, createLedger, fetchAppended } from '../chain/ledger.ts'
import type { Rpc } from '../chain/rpc.ts'
import { OperationError } from '../errors.ts'
import { GrowingLog } from '../merkle/index.ts'
import type { LedgerEntries, LedgerEntry } from '../store/ledger-entries.ts'
import type { Block, ChainFacts } from '../verify/index.ts'

interface FollowerParts {
  rpc: Rpc
  chain: ChainFacts
  ledger: Hex
  /** where to start with an empty catalogue */
  deploymentBlock: bigint
  entries: LedgerEntries
  /**
   * Whether a head below what was seen may be a node that lags. Not so for the embedded chain, which is the only
   * one of its kind: there the blocks are gone.
   */
  mayLag: boolean
}

export interface FollowerState {
  head: bigint
  finalBlock: bigint
  /** headers known */
  size: bigint
  /** the chain's head is below what was seen before */
  lagging: boolean
}

/** Follows the ledger's events, keeps its log, and takes back what a reorg takes back. */
export class Follower {
  readonly #parts: FollowerParts
  readonly log = new GrowingLog()
  #scanned: Pick<Block, 'number' | 'hash'> | undefined
  #state: FollowerState = { head: -1n, finalBlock: -1n, size: 0n, lagging: false }

  constructor(parts: FollowerParts) {
    this.#parts = parts
    for (let page = parts.entries.from(0n, PAGE); page.length > 0; ) {
      for (const { header } of page) this.log.append(hashHeader(header))
      page = parts.entries.from(BigInt(this.log.size), PAGE)
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
   * @throws {OperationError} when the chain cannot tell; what was known stays
   */
  async step(): Promise<void> {
    const { chain } = this.#parts
    const head = await chain.blockByNumber(await chain.headBlock())
    if (head === undefined)
      throw new OperationError('RPC_LAGS', 'the node took its head back while it was asked')
    const lagging = await this.#unwind(head)
    if (!lagging) await this.#scan(head)
    this.#state = {
      head: head.number,
      finalBlock: await chain.finalBlock(),
      size: BigInt(this.log.size),
      lagging,
    }
  }

  /** Takes back entries whose block the chain no longer has. Answers whether the node merely lags. */
  async #unwind(head: Block): Promise<boolean> {
    const { chain, entries, mayLag } = this.#parts
    if (this.#scanned !== undefined) {
      const block = await chain.blockByNumber(this.#scanned.number)
      if (block?.hash === this.#scanned.hash) return false
    }
    for (;;) {
      const [last] = entries.before(BigInt(this.log.size), 1)
      if (last === undefined) break
      if (last.blockNumber > head.number && mayLag) return true
      const block = await chain.blockByNumber(last.blockNumber)
      // Behind one address may be several nodes, and a block below the head that is not there at all is no other block.
      if (block === undefined && mayLag) return true
      if (block?.hash === last.blockHash) break
      entries.truncate(last.logIndex)
      this.log.truncate(last.logIndex)
    }
    this.#scanned = undefined
    return false
  }

  async #scan(head: Block): Promise<void> {
    const { rpc, chain, ledger, entries, deploymentBlock } = this.#parts
    const [last] = entries.before(BigInt(this.log.size), 1)
    // The last entry's block may hold more than was stored of it.
    const from =
      this.#scanned === undefined ? (last?.blockNumber ?? deploymentBlock) : this.#scanned.number + 1n
    if (from > head.number) return
    const found = await fetchAppended(rpc, ledger, from, head.number)
    const fresh = found.filter(({ appended }) => appended.index >= BigInt(this.log.size))
    // If the chain changed while it was read, the logs may come from two histories.
    if ((await chain.blockByNumber(head.number))?.hash !== head.hash) return
    // Behind a load balancer, a node that lags gives the logs that it knows and does not say that there are more.
    const size = await createLedger(rpc, ledger).size({ blockHash: head.hash })
    const missing = size - BigInt(this.log.size + fresh.length)
    if (missing > 0n) throw new OperationError('RPC_LAGS', `the node left out ${missing} of ${size} headers`)
    this.#extend(fresh)
    this.#store(fresh)
    this.#scanned = { number: head.number, hash: head.hash }
  }

  #store(found: readonly AppendedLog[]): void {
    const rows = found.map(({ appended, blockNumber, blockHash, transactionHash, logIndex }) => ({
      logIndex: appended.index,
      header: appended.header,
      blockNumber,
      blockHash,
      transactionHash,
      eventIndex: logIndex,
    }))
    try {
      this.#parts.entries.add(rows)
    } catch (error) {
      // Otherwise they would count as known, and never be stored.
      this.log.truncate(this.log.size - found.length)
      throw error
    }
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
