import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createApp, type Health } from '../api/app.ts'
import { listen } from '../api/listen.ts'
import type { Hex } from '../bytes/hex.ts'
import { devWallet } from '../chain/dev-accounts.ts'
import { startEmbeddedChain } from '../chain/embedded.ts'
import { chainFacts } from '../chain/facts.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { OperationError } from '../errors.ts'
import type { GatewayPolicy } from '../gateway/gateway.ts'
import { type Publishing, startPublishing } from '../gateway/service.ts'
import { type Indexing, startIndexing } from '../indexer/service.ts'
import { openDatabase } from '../store/database.ts'
import { lockFolder } from '../store/folder-lock.ts'
import { findOrDeployLedger } from './embedded-ledger.ts'

export interface SystemConfig {
  /** everything that must survive a restart */
  dataPath: string
  host: string
  /** 0 for any free one, as for `chainPort` */
  port: number
  chainPort: number
  policy: GatewayPolicy
  pollMs: number
  limits: { bodyBytes: number; submissionRecords: number }
  /** told what is being done while it starts */
  onProgress: (message: string) => void
  /** told of what goes wrong while it runs */
  onTrouble: (message: string, error?: unknown) => void
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
  const server = await listen(config.host, config.port)
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
    pollMs,
    now: Date.now,
    onTrouble,
  })
  started.push(() => publishing.stop())

  const { gateway, sealed, publisher } = publishing
  const { follower, finder, entries } = indexing
  const health = (): Health => {
    const problems = [...publishing.troubles(), ...indexing.troubles()]
    const saving = embedded.saveFailure()
    if (saving !== undefined) problems.push(`saving the chain: ${saving.message}`)
    return {
      status: problems.length === 0 ? 'ok' : 'degraded',
      problems,
      recordsWaiting: gateway.waitingRecords,
      batchesSealed: String(sealed.nextSequence(publisher)),
      batchesAnchored: String(publishing.anchored()),
      batchesVerified: entries.countInState('verified'),
      headBlock: String(follower.state.head),
      finalBlock: String(follower.state.finalBlock),
    }
  }
  const onFault = (error: unknown) => onTrouble('a request failed', error)
  const { limits } = config
  server.serve(createApp({ gateway, follower, finder, entries, sealed, identity, limits, health, onFault }))

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
