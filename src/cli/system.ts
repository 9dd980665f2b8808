import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ReadingMode } from '../api/access.ts'
import { createApp, type Health } from '../api/app.ts'
import type { BatchFileMode } from '../api/batch-files.ts'
import { BytesInFlight } from '../api/bytes-in-flight.ts'
import { createEvents } from '../api/events.ts'
import { type ClientTimeouts, listen } from '../api/listen.ts'
import { createMetrics } from '../api/metrics.ts'
import { Overview } from '../api/overview.ts'
import type { RequestSummary } from '../api/requests.ts'
import { MonthlyReports, sharedResources } from '../audit/monthly-reports.ts'
import type { Hex } from '../bytes/hex.ts'
import type { AnchorPolicy } from '../chain/anchor.ts'
import { breakerOf } from '../chain/breaker.ts'
import type { RightsIdentity } from '../chain/deploy.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { InputError, OperationError } from '../errors.ts'
import { Admission, type SubmissionMode } from '../gateway/admission.ts'
import type { GatewayPolicy } from '../gateway/gateway.ts'
import { type Publishing, type StallPolicy, startPublishing } from '../gateway/service.ts'
import { startIndexing } from '../indexer/service.ts'
import type { RulePolicy } from '../rules/policy.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { openDatabase } from '../store/database.ts'
import { lockFolder } from '../store/folder-lock.ts'
import { watchSource } from '../store/own-records.ts'
import { Sources } from '../store/sources.ts'
import type { AttachChain, AttachedChain } from './attached-chain.ts'
import { gatherFacts, indexingHealth } from './facts.ts'
import { startRecording } from './incidents.ts'
import { type Started, startParts } from './parts.ts'
import { startMakingRuns } from './runs.ts'

