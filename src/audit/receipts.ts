import { equalBytes } from '../bytes/bytes.ts'
import type { Hex } from '../bytes/hex.ts'
import { createLedger, type LedgerIdentity } from '../chain/ledger.ts'
import type { Rpc } from '../chain/rpc.ts'
import { recoverReceiptSigner } from '../chain/signing.ts'
import { InputError, OperationError, VerificationError } from '../errors.ts'
import { treeRoot } from '../merkle/index.ts'
import { parseReceipt, type Receipt } from '../proof/index.ts'
import type { BatchFolder } from '../store/batch-folder.ts'
import type { LedgerEntries, LedgerEntry } from '../store/ledger-entries.ts'
import type { SeenSubmissions } from '../store/seen-submissions.ts'
import type { Block, ChainFacts } from '../verify/index.ts'
import type { Finding } from './report.ts'

interface ReceiptJudgeParts {
  rpc: Rpc
  chain: ChainFacts
  identity: LedgerIdentity
  entries: LedgerEntries
  seen: SeenSubmissions
  folder: BatchFolder
  /** the last block that the audit knows */
  head: Block
  /** Whether every batch of the publisher is verified: only then is what is not found not there. */
  isWhole(publisher: Hex): boolean
}

/** What became of a promise: nothing to say when it was kept. */
export type ReceiptVerdict = 'kept' | Pick<Finding, 'verdict' | 'kind' | 'expected' | 'found' | 'submission'>

/**
 * Judges receipts by what the audit has verified (docs/format.md, section 13.2): by the times of blocks, and no clock.
 *
 * That a submission is not there is known once every batch of its publisher is verified and a block that is final is
 * later than the promise.
 */
export class ReceiptJudge {
  readonly #parts: ReceiptJudgeParts
  readonly #publishers = new Map<Hex, Promise<boolean>>()
  readonly #times = new Map<bigint, Promise<bigint>>()

  constructor(parts: ReceiptJudgeParts) {
    this.#parts = parts
  }

  /**
   * @param value parsed JSON
   * @throws {OperationError} when the chain or the disk cannot tell
   */
  async judge(value: unknown): Promise<ReceiptVerdict> {
    try {
      const receipt = parseReceipt(value)
      await this.#expectGenuine(receipt)
      return await this.#judgePromise(receipt)
    } catch (error) {
      if (!(error instanceof VerificationError || error instanceof InputError)) throw error
      return {
        verdict: 'false',
        kind: 'bad-receipt',
        expected: 'a receipt of this ledger',
        found: error.message,
      }
    }
  }

  async #expectGenuine(receipt: Receipt): Promise<void> {
    const { identity } = this.#parts
    const { chainId, ledger, publisher } = receipt
    const message = {
      ...receipt,
      size: BigInt(receipt.size),
      receivedAt: BigInt(receipt.receivedAt),
      anchorBy: BigInt(receipt.anchorBy),
    }
    if (recoverReceiptSigner(receipt, message, receipt.signature) !== publisher) {
      throw new VerificationError('BAD_SIGNATURE', `the signature is not that of ${publisher}`)
    }
    if (chainId !== identity.chainId || ledger !== identity.ledger) {
      throw new VerificationError('WRONG_LEDGER', `the receipt names ledger ${ledger} on chain ${chainId}`)
    }
    if (!(await this.#isPublisher(publisher))) {
      throw new VerificationError('WRONG_PUBLISHER', `the ledger knows no publisher ${publisher}`)
    }
  }

  async #judgePromise(receipt: Receipt): Promise<ReceiptVerdict> {
    const { head, isWhole } = this.#parts
    const { source, sequence, publisher, anchorBy } = receipt
    const about = {
      expected: `the submission on the chain by ${showMs(anchorBy)}`,
      submission: { source, sequence: String(sequence) },
    }
    const broken = (found: string): ReceiptVerdict => ({
      verdict: 'false',
      kind: 'broken-receipt',
      ...about,
      found,
    })
    const open = (found: string): ReceiptVerdict => ({
      verdict: 'unchecked',
      kind: 'open-receipt',
      ...about,
      found,
    })

    const entry = await this.#find(receipt)
    if (entry !== undefined) {
      const lateMs = 1_000n * (await this.#timeOf(entry)) - BigInt(anchorBy)
      return lateMs > 0n ? broken(`it is in ledger entry ${entry.logIndex}, ${lateMs} ms too late`) : 'kept'
    }
    if (!isWhole(publisher)) return open(`not every batch of publisher ${publisher} could be verified`)
    const headMs = 1_000n * head.timestamp
    if (headMs <= BigInt(anchorBy)) return open('there is time left, and it is not on the chain yet')
    return broken(`it is not on the chain, ${headMs - BigInt(anchorBy)} ms after its time`)
  }

  /** The earliest entry that holds the very records of the receipt. */
  async #find({ source, sequence, publisher, root, size }: Receipt): Promise<LedgerEntry | undefined> {
    const { entries, seen, folder } = this.#parts
    for (const { logIndex, first } of seen.same(source, sequence)) {
      const entry = entries.get(logIndex)
      if (entry?.state !== 'verified' || entry.header.publisher !== publisher) continue
      const { recordCount, sequence: batch } = entry.header
      if (size < 1 || first + size > recordCount) continue
      const files = await folder.open(publisher, batch)
      try {
        const { leaves } = await files.leavesFrom(recordCount, first, size)
        if (equalBytes(treeRoot(leaves), root)) return entry
      } finally {
        await files.close()
      }
    }
    return undefined
  }

  #isPublisher(publisher: Hex): Promise<boolean> {
    const { rpc, identity } = this.#parts
    return remember(this.#publishers, publisher, async () => {
      return (await createLedger(rpc, identity.ledger).publisher(publisher)).status !== 'none'
    })
  }

  /** Seconds since 1970. */
  #timeOf({ blockNumber, blockHash }: LedgerEntry): Promise<bigint> {
    return remember(this.#times, blockNumber, async () => {
      const block = await this.#parts.chain.blockByNumber(blockNumber)
      if (block?.hash !== blockHash) {
        throw new OperationError(
          'RPC_MALFORMED',
          `the node has another block ${blockNumber} now, which was final`,
        )
      }
      return block.timestamp
    })
  }
}

/** No more answers are kept than this. */
const MOST_REMEMBERED = 10_000

function remember<K, V>(known: Map<K, Promise<V>>, key: K, ask: () => Promise<V>): Promise<V> {
  const before = known.get(key)
  if (before !== undefined) return before
  if (known.size === MOST_REMEMBERED) known.clear()
  const answer = ask()
  known.set(key, answer)
  return answer
}

/** A receipt may name times that no calendar reaches. */
const showMs = (timeMs: number) =>
  timeMs <= 8.64e15 ? new Date(timeMs).toISOString() : `${timeMs} ms after 1970`
