import type { SigningDomain } from '../chain/signing.ts'
import { type Background, startBackground } from '../store/background.ts'
import type { LedgerEntries } from '../store/ledger-entries.ts'
import type { CheckJob, CheckResult } from './check-worker.ts'

interface CheckerParts {
  batchesPath: string
  entries: LedgerEntries
  /** of the sources' signatures */
  domain: SigningDomain
  /** told of every batch that is fraud or withheld */
  onAlert: (alert: { logIndex: bigint; state: string; reason: string }) => void
}

const AT_ONCE = 16

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
   * A verified batch that is not counted, because the counts were made anew, is checked and counted once more.
   */
  async step(): Promise<void> {
    const { entries, batchesPath, domain, onAlert } = this.#parts
    const waiting = [...entries.inState('announced', AT_ONCE), ...entries.uncounted(AT_ONCE)]
    for (const { logIndex, header, blockHash } of waiting) {
      const result = await this.#background.run({ batchesPath, header, domain })
      // A reorg may have put another entry in its place meanwhile.
      if (entries.get(logIndex)?.blockHash !== blockHash) continue
      if (result.state === 'verified') {
        entries.verify(logIndex, result.aggregate)
      } else {
        entries.mark(logIndex, result.state, result.reason)
        onAlert({ logIndex, ...result })
      }
    }
  }

  stop(): Promise<void> {
    return this.#background.stop()
  }
}
