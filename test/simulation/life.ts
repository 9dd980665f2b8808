import { cpSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Hex } from '../../src/bytes/hex.ts'
import { chainFacts, type Finality } from '../../src/chain/facts.ts'
import type { LedgerIdentity } from '../../src/chain/ledger.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { Fetcher, type PublisherAddress } from '../../src/indexer/fetcher.ts'
import { type Indexing, startIndexing } from '../../src/indexer/service.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'

export interface LifeParts {
  rpcUrl: string
  finality: Finality
  identity: LedgerIdentity
  publishers: ReadonlyMap<Hex, PublisherAddress>
  /** milliseconds since 1970 */
  now: () => number
}

/** One life of an indexer: what `tidemark indexer` starts, but for its API. */
export interface Life {
  dataPath: string
  indexing: Indexing
  database: Database
  /** what it said, newest last */
  said: string[]
  stop(): Promise<void>
  /** Copies its files as they are at this moment, as a kill would leave them, and ends it. */
  abandon(copyPath: string): Promise<void>
}

const TIMEOUT_MS = 150
const POLL_MS = 15

export async function startLife(dataPath: string, parts: LifeParts): Promise<Life> {
  const { rpcUrl, finality, identity, publishers, now } = parts
  await mkdir(dataPath, { recursive: true })
  const database = openDatabase(join(dataPath, 'catalogue.sqlite'))
  const rpc = createRpc(rpcUrl, { timeoutMs: TIMEOUT_MS })
  const said: string[] = []
  const indexing = startIndexing({
    database,
    batchesPath: join(dataPath, 'batches'),
    evidencePath: join(dataPath, 'evidence'),
    runsPath: join(dataPath, 'runs'),
    fetcher: new Fetcher({
      publishers,
      incomingPath: join(dataPath, 'incoming'),
      timeouts: {
        answerMs: TIMEOUT_MS,
        idleMs: TIMEOUT_MS,
        fileMs: 2 * TIMEOUT_MS,
        leastBytesPerSecond: 1024 * 1024,
      },
      pausesMs: [1],
    }),
    rpc,
    chain: chainFacts(rpc, { finality }),
    identity,
    mayLag: true,
    threads: 1,
    pollMs: POLL_MS,
    now,
    onTrouble: (message, error) =>
      void said.push(error instanceof Error ? `${message}: ${error.message}` : message),
  })
  const stop = async () => {
    await indexing.stop()
    database.close()
  }
  return {
    dataPath,
    indexing,
    database,
    said,
    stop,
    async abandon(copyPath) {
      // Nothing of this thread runs meanwhile; downloads and checks are wherever they are.
      cpSync(dataPath, copyPath, { recursive: true, filter: (path) => !path.endsWith('-shm') })
      await stop()
      await rm(dataPath, { recursive: true, force: true })
    },
  }
}
