import type { SigningDomain } from '../chain/signing.ts'
import { OperationError } from '../errors.ts'
import { type Background, startBackground } from '../store/background.ts'
import type { LedgerEntries, LedgerEntry } from '../store/ledger-entries.ts'
import type { CheckJob, CheckResult } from './check-worker.ts'

interface CheckerParts {
  batchesPath: string
  entries: LedgerEntries
  /** of the sources' signatures */
  domain: SigningDomain
  /** told of every batch that is fraud or withheld */
  onAlert: (alert: { logIndex: bigint; state: string; reason: string }) => void
}

/** Re-verifies announced batches in a thread of its own; nothing of a batch is shown before. */
export class Checker {
  readonly #parts: CheckerParts
  readonly #background: Background<CheckJob, CheckResult>

  constructor(parts: CheckerParts) {
    this.#parts = parts
    this.#background = startBackground(new URL('./check-worker.ts', import.meta.url))
  }

  /**
   * Checks what has been announced, oldest first, a few at a time; call it again and again.
   *
   * @throws {OperationError} `STORE_FAILED` when a batch cannot be read now; the others are checked all the same
   */
  async step(): Promise<void> {
    let failure: unknown
    for (const entry of this.#parts.entries.inState('announced', 16)) {
      try {
        await this.#check(entry)
      } catch (error) {
        if (!(error instanceof OperationError)) throw error
        failure ??= error
      }
    }
    if (failure !== undefined) throw failure
  }

  async #check({ logIndex, header, blockHash }: LedgerEntry): Promise<void> {
    const { entries, batchesPath, domain, onAlert } = this.#parts
    const result = await this.#background.run({ batchesPath, header, domain })
    // A reorg may have put another entry in its place meanwhile.
    if (entries.get(logIndex)?.blockHash !== blockHash) return
    if (result.state === 'verified') {
      entries.mark(logIndex, 'verified')
    } else {
      entries.mark(logIndex, result.state, result.reason)
      onAlert({ logIndex, ...result })
    }
  }

  stop(): Promise<void> {
    return this.#background.stop()
  }
}
