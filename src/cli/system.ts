import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createApp, type Health } from '../api/app.ts'
import type { LedgerIdentity } from '../api/ledger.ts'
import type { Hex } from '../bytes/hex.ts'
import { type AnchorState, createAnchor, DEFAULT_ANCHOR_POLICY } from '../chain/anchor.ts'
import { runAnchor } from '../chain/anchor-loop.ts'
import { deployLedger, isLedger } from '../chain/deploy.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../chain/dev-accounts.ts'
import { type EmbeddedChain, startEmbeddedChain } from '../chain/embedded.ts'
import { chainFacts } from '../chain/facts.ts'
import { createLedger } from '../chain/ledger.ts'
import { OperationError } from '../errors.ts'
import { Gateway, type GatewayPolicy } from '../gateway/gateway.ts'
import { recoverLog } from '../gateway/recover.ts'
import { Sealer } from '../gateway/sealer.ts'
import { Checker } from '../indexer/checker.ts'
import { Finder } from '../indexer/finder.ts'
import { Follower } from '../indexer/follower.ts'
import { BatchCache } from '../store/batch-cache.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { openDatabase } from '../store/database.ts'
import { lockFolder } from '../store/folder-lock.ts'
import { LedgerEntries } from '../store/ledger-entries.ts'
import { SealedBatches } from '../store/sealed-batches.ts'
import { transactionStore } from '../store/transactions.ts'
import { WriteAheadLog } from '../store/write-ahead-log.ts'
import { loadIdentity, saveIdentity } from './identity.ts'

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

/**
 * Starts everything, in the order in which the parts need each other.
 *
 * @throws {OperationError} `PORT_IN_USE`, `STORE_DAMAGED`, `STORE_FAILED` or `CHAIN_FAILED`; nothing is left running
 */
export async function startSystem(config: SystemConfig): Promise<System> {
  const undo: (() => Promise<unknown> | unknown)[] = []
  try {
    return await assemble(config, (stop) => undo.push(stop))
  } catch (error) {
    for (const stop of undo.reverse()) await Promise.resolve(stop()).catch(() => undefined)
    throw error
  }
}

