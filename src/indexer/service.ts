import { setTimeout as delay } from 'node:timers/promises'
import type { LedgerIdentity } from '../chain/ledger.ts'
import type { Rpc } from '../chain/rpc.ts'
import { OperationError } from '../errors.ts'
import { BatchCache } from '../store/batch-cache.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import type { Database } from '../store/database.ts'
import { LedgerEntries } from '../store/ledger-entries.ts'
import type { ChainFacts } from '../verify/index.ts'
import { Checker } from './checker.ts'
import { Finder } from './finder.ts'
import { Follower } from './follower.ts'
import { Histories } from './history.ts'

export interface IndexingOptions {
  database: Database
  batchesPath: string
  rpc: Rpc
  chain: ChainFacts
  identity: LedgerIdentity
  /** see `Follower` */
  mayLag: boolean
  pollMs: number
  /** told of what goes wrong and is tried again, and of every batch that is fraud or withheld */
  onTrouble: (message: string, error?: unknown) => void
}

/** An indexer at work: it follows the chain, re-verifies every batch and finds records. */
export interface Indexing {
  follower: Follower
  finder: Finder
  histories: Histories
  entries: LedgerEntries
  /** what goes wrong now, a sentence each */
  troubles(): string[]
  /** Rejects when the work cannot go on. */
  failed: Promise<never>
  stop(): Promise<void>
}

/** Batches kept open between questions, three file handles each. */
const OPEN_BATCHES = 128

export function startIndexing(options: IndexingOptions): Indexing {
  const { database, batchesPath, rpc, chain, identity, mayLag, pollMs, onTrouble } = options
  const entries = new LedgerEntries(database)
  const follower = new Follower({ rpc, chain, ...identity, entries, mayLag })
  const checker = new Checker({
    batchesPath,
    entries,
    domain: { chainId: identity.chainId, ledger: identity.ledger },
    onAlert: ({ logIndex, state, reason }) => onTrouble(`ledger entry ${logIndex} is ${state}: ${reason}`),
  })
  const batches = new BatchCache(new BatchFolder(batchesPath), OPEN_BATCHES)
  const finder = new Finder({ follower, entries, batches, ...identity })
  const histories = new Histories({ follower, entries, batches, ...identity })

  let trouble: string | undefined
  const running = new AbortController()
  const following = follow()

  async function follow(): Promise<void> {
    while (!running.signal.aborted) {
      try {
        await follower.step()
        await checker.step()
        trouble = undefined
      } catch (error) {
        if (!(error instanceof OperationError)) throw error
        trouble = `following the chain: ${error.message}`
        onTrouble('following the chain failed; trying again', error)
      }
      // An aborted pause is how it ends.
      await delay(pollMs, undefined, { signal: running.signal }).catch(() => undefined)
    }
  }

  return {
    follower,
    finder,
    histories,
    entries,
    troubles() {
      const fraud = entries.countInState('fraud')
      const withheld = entries.countInState('withheld')
      const bad = fraud + withheld > 0 ? [`${fraud} batches are fraud, ${withheld} are withheld`] : []
      return trouble === undefined ? bad : [trouble, ...bad]
    },
    failed: following.then(() => new Promise<never>(() => undefined)),
    async stop() {
      running.abort()
      await following
      await checker.stop()
      await batches.close()
    },
  }
}
