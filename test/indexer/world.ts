import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type SealedBatch, sealBatch, type WaitingSubmission } from '../../src/batch/index.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import { chainFacts, type Finality } from '../../src/chain/facts.ts'
import type { Rpc } from '../../src/chain/rpc.ts'
import type { JsonAlert } from '../../src/indexer/alert.ts'
import { Checker } from '../../src/indexer/checker.ts'
import type { Fetcher } from '../../src/indexer/fetcher.ts'
import { Finder } from '../../src/indexer/finder.ts'
import { Follower } from '../../src/indexer/follower.ts'
import { Histories } from '../../src/indexer/history.ts'
import { RunKeeper } from '../../src/indexer/run-keeper.ts'
import { Verdicts } from '../../src/indexer/verdicts.ts'
import { Alerts } from '../../src/store/alerts.ts'
import { BatchCache } from '../../src/store/batch-cache.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { ChainCursor } from '../../src/store/chain-cursor.ts'
import { compress } from '../../src/store/compression.ts'
import { openDatabase } from '../../src/store/database.ts'
import { Erasures } from '../../src/store/erasures.ts'
import { Grants } from '../../src/store/grants.ts'
import { LedgerEntries } from '../../src/store/ledger-entries.ts'
import { Runs } from '../../src/store/runs.ts'
import { SeenSubmissions } from '../../src/store/seen-submissions.ts'
import { PUBLISHER } from '../chain/fixture.ts'

/** A batch of the test chain's publisher. */
export const sealFor = (sequence: number, ...submissions: WaitingSubmission[]): SealedBatch =>
  sealBatch(PUBLISHER, BigInt(sequence), submissions, compress)

export interface IndexerOptions {
  finality?: Finality
  mayLag?: boolean
  /** the contract that decides on grants */
  authorizations?: Hex
  /** over the folder of the indexer */
  fetcher?: (path: string) => Fetcher
}

/** An indexer of a ledger over a folder, with everything that it is made of. */
export function startIndexer(path: string, rpc: Rpc, ledger: Hex, options: IndexerOptions = {}) {
  const { finality = { kind: 'depth', confirmations: 1 }, mayLag = false, authorizations } = options
  const database = openDatabase(join(path, 'catalogue.sqlite'))
  const entries = new LedgerEntries(database)
  const batchesPath = join(path, 'batches')
  const folder = new BatchFolder(batchesPath)
  const cache = new BatchCache(folder, 4)
  const chain = chainFacts(rpc, { finality })
  const identity = { chainId: 31337n, ledger, deploymentBlock: 0n }
  const told: JsonAlert[] = []
  let clock = 1_790_000_000_000
  const now = () => clock
  const alerts = new Alerts(database)
  const seen = new SeenSubmissions(database)
  const onAlert = (alert: JsonAlert) => told.push(alert)
  const runs = new Runs(database)
  const grants = new Grants(database)
  const verdicts = new Verdicts({ database, entries, alerts, seen, runs, grants, identity, now, onAlert })
  const cursor = new ChainCursor(database)
  const takeBack = (logIndex: bigint) => verdicts.takeBack(logIndex)
  const follower = new Follower({ rpc, chain, ...identity, entries, cursor, takeBack, mayLag })
  const evidencePath = join(path, 'evidence')
  const checker = new Checker({
    batchesPath,
    evidencePath,
    entries,
    verdicts,
    domain: identity,
    ...(authorizations !== undefined && { authorizations }),
    threads: 1,
    now,
    retryMs: 5_000,
    onPlaced: ({ publisher, sequence }) => cache.forget(publisher, sequence),
    ...(options.fetcher !== undefined && { fetcher: options.fetcher(path) }),
  })
  const finder = new Finder({
    follower,
    entries,
    batches: cache,
    folder,
    erasures: new Erasures(database),
    ledger,
    chainId: 31337n,
  })
  const runsPath = join(path, 'runs')
  const runKeeper = new RunKeeper({
    runs,
    entries,
    verdicts,
    batchesPath,
    runsPath,
    finalBlock: () => follower.state.finalBlock,
  })
  const histories = new Histories({
    follower,
    entries,
    batches: cache,
    folder,
    runs,
    runsPath,
    ledger,
    chainId: 31337n,
  })
  onTestFinished(async () => {
    await checker.stop()
    await runKeeper.stop()
    await cache.close()
    database.close()
  })
  return {
    database,
    entries,
    folder,
    follower,
    verdicts,
    seen,
    grants,
    checker,
    finder,
    histories,
    runs,
    runsPath,
    runKeeper,
    chain,
    told,
    evidencePath,
    /** what is wrong now: entry, kind, and which submission */
    open: () =>
      alerts
        .before(2n ** 62n, 1_000)
        .filter(({ closedAt }) => closedAt === undefined)
        .map(({ document }) => JSON.parse(document) as JsonAlert)
        .map(({ anchor, kind, submission }) => [
          Number(anchor.ledgerIndex),
          kind,
          ...(submission === undefined ? [] : [`${submission.source}#${submission.sequence}`]),
        ])
        .sort(),
    pass(ms: number) {
      clock += ms
    },
    pathOf: (sequence: number, file: string) =>
      join(batchesPath, PUBLISHER, String(sequence).padStart(12, '0'), file),
    async catchUp() {
      await follower.step()
      await checker.step()
      while (await runKeeper.step());
    },
  }
}
