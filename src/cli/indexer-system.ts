import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { ReadingMode } from '../api/access.ts'
import { createApp, type Health } from '../api/app.ts'
import { createEvents } from '../api/events.ts'
import { listen } from '../api/listen.ts'
import { createMetrics } from '../api/metrics.ts'
import { Overview } from '../api/overview.ts'
import type { RequestSummary } from '../api/requests.ts'
import { MonthlyReports, sharedResources } from '../audit/monthly-reports.ts'
import type { Hex } from '../bytes/hex.ts'
import { chainFacts, type Finality, fetchChainId } from '../chain/facts.ts'
import { createLedger, type LedgerIdentity } from '../chain/ledger.ts'
import { createRpc } from '../chain/rpc.ts'
import { InputError, OperationError } from '../errors.ts'
import { Fetcher, type PublisherAddress } from '../indexer/fetcher.ts'
import { type Indexing, startIndexing } from '../indexer/service.ts'
import type { RulePolicy } from '../rules/policy.ts'
import { openDatabase } from '../store/database.ts'
import { lockFolder } from '../store/folder-lock.ts'
import { Sources } from '../store/sources.ts'
import { attachRights } from './external-chain.ts'
import { gatherFacts, indexingHealth } from './facts.ts'
import { type FolderIdentity, identityPath, loadIdentity, saveIdentity } from './identity.ts'
import { type Started, startParts } from './parts.ts'

export interface IndexerConfig {
  rpcUrl: string
  ledger: Hex
  /** the contract that decides on calls; once named, the folder keeps it */
  authorizations?: Hex
  finality: Finality
  /** catalogue, fetched batches and evidence */
  dataPath: string
  /** where the batches come from: a folder, or their publishers */
  batches: { folder: string } | { publishers: ReadonlyMap<Hex, PublisherAddress> }
  host: string
  port: number
  reading: ReadingMode
  pollMs: number
  /** none are at work without it */
  rules?: RulePolicy
  onTrouble: (message: string, error?: unknown, requestId?: string) => void
  onRequest?: (summary: RequestSummary) => void
}

/** A running indexer with its API. */
export interface IndexerSystem {
  url: string
  identity: LedgerIdentity
  indexing: Indexing
  /** Rejects when the work cannot go on. */
  failed: Promise<never>
  stop(): Promise<void>
}

/** How long `stop` waits for answers on their way. */
const ANSWER_MS = 1_000

/** @throws {OperationError} when the folder, the port or the chain cannot be had; nothing is left running */
export const startIndexerSystem = (config: IndexerConfig): Promise<IndexerSystem> =>
  startParts((started) => assemble(config, started))

async function assemble(config: IndexerConfig, started: Started): Promise<IndexerSystem> {
  const { dataPath, onTrouble, onRequest, pollMs, batches } = config
  await mkdir(dataPath, { recursive: true })
  started.push(await lockFolder(dataPath))
  const server = await listen(config.host, config.port)
  started.push(() => server.closeAll())
  const rpc = createRpc(config.rpcUrl)
  const { rights, ...identity } = await identify(config)
  const database = openDatabase(join(dataPath, 'catalogue.sqlite'), 'rebuildable')
  started.push(() => database.close())

  const fetching = 'publishers' in batches
  const batchesPath = fetching ? join(dataPath, 'batches') : batches.folder
  const indexing = startIndexing({
    database,
    batchesPath,
    runsPath: join(dataPath, 'runs'),
    evidencePath: join(dataPath, 'evidence'),
    ...(fetching && {
      fetcher: new Fetcher({ publishers: batches.publishers, incomingPath: join(dataPath, 'incoming') }),
    }),
    rpc,
    chain: chainFacts(rpc, { finality: config.finality }),
    identity,
    ...(rights !== undefined && { rights }),
    mayLag: true,
    threads: availableParallelism(),
    pollMs,
    ...(config.rules !== undefined && { rules: { policy: config.rules } }),
    now: Date.now,
    onTrouble,
  })
  started.push(() => indexing.stop())

  const { follower, finder, entries, alerts, seen } = indexing
  const monthlyReports = new MonthlyReports({
    entries,
    follower,
    identity,
    batchesPath,
    shared: () => sharedResources(indexing.rights?.rights),
    workPath: join(dataPath, 'figures'),
  })
  started.push(() => monthlyReports.stop())
  const facts = () => gatherFacts({ indexing, problems: indexing.troubles().length, now: Date.now })
  const metrics = createMetrics(facts)
  started.push(() => metrics.stop())
  const overview = new Overview({ facts, problems: indexing.troubles, entries, alerts, now: Date.now })
  const events = createEvents(() => overview.now, {
    onFault: (error) => onTrouble('the events ended', error),
  })
  started.push(() => events.close())
  const health = (): Health => {
    const problems = indexing.troubles()
    return { status: problems.length === 0 ? 'ok' : 'degraded', problems, ...indexingHealth(facts()) }
  }
  server.serve(
    createApp({
      access: { tokens: new Sources(database), reading: config.reading },
      follower,
      finder,
      histories: indexing.histories,
      evidence: indexing.evidence,
      monthlyReports,
      entries,
      alerts,
      ...(indexing.incidents !== undefined && { desk: indexing.incidents }),
      seen,
      ...(indexing.rights !== undefined && {
        decisions: indexing.rights.decisions,
        rights: indexing.rights.rights,
        authorize: indexing.rights.authorize,
      }),
      sources: (limit) => seen.sources(limit),
      identity,
      health,
      metrics: metrics.handler,
      events: events.handler,
      onFault: (error, requestId) => onTrouble('a request failed', error, requestId),
      onRequest(summary) {
        metrics.onRequest(summary)
        onRequest?.(summary)
      },
    }),
  )
  let stopping: Promise<void> | undefined
  const stop = async () => {
    server.close()
    events.close()
    await server.answered(ANSWER_MS)
    await started.stopAll()
  }
  return {
    url: server.url,
    identity,
    indexing,
    failed: indexing.failed,
    stop: () => {
      stopping ??= stop()
      return stopping
    },
  }
}

/** What the folder was made for, or what the chain says of the ledger; a catalogue is of one ledger. */
async function identify(config: IndexerConfig): Promise<FolderIdentity> {
  const { rpcUrl, ledger, authorizations, dataPath } = config
  const path = identityPath(dataPath)
  const rpc = createRpc(rpcUrl)
  const [known, chainId] = [await loadIdentity(path), await fetchChainId(rpc)]
  if (known === undefined) {
    const deploymentBlock = await createLedger(rpc, ledger).deploymentBlock()
    const rights = await attachRights(rpc, dataPath, undefined, authorizations)
    const identity = { chainId, ledger, deploymentBlock, ...(rights !== undefined && { rights }) }
    await saveIdentity(path, identity)
    return identity
  }
  if (known.ledger !== ledger) {
    throw new InputError(
      'BAD_ARGUMENT',
      `${dataPath} is of ledger ${known.ledger}: choose another with --data`,
    )
  }
  if (known.chainId !== chainId) {
    throw new OperationError(
      'CHAIN_FAILED',
      `${dataPath} is of chain ${known.chainId}, the node is one of chain ${chainId}`,
      { retryable: false },
    )
  }
  const rights = await attachRights(rpc, dataPath, known.rights, authorizations)
  if (rights === known.rights) return known
  const identity = { ...known, ...(rights !== undefined && { rights }) }
  await saveIdentity(path, identity)
  return identity
}
