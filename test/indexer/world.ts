import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type SealedBatch, sealBatch, type WaitingSubmission } from '../../src/batch/index.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import { chainFacts, type Finality } from '../../src/chain/facts.ts'
import type { Rpc } from '../../src/chain/rpc.ts'
import { Checker } from '../../src/indexer/checker.ts'
import { Finder } from '../../src/indexer/finder.ts'
import { Follower } from '../../src/indexer/follower.ts'
import { Histories } from '../../src/indexer/history.ts'
import { BatchCache } from '../../src/store/batch-cache.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { compress } from '../../src/store/compression.ts'
import { openDatabase } from '../../src/store/database.ts'
import { LedgerEntries } from '../../src/store/ledger-entries.ts'
import { PUBLISHER } from '../chain/fixture.ts'

/** A batch of the test chain's publisher. */
export const sealFor = (sequence: number, ...submissions: WaitingSubmission[]): SealedBatch =>
  sealBatch(PUBLISHER, BigInt(sequence), submissions, compress)

export interface IndexerOptions {
  finality?: Finality
  mayLag?: boolean
}

/** An indexer of a ledger over a folder, with everything that it is made of. */
export function startIndexer(path: string, rpc: Rpc, ledger: Hex, options: IndexerOptions = {}) {
  const { finality = { kind: 'depth', confirmations: 1 }, mayLag = false } = options
  const database = openDatabase(join(path, 'catalogue.sqlite'))
  const entries = new LedgerEntries(database)
  const batchesPath = join(path, 'batches')
  const folder = new BatchFolder(batchesPath)
  const cache = new BatchCache(folder, 4)
  const chain = chainFacts(rpc, { finality })
  const follower = new Follower({ rpc, chain, ledger, deploymentBlock: 0n, entries, mayLag })
  const alerts: { logIndex: bigint; state: string; reason: string }[] = []
  const checker = new Checker({
    batchesPath,
    entries,
    domain: { chainId: 31337n, ledger },
    onAlert: (alert) => alerts.push(alert),
  })
  const finder = new Finder({ follower, entries, batches: cache, ledger, chainId: 31337n })
  const histories = new Histories({ follower, entries, batches: cache, ledger, chainId: 31337n })
  onTestFinished(async () => {
    await checker.stop()
    await cache.close()
    database.close()
  })
  return {
    entries,
    folder,
    follower,
    checker,
    finder,
    histories,
    chain,
    alerts,
    pathOf: (sequence: number, file: string) =>
      join(batchesPath, PUBLISHER, String(sequence).padStart(12, '0'), file),
    async catchUp() {
      await follower.step()
      await checker.step()
    },
  }
}
