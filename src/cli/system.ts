import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createApp, type Health } from '../api/app.ts'
import { BytesInFlight } from '../api/bytes-in-flight.ts'
import { type ClientTimeouts, listen } from '../api/listen.ts'
import { createMetrics } from '../api/metrics.ts'
import type { RequestSummary } from '../api/requests.ts'
import type { Hex } from '../bytes/hex.ts'
import { devWallet } from '../chain/dev-accounts.ts'
import { startEmbeddedChain } from '../chain/embedded.ts'
import { chainFacts } from '../chain/facts.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { OperationError } from '../errors.ts'
import { Admission, type SubmissionMode } from '../gateway/admission.ts'
import type { GatewayPolicy } from '../gateway/gateway.ts'
import { type Publishing, type StallPolicy, startPublishing } from '../gateway/service.ts'
import { type Indexing, startIndexing } from '../indexer/service.ts'
import { openDatabase } from '../store/database.ts'
import { lockFolder } from '../store/folder-lock.ts'
import { Sources } from '../store/sources.ts'
import { findOrDeployLedger } from './embedded-ledger.ts'
import { gatherFacts } from './facts.ts'

export interface SystemConfig {
  /** everything that must survive a restart */
  dataPath: string
  host: string
  /** 0 for any free one, as for `chainPort` */
  port: number
  chainPort: number
  policy: GatewayPolicy
  stall: StallPolicy
  /** from sources that have neither a key nor a token */
  submissions: SubmissionMode
  pollMs: number
  /** `inFlightBytes` bounds the bodies of all requests together */
  limits: { bodyBytes: number; submissionRecords: number; inFlightBytes: number }
  timeouts?: ClientTimeouts
  /** told what is being done while it starts */
  onProgress: (message: string) => void
  /** told of what goes wrong while it runs */
  onTrouble: (message: string, error?: unknown, requestId?: string) => void
  /** told of every answered request */
  onRequest?: (summary: RequestSummary) => void
}

/** A running gateway, anchor, indexer and API over an embedded chain, all in this process. */
export interface System {
  url: string
  rpcUrl: string
  identity: LedgerIdentity
  publisher: Hex
  /** Resolves when the system can no longer work, with the reason. */
  failed: Promise<OperationError>
  /** Takes nothing new, finishes what it has taken, saves, and ends. */
  stop(): Promise<void>
}

/** How long `stop` waits for the chain. What is sealed and not anchored by then is anchored after the next start. */
const DRAIN_MS = 10_000
/** How long it then waits for answers on their way, such as to a client that has not sent all of its request. */
const ANSWER_MS = 1_000

/**
 * Starts everything, in the order in which the parts need each other.
 *
 * @throws {OperationError} `PORT_IN_USE`, `STORE_DAMAGED`, `STORE_FAILED` or `CHAIN_FAILED`; nothing is left running
 */
export async function startSystem(config: SystemConfig): Promise<System> {
  const started: (() => unknown)[] = []
  /** What is started last is ended first. */
  const stopAll = async () => {
    for (const stop of started.splice(0).reverse()) await stop()
  }
  try {
    return await assemble(config, started, stopAll)
  } catch (error) {
    await stopAll()
    throw error
  }
}

