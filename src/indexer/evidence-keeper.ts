import type { Hex } from '../bytes/hex.ts'
import { fetchLedgerAccount, showTransaction } from '../chain/evidence.ts'
import type { Rpc } from '../chain/rpc.ts'
import { fetchWholeBlock, type WholeBlock } from '../chain/whole-block.ts'
import { OperationError } from '../errors.ts'
import type { CapturedEvidence, DueEvidence, EvidenceStore } from '../store/evidence.ts'

interface EvidenceKeeperParts {
  rpc: Rpc
  ledger: Hex
  store: EvidenceStore
  /** the highest block that is final */
  finalBlock: () => bigint
  /** milliseconds since 1970 */
  now: () => number
}

/** Before a transaction is tried again that could not be captured; twice as long each time. */
const RETRY_MS = 5_000
const LONGEST_RETRY_MS = 3_600_000

/** Captures what shows each anchor to whoever trusts its block, once the block is final and before nodes forget it. */
export class EvidenceKeeper {
  readonly #parts: EvidenceKeeperParts

  constructor(parts: EvidenceKeeperParts) {
    this.#parts = parts
  }

  /**
   * Captures one transaction; one of which the node cannot show anything waits for its turn to come again.
   *
   * @returns false when there is none to be captured
   * @throws {OperationError} `RPC_UNREACHABLE`, or `STORE_FAILED`
   */
  async step(): Promise<boolean> {
    const { store, finalBlock, now } = this.#parts
    const due = store.due(finalBlock(), now())
    if (due === undefined) return false
    try {
      store.save(due.logIndex, await this.#capture(due))
    } catch (error) {
      if (!isNodesFault(error)) throw error
      const pauseMs = Math.min(RETRY_MS * 2 ** due.attempts, LONGEST_RETRY_MS)
      store.postpone(due.logIndex, now() + pauseMs, error.message)
    }
    return true
  }

  async #capture({ blockHash, transactionHash }: DueEvidence): Promise<CapturedEvidence> {
    const { rpc } = this.#parts
    const whole = await fetchWholeBlock(rpc, blockHash)
    const transaction = showTransaction(whole, transactionHash)
    const ledger = await this.#ledgerAt(whole)
    return {
      block: {
        header: whole.header,
        transactions: [transaction],
        accounts: ledger === undefined ? [] : [ledger.account],
      },
      ledgerSize: ledger?.size,
    }
  }

  /** Undefined where the node no longer has the state of the block, or shows none. */
  async #ledgerAt(block: WholeBlock) {
    try {
      return await fetchLedgerAccount(this.#parts.rpc, block, this.#parts.ledger)
    } catch (error) {
      if (!isNodesFault(error)) throw error
      return undefined
    }
  }
}

/** Whether it is about this block alone, and others may be captured. */
const isNodesFault = (error: unknown): error is OperationError =>
  error instanceof OperationError &&
  ['RPC_REFUSED', 'RPC_MALFORMED', 'RPC_LAGS', 'CHAIN_FAILED'].includes(error.code)