async function assemble(config: SystemConfig, onUndo: (stop: () => unknown) => void): Promise<System> {
  const { dataPath, policy, onProgress, onTrouble } = config
  const unlock = await lockFolder(dataPath)
  onUndo(unlock)
  // The port first: a second `up` should say so before it touches a chain.
  const server = createServer()
  await listen(server, config.host, config.port)
  onUndo(() => server.close())

  onProgress('starting the embedded chain')
  const embedded = await startEmbeddedChain({
    stateFile: join(dataPath, 'chain', 'state.json.gz'),
    port: config.chainPort,
  })
  onUndo(() => embedded.stop())
  const identity = await findOrDeploy(config, embedded)

  const signer = devWallet('publisher', identity.chainId)
  const publisher = signer.address.toLowerCase() as Hex
  const { rpc } = embedded
  const facts = chainFacts(rpc, {
    finality: { kind: 'durable', durableBlock: () => embedded.durableBlock() },
  })

  onProgress('reading the catalogue and the log')
  const database = openDatabase(join(dataPath, 'catalogue.sqlite'))
  onUndo(() => database.close())
  const sealed = new SealedBatches(database)
  const entries = new LedgerEntries(database)
  const batchesPath = join(dataPath, 'batches')
  const batches = new BatchFolder(batchesPath)
  const cache = new BatchCache(batches, 128)
  const follower = new Follower({
    rpc,
    chain: facts,
    ledger: identity.ledger,
    deploymentBlock: identity.deploymentBlock,
    entries,
    mayLag: false,
  })
  await expectNoMoreOnChain(rpcLedger(), publisher, sealed)

  const logPath = join(dataPath, 'log')
  const recovered = await recoverLog(logPath, publisher, sealed)
  const trouble: Record<string, string | undefined> = {}
  const sealer = new Sealer({
    publisher,
    batchesPath,
    sealed,
    now: Date.now,
    retryMs: 1_000,
    onError: (error) => {
      trouble.seal = messageOf(error)
      onTrouble('a batch could not be sealed; trying again', error)
    },
  })
  sealer.onSealed(() => {
    trouble.seal = undefined
  })
  const log = await WriteAheadLog.open(logPath, recovered.next)
  const gateway = new Gateway({
    policy,
    log,
    sealer,
    sealed,
    batches,
    signer,
    domain: identity,
    now: Date.now,
    recovered: recovered.waiting,
  })
  for (const segment of recovered.segments) sealer.enqueue(segment)

  const checker = new Checker({
    batchesPath,
    entries,
    onAlert: ({ logIndex, state, reason }) => onTrouble(`ledger entry ${logIndex} is ${state}: ${reason}`),
  })
  const finder = new Finder({ follower, entries, batches: cache, ...identity })

  const running = new AbortController()
  let anchorState: AnchorState | undefined
  const anchoring = runAnchor({
    anchor: createAnchor({
      rpc,
      signer,
      ledger: identity.ledger,
      store: {
        headersFrom: (sequence, limit) => sealed.headersFrom(publisher, sequence, limit),
        ...transactionStore(database, publisher),
      },
      clock: Date.now,
      policy: DEFAULT_ANCHOR_POLICY,
    }),
    signal: running.signal,
    pollMs: config.pollMs,
    report(outcome) {
      trouble.anchor = outcome instanceof OperationError ? outcome.message : undefined
      if (outcome instanceof OperationError) onTrouble('anchoring failed; trying again', outcome)
      else anchorState = outcome
    },
  })
  const following = repeat(running.signal, config.pollMs, async () => {
    try {
      await follower.step()
      await checker.step()
      trouble.index = undefined
    } catch (error) {
      if (!(error instanceof OperationError)) throw error
      trouble.index = error.message
      onTrouble('following the chain failed; trying again', error)
    }
  })

  server.on(
    'request',
    createApp({
      gateway,
      follower,
      finder,
      entries,
      sealed,
      identity,
      limits: config.limits,
      health,
      onFault: (error) => onTrouble('a request failed', error),
    }),
  )

  function health(): Health {
    const problems = Object.entries(trouble).flatMap(([part, why]) =>
      why === undefined ? [] : [`${part}: ${why}`],
    )
    const saving = embedded.saveFailure()
    if (saving !== undefined) problems.push(`chain: ${saving.message}`)
    const fraud = entries.countInState('fraud')
    const withheld = entries.countInState('withheld')
    if (fraud + withheld > 0) problems.push(`index: ${fraud} batches are fraud, ${withheld} are withheld`)
    return {
      status: problems.length === 0 ? 'ok' : 'degraded',
      problems,
      recordsWaiting: gateway.waitingRecords,
      batchesSealed: String(sealed.nextSequence(publisher)),
      batchesAnchored: String(anchorState?.nextSequence ?? 0n),
      batchesVerified: entries.countInState('verified'),
      headBlock: String(follower.state.head),
      finalBlock: String(follower.state.finalBlock),
    }
  }

  function rpcLedger() {
    return createLedger(rpc, identity.ledger)
  }

  async function stop(): Promise<void> {
    server.close()
    server.closeIdleConnections()
    await gateway.stop()
    await drain()
    running.abort()
    await Promise.all([anchoring, following])
    await checker.stop()
    await cache.close()
    await embedded.stop()
    database.close()
    server.closeAllConnections()
    await unlock()
  }

  /** Waits, not for ever, until what was sealed is on the chain and indexed. */
  async function drain(): Promise<void> {
    const deadline = AbortSignal.timeout(10_000)
    const size = sealed.nextSequence(publisher)
    while (!deadline.aborted && !gone.aborted) {
      const last = size === 0n ? undefined : entries.ofBatch(publisher, size - 1n)
      if (size === 0n || (last !== undefined && follower.isFinal(last))) return
      await delay(config.pollMs)
    }
  }

  const ended = new AbortController()
  const gone = ended.signal
  const failed = Promise.race([
    embedded.exited.then(({ output }) => {
      ended.abort()
      return new OperationError('CHAIN_FAILED', `the embedded chain ended: ${output}`)
    }),
    ...[anchoring, following].map((work) =>
      work.then(
        () => new Promise<never>(() => undefined),
        (cause: unknown) =>
          new OperationError('CHAIN_FAILED', `a part of the system failed: ${messageOf(cause)}`, { cause }),
      ),
    ),
  ])

  let stopping: Promise<void> | undefined
  return {
    url: `http://${hostOf(config.host)}:${(server.address() as AddressInfo).port}`,
    rpcUrl: embedded.url,
    identity,
    publisher,
    failed,
    stop: () => {
      stopping ??= stop()
      return stopping
    },
  }
}