async function assemble(
  config: SystemConfig,
  started: (() => unknown)[],
  stopAll: () => Promise<void>,
): Promise<System> {
  const { dataPath, pollMs, onProgress, onTrouble } = config
  started.push(await lockFolder(dataPath))
  // The port before the chain: who starts a second system should hear of it at once.
  const server = await listen(config.host, config.port, config.timeouts)
  started.push(() => server.closeAll())

  onProgress('starting the embedded chain')
  const embedded = await startEmbeddedChain({
    stateFile: join(dataPath, 'chain', 'state.json.gz'),
    port: config.chainPort,
  })
  started.push(() => embedded.stop())
  const identity = await findOrDeployLedger(dataPath, embedded, onProgress)
  const { rpc } = embedded
  const chain = chainFacts(rpc, {
    finality: { kind: 'durable', durableBlock: () => embedded.durableBlock() },
  })

  onProgress('reading the catalogue and the log')
  const database = openDatabase(join(dataPath, 'catalogue.sqlite'))
  started.push(() => database.close())
  const batchesPath = join(dataPath, 'batches')
  const indexing = startIndexing({
    database,
    batchesPath,
    rpc,
    chain,
    identity,
    // There is no other node of this chain: blocks that it lacks are gone.
    mayLag: false,
    pollMs,
    onTrouble,
  })
  started.push(() => indexing.stop())
  const publishing = await startPublishing({
    database,
    logPath: join(dataPath, 'log'),
    batchesPath,
    rpc,
    identity,
    signer: devWallet('publisher', identity.chainId),
    policy: config.policy,
    stall: config.stall,
    pollMs,
    now: Date.now,
    onTrouble,
  })
  started.push(() => publishing.stop())

  const { gateway, sealed, publisher } = publishing
  const { follower, finder, histories, entries } = indexing
  const inFlight = new BytesInFlight(config.limits.inFlightBytes)
  const problems = (): string[] => {
    const saving = embedded.saveFailure()
    const bad = saving === undefined ? [] : [`saving the chain: ${saving.message}`]
    return [...publishing.troubles(), ...indexing.troubles(), ...bad]
  }
  const facts = () =>
    gatherFacts({ publishing, indexing, inFlight, problems: problems().length, now: Date.now })
  const metrics = createMetrics(facts)
  started.push(() => metrics.stop())
  const health = (): Health => {
    const found = problems()
    const { recordsWaiting, batches, backlog, headBlock, finalBlock } = facts()
    return {
      status: found.length === 0 ? 'ok' : 'degraded',
      problems: found,
      recordsWaiting,
      batchesSealed: String(batches.sealed),
      batchesAnchored: String(batches.anchored),
      batchesVerified: batches.verified,
      batchesNotAnchored: backlog.batches,
      oldestNotAnchoredSeconds: Math.round(backlog.oldestMs / 1_000),
      headBlock: String(headBlock),
      finalBlock: String(finalBlock),
    }
  }
  const { limits, onRequest } = config
  const admission = new Admission({
    sources: new Sources(database),
    domain: identity,
    mode: config.submissions,
    maxRecords: limits.submissionRecords,
    lookup: (source, sequence) => gateway.lookup(source, sequence),
  })
  server.serve(
    createApp({
      gateway,
      admission,
      follower,
      finder,
      histories,
      entries,
      sealed,
      identity,
      limits,
      inFlight,
      health,
      metrics: metrics.handler,
      onFault: (error, requestId) => onTrouble('a request failed', error, requestId),
      onRequest(summary) {
        metrics.onRequest(summary)
        onRequest?.(summary)
      },
    }),
  )

  let chainAlive = true
  const chainEnded = embedded.exited.then(({ output }) => {
    chainAlive = false
    return new OperationError('CHAIN_FAILED', `the embedded chain ended: ${output}`)
  })
  let stopping: Promise<void> | undefined
  const stop = async () => {
    server.close()
    await publishing.finish()
    await settle(publishing, indexing, pollMs, () => chainAlive)
    await server.answered(ANSWER_MS)
    await stopAll()
  }
  return {
    url: server.url,
    rpcUrl: embedded.url,
    identity,
    publisher,
    failed: Promise.race([chainEnded, failureOf(publishing.failed), failureOf(indexing.failed)]),
    stop: () => {
      stopping ??= stop()
      return stopping
    },
  }
}

/** Waits, not for ever, until everything sealed is final on the chain. */
async function settle(
  { sealed, publisher }: Publishing,
  { entries, follower }: Indexing,
  pollMs: number,
  canSettle: () => boolean,
): Promise<void> {
  const batches = sealed.nextSequence(publisher)
  const deadline = AbortSignal.timeout(DRAIN_MS)
  while (batches > 0n && canSettle() && !deadline.aborted) {
    const last = entries.ofBatch(publisher, batches - 1n)
    if (last !== undefined && follower.isFinal(last)) return
    await delay(pollMs)
  }
}

const failureOf = (work: Promise<never>): Promise<OperationError> =>
  work.catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return new OperationError('CHAIN_FAILED', `a part of the system failed: ${reason}`, { cause })
  })
