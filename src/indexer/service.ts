import { setTimeout as delay } from 'node:timers/promises'
import type { Hex } from '../bytes/hex.ts'
import { authorizationSource } from '../chain/authorization-source.ts'
import type { RightsIdentity } from '../chain/deploy.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import type { Rpc } from '../chain/rpc.ts'
import { OperationError } from '../errors.ts'
import type { FlowRecord } from '../record/index.ts'
import { Alerts } from '../store/alerts.ts'
import { BatchCache } from '../store/batch-cache.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { ChainCursor } from '../store/chain-cursor.ts'
import type { Database } from '../store/database.ts'
import { LedgerEntries } from '../store/ledger-entries.ts'
import { Runs } from '../store/runs.ts'
import { SeenSubmissions } from '../store/seen-submissions.ts'
import type { ChainFacts } from '../verify/index.ts'
import { type FoundAuthorization, findAuthorization } from './authorize.ts'
import { Checker } from './checker.ts'
import type { Fetcher } from './fetcher.ts'
import { Finder } from './finder.ts'
import { Follower } from './follower.ts'
import { Histories } from './history.ts'
import { RunKeeper } from './run-keeper.ts'
import { Verdicts } from './verdicts.ts'

export interface IndexingOptions {
  database: Database
  batchesPath: string
  /** see `RunKeeper` */
  runsPath: string
  rpc: Rpc
  chain: ChainFacts
  identity: LedgerIdentity
  /** whose batch files alone must be here: that those of others are not is no trouble; without one, everybody's */
  publisher?: Hex
  /** which contracts decide on calls, if any do */
  rights?: RightsIdentity
  /** see `Follower` */
  mayLag: boolean
  /** see `Checker` */
  evidencePath: string
  fetcher?: Fetcher
  /** that recompute batches */
  threads: number
  pollMs: number
  /** milliseconds since 1970 */
  now: () => number
  /** told of what goes wrong and is tried again, and of every batch that is fraud or withheld */
  onTrouble: (message: string, error?: unknown) => void
}

/** An indexer at work: it follows the chain, re-verifies every batch and finds records. */
export interface Indexing {
  follower: Follower
  finder: Finder
  histories: Histories
  entries: LedgerEntries
  alerts: Alerts
  seen: SeenSubmissions
  runs: Runs
  runKeeper: RunKeeper
  /** what authorised a call; absent where nobody decides on calls */
  authorize?: (call: FlowRecord) => Promise<FoundAuthorization>
  /** what goes wrong now, a sentence each */
  troubles(): string[]
  /** Rejects when the work cannot go on. */
  failed: Promise<never>
  stop(): Promise<void>
}

/** Batches kept open between questions, two file handles each at most. */
const OPEN_BATCHES = 128

/** Before a batch that is refused is tried again for the first time, or a run that could not be merged. */
const RETRY_MS = 5_000

export function startIndexing(options: IndexingOptions): Indexing {
  const { database, batchesPath, runsPath, rpc, chain, identity, publisher, mayLag, pollMs, onTrouble, now } =
    options
  const entries = new LedgerEntries(database)
  const alerts = new Alerts(database)
  const seen = new SeenSubmissions(database)
  const runs = new Runs(database)
  const verdicts = new Verdicts({
    database,
    entries,
    alerts,
    seen,
    runs,
    identity,
    ...(publisher !== undefined && { publisher }),
    now,
    onAlert: ({ kind, anchor, found }) => onTrouble(`ledger entry ${anchor.ledgerIndex}: ${kind}: ${found}`),
  })
  const follower = new Follower({
    rpc,
    chain,
    ...identity,
    entries,
    cursor: new ChainCursor(database),
    takeBack: (logIndex) => verdicts.takeBack(logIndex),
    mayLag,
  })
  const folder = new BatchFolder(batchesPath)
  const batches = new BatchCache(folder, OPEN_BATCHES)
  const checker = new Checker({
    batchesPath,
    evidencePath: options.evidencePath,
    entries,
    verdicts,
    domain: { chainId: identity.chainId, ledger: identity.ledger },
    threads: options.threads,
    now,
    retryMs: RETRY_MS,
    onPlaced: ({ publisher: of, sequence }) => batches.forget(of, sequence),
    ...(options.fetcher !== undefined && { fetcher: options.fetcher }),
  })
  const finder = new Finder({ follower, entries, batches, folder, ...identity })
  finder.warm()
  const { rights } = options
  const source = rights && authorizationSource(rpc, chain, { ...rights, chainId: identity.chainId })
  const runKeeper = new RunKeeper({
    runs,
    entries,
    verdicts,
    batchesPath,
    runsPath,
    finalBlock: () => follower.state.finalBlock,
  })
  const histories = new Histories({ follower, entries, batches, folder, runs, runsPath, ...identity })

  const trouble: { following?: string; checking?: string; merging?: string } = {}
  const running = new AbortController()
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)

  function report(part: keyof typeof trouble, what: string, error: unknown): void {
    if (!(error instanceof OperationError)) {
      failure.reject(error)
      return
    }
    trouble[part] = `${what}: ${error.message}`
    onTrouble(`${what} failed; trying again`, error)
  }

  async function follow(): Promise<void> {
    while (!running.signal.aborted) {
      try {
        await follower.step()
        delete trouble.following
      } catch (error) {
        report('following', 'following the chain', error)
      }
      await pause()
    }
  }

  async function check(): Promise<void> {
    while (!running.signal.aborted) {
      delete trouble.checking
      checker.start((error) => report('checking', 'checking batches', error))
      await pause()
    }
  }

  async function merge(): Promise<void> {
    while (!running.signal.aborted) {
      try {
        while (!running.signal.aborted && (await runKeeper.step())) delete trouble.merging
        delete trouble.merging
      } catch (error) {
        report('merging', 'merging runs', error)
        // It reads many files.
        await pause(RETRY_MS)
      }
      await pause()
    }
  }

  // An aborted pause is how it ends.
  const pause = (ms = pollMs) => delay(ms, undefined, { signal: running.signal }).catch(() => undefined)
  const working = Promise.all([follow(), check(), merge()])
  working.catch((error: unknown) => failure.reject(error))

  return {
    follower,
    finder,
    histories,
    entries,
    alerts,
    seen,
    runs,
    runKeeper,
    ...(source !== undefined && { authorize: (call) => findAuthorization(call, finder, source) }),
    troubles() {
      const fraud = entries.countInState('fraud')
      const withheld = entries.countInState('withheld', publisher)
      const bad = fraud + withheld > 0 ? [`${fraud} batches are fraud, ${withheld} are withheld`] : []
      return [...Object.values(trouble), ...bad]
    },
    failed: failure.promise,
    async stop() {
      running.abort()
      await working.catch(() => undefined)
      await checker.stop()
      await finder.stop()
      await runKeeper.stop()
      await batches.close()
    },
  }
}