export interface SystemConfig {
  /** everything that must survive a restart */
  dataPath: string
  host: string
  /** 0 for any free one */
  port: number
  /** `embeddedChain` or `externalChain` */
  attachChain: AttachChain
  /** how transactions are sent, where it differs from the default */
  anchor?: Partial<AnchorPolicy>
  policy: GatewayPolicy
  stall: StallPolicy
  /** from sources that have neither a key nor a token */
  submissions: SubmissionMode
  batchFiles: BatchFileMode
  reading: ReadingMode
  /** how long a stretch of the ledger a run covers; none are made when it is 0 */
  runHours: number
  /** none are at work without it */
  rules?: RulePolicy
  pollMs: number
  /** see `IndexingOptions` */
  rightsStaleMs?: number
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

/** A running gateway, anchor, indexer and API, all in this process. */
export interface System {
  url: string
  /** the chain's URL and kind, for people */
  rpcUrl: string
  chainNote: string
  identity: LedgerIdentity
  rights: RightsIdentity | undefined
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
 * @throws {InputError} as does `AttachChain`
 */
export const startSystem = (config: SystemConfig): Promise<System> =>
  startParts((started) => assemble(config, started))

async function assemble(config: SystemConfig, started: Started): Promise<System> {
  const { dataPath, pollMs, onProgress, onTrouble } = config
  started.push(await lockFolder(dataPath))
  // The port before the chain: who starts a second system should hear of it at once.
  const server = await listen(config.host, config.port, config.timeouts)
  started.push(() => server.closeAll())

  const chain = await config.attachChain(dataPath, onProgress)
  started.push(() => chain.stop())
  const { rpc, identity, signer } = chain

  expectTrips(config.rules, chain)
  onProgress('reading the catalogue and the log')
  const database = openDatabase(join(dataPath, 'catalogue.sqlite'))
  started.push(() => database.close())
  const [batchesPath, logPath] = [join(dataPath, 'batches'), join(dataPath, 'log')]
  const own = signer.address.toLowerCase() as Hex // an ethers address in lowercase
  let working: Publishing | undefined
  const indexing = startIndexing({
    database,
    batchesPath,
    runsPath: join(dataPath, 'runs'),
    rpc,
    chain: chain.facts,
    identity,
    publisher: own,
    ...(chain.rights !== undefined && { rights: chain.rights }),
    ...(config.rightsStaleMs !== undefined && { rightsStaleMs: config.rightsStaleMs }),
    mayLag: chain.mayLag,
    evidencePath: join(dataPath, 'evidence'),
    // The disk is our own, and sealing needs the other core.
    threads: 1,
    ...(config.rules !== undefined && {
      rules: {
        policy: config.rules,
        source: watchSource(own),
        ...(chain.rights !== undefined && { breaker: breakerParts(chain, chain.rights) }),
        isBehind: () => working === undefined || isBusy(working),
      },
    }),
    now: Date.now,
    pollMs,
    onTrouble,
  })
  started.push(() => indexing.stop())
  const publishing = await startPublishing({
    database,
    logPath,
    batchesPath,
    rpc,
    identity,
    signer,
    anchor: config.anchor ?? {},
    policy: config.policy,
    stall: config.stall,
    pollMs,
    now: Date.now,
    onTrouble,
  })
  started.push(() => publishing.stop())
  working = publishing

  const { gateway, sealed, publisher } = publishing
  const sources = new Sources(database)
  const making =
    config.runHours === 0
      ? undefined
      : startMakingRuns({
          indexing,
          gateway,
          sources,
          chain: chain.facts,
          identity,
          signer,
          periodHours: config.runHours,
          pollMs,
          now: Date.now,
          onTrouble,
        })
  if (making !== undefined) started.push(() => making.stop())
  const batches = new BatchFolder(batchesPath)
  const recording = startRecording({
    database,
    erasing: { batches, logPath },
    gateway,
    sources,
    identity,
    signer,
    pollMs,
    now: Date.now,
    onTrouble,
  })
  started.push(() => recording.stop())
  const { follower, finder, histories, entries } = indexing
  const monthlyReports = new MonthlyReports({
    entries,
    follower,
    identity,
    batchesPath,
    shared: () => sharedResources(indexing.rights?.rights),
    workPath: join(dataPath, 'figures'),
  })
  started.push(() => monthlyReports.stop())
  const inFlight = new BytesInFlight(config.limits.inFlightBytes)
  const problems = () => [
    ...publishing.troubles(),
    ...indexing.troubles(),
    ...(making?.troubles() ?? []),
    ...recording.troubles(),
    ...chain.troubles(),
  ]
  const facts = () =>
    gatherFacts({ publishing, indexing, making, inFlight, problems: problems().length, now: Date.now })
  const metrics = createMetrics(facts)
  started.push(() => metrics.stop())
  const overview = new Overview({ facts, problems, entries, alerts: indexing.alerts, now: Date.now })
  const events = createEvents(() => overview.now, {
    onFault: (error) => onTrouble('the events ended', error),
  })
  started.push(() => events.close())
  const health = (): Health => {
    const found = problems()
    const now = facts()
    const { batches, publishing } = now
    return {
      status: found.length === 0 ? 'ok' : 'degraded',
      problems: found,
      recordsWaiting: publishing?.recordsWaiting ?? 0,
      batchesSealed: String(batches.sealed),
      batchesAnchored: String(batches.anchored),
      batchesNotAnchored: publishing?.backlog.batches ?? 0,
      oldestNotAnchoredSeconds: Math.round((publishing?.backlog.oldestMs ?? 0) / 1_000),
      ...indexingHealth(now),
    }
  }
  const { limits, onRequest } = config
  const admission = new Admission({
    intake: publishing.intake,
    sources,
    domain: identity,
    mode: config.submissions,
    maxRecords: limits.submissionRecords,
    lookup: (source, sequence) => gateway.lookup(source, sequence),
  })
  server.serve(
    createApp({
      publishing: {
        gateway,
        admission,
        sources,
        limits,
        inFlight,
        batchFiles: { batches, mode: config.batchFiles },
        transactionsBefore: publishing.transactionsBefore,
      },
      access: { tokens: sources, reading: config.reading },
      follower,
      finder,
      histories,
      evidence: indexing.evidence,
      monthlyReports,
      entries,
      alerts: indexing.alerts,
      ...(indexing.incidents !== undefined && { desk: indexing.incidents }),
      seen: indexing.seen,
      ...(indexing.rights !== undefined && {
        decisions: indexing.rights.decisions,
        rights: indexing.rights.rights,
        authorize: indexing.rights.authorize,
      }),
      sources: (limit) => sealed.sources(limit),
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

  let chainAlive = true
  const chainEnded = chain.ended.then((reason) => {
    chainAlive = false
    return reason
  })
  let stopping: Promise<void> | undefined
  const stop = async () => {
    server.close()
    events.close()
    await making?.stop()
    await recording.stop()
    await publishing.finish()
    await settle(publishing, pollMs, () => chainAlive)
    await server.answered(ANSWER_MS)
    await started.stopAll()
  }
  return {
    url: server.url,
    rpcUrl: chain.url,
    chainNote: chain.note,
    identity,
    rights: chain.rights,
    publisher,
    failed: Promise.race([
      chainEnded,
      failureOf(publishing.failed),
      failureOf(indexing.failed),
      ...(making === undefined ? [] : [failureOf(making.failed)]),
      failureOf(recording.failed),
    ]),
    stop: () => {
      stopping ??= stop()
      return stopping
    },
  }
}

/** Waits, not for ever, until everything sealed is on the chain; final it becomes without us. */
async function settle({ backlog }: Publishing, pollMs: number, canSettle: () => boolean): Promise<void> {
  const deadline = AbortSignal.timeout(DRAIN_MS)
  while (backlog.size > 0 && canSettle() && !deadline.aborted) await delay(pollMs)
}

/** @throws {InputError} `BAD_CONFIG` when rules are to trip what nobody can */
function expectTrips(
  rules: RulePolicy | undefined,
  { guardian, rights }: Pick<AttachedChain, 'guardian' | 'rights'>,
): void {
  if (rules === undefined || rules.trip.size === 0 || (guardian !== undefined && rights !== undefined)) return
  throw new InputError(
    'BAD_CONFIG',
    'the rules trip the breaker: name its contracts with --authorizations and its guardian with --guardian-keystore',
  )
}

const breakerParts = ({ rpc, guardian }: AttachedChain, rights: RightsIdentity) => ({
  rights,
  ...(guardian !== undefined && { trip: breakerOf({ rpc, signer: guardian }, rights.registry) }),
})

/** Whether records are on their way to the ledger. */
const isBusy = ({ gateway, backlog }: Publishing) => gateway.waitingRecords > 0 || backlog.size > 0

const failureOf = (work: Promise<never>): Promise<OperationError> =>
  work.catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return new OperationError('CHAIN_FAILED', `a part of the system failed: ${reason}`, { cause })
  })