/** The ledger of this data folder, or a new one when the folder is new. */
async function findOrDeploy({ dataPath, onProgress }: SystemConfig, { rpc, durableBlock }: EmbeddedChain) {
  const path = join(dataPath, 'ledger.json')
  const known = await loadIdentity(path)
  if (known !== undefined) {
    if (await isLedger(rpc, known.ledger)) return known
    throw new OperationError(
      'STORE_DAMAGED',
      `the embedded chain in ${dataPath} has lost ledger ${known.ledger}: restore its state file, or start a new data folder`,
      { retryable: false },
    )
  }
  onProgress('deploying the ledger contract')
  const { address, deploymentBlock } = await deployLedger({
    rpc,
    signer: devWallet('admin', LOCAL_CHAIN_ID),
    artifact: await loadArtifact(),
    publishers: [devWallet('publisher', LOCAL_CHAIN_ID).address.toLowerCase() as Hex],
  })
  const identity = { chainId: LOCAL_CHAIN_ID, ledger: address, deploymentBlock }
  while (durableBlock() < deploymentBlock + 1n) await delay(10)
  await saveIdentity(path, identity)
  return identity
}

async function loadArtifact(): Promise<{ bytecode: string }> {
  const url = new URL('../../artifacts/contracts/Ledger.sol/Ledger.json', import.meta.url)
  try {
    return JSON.parse(await readFile(url, 'utf8')) as { bytecode: string }
  } catch (cause) {
    throw new OperationError('CHAIN_FAILED', 'the contracts are not compiled: run npm run setup', {
      cause,
      retryable: false,
    })
  }
}

/** The chain must not hold batches of ours that this folder does not know: the next would take their numbers. */
async function expectNoMoreOnChain(
  ledger: ReturnType<typeof createLedger>,
  publisher: Hex,
  sealed: SealedBatches,
): Promise<void> {
  const { nextSequence } = await ledger.publisher(publisher)
  const known = sealed.nextSequence(publisher)
  if (nextSequence > known) {
    throw new OperationError(
      'STORE_DAMAGED',
      `the chain holds ${nextSequence} batches of ${publisher}, the catalogue knows ${known}: restore the data folder`,
      { retryable: false },
    )
  }
}

async function repeat(signal: AbortSignal, pauseMs: number, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work()
    await delay(pauseMs, undefined, { signal }).catch(() => undefined)
  }
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        cause.code === 'EADDRINUSE'
          ? new OperationError(
              'PORT_IN_USE',
              `port ${port} is in use: end what listens there, or choose another with --port`,
              {
                cause,
                retryable: false,
              },
            )
          : new OperationError('STORE_FAILED', `cannot listen on ${host}:${port}: ${cause.message}`, {
              cause,
            }),
      )
    })
    server.listen(port, host, resolve)
  })
}

const hostOf = (host: string) => (host.includes(':') ? `[${host}]` : host)

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
