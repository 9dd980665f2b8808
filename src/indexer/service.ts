import { setTimeout as delay } from 'node:timers/promises'
import type { Hex } from '../bytes/hex.ts'
import { authorizationSource } from '../chain/authorization-source.ts'
import { createAuthorizations } from '../chain/authorizations.ts'
import type { RightsIdentity } from '../chain/deploy.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import type { Rpc } from '../chain/rpc.ts'
import { OperationError } from '../errors.ts'
import type { FlowRecord } from '../record/index.ts'
import type { RulePolicy } from '../rules/policy.ts'
import { Alerts } from '../store/alerts.ts'
import { BatchCache } from '../store/batch-cache.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { ChainCursor } from '../store/chain-cursor.ts'
import type { Database } from '../store/database.ts'
import { Incidents } from '../store/incidents.ts'
import { JudgedBatches } from '../store/judged-batches.ts'
import { LedgerEntries } from '../store/ledger-entries.ts'
import { OwnRecords } from '../store/own-records.ts'
import { Runs } from '../store/runs.ts'
import { SealedBatches } from '../store/sealed-batches.ts'
import { SeenSubmissions } from '../store/seen-submissions.ts'
import { Trips } from '../store/trips.ts'
import type { ChainFacts } from '../verify/index.ts'
import { type FoundAuthorization, findAuthorization } from './authorize.ts'
import { BreakerKeeper, type BreakerParts } from './breaker-keeper.ts'
import { Checker } from './checker.ts'
import { Decisions } from './decisions.ts'
import type { Fetcher } from './fetcher.ts'
import { Finder } from './finder.ts'
import { Follower } from './follower.ts'
import { Histories } from './history.ts'
import { IncidentDesk } from './incident-desk.ts'
import { Rights } from './rights.ts'
import { RightsFollower } from './rights-follower.ts'
import { RuleKeeper } from './rule-keeper.ts'
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
  /** it is a trouble when what they say was not known up to the chain's head for so long */
  rightsStaleMs?: number
  /** see `Follower` */
  mayLag: boolean
  /** see `Checker` */
  evidencePath: string
  fetcher?: Fetcher
  /** that recompute batches */
  threads: number
  pollMs: number
  /** the rules of audit are not at work without it */
  rules?: RuleOptions
  /** milliseconds since 1970 */
  now: () => number
  /** told of what goes wrong and is tried again, and of every batch that is fraud or withheld */
  onTrouble: (message: string, error?: unknown) => void
}

interface RuleOptions {
  policy: RulePolicy
  /** of the records that say what was found and how it is handled; nothing submits them without one */
  source?: string
  /** what is tripped and recorded of the breaker; it needs a source */
  breaker?: Pick<BreakerParts, 'rights' | 'trip'>
  /** see `RuleKeeper` */
  isBehind?: () => boolean
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
  /** where rules are at work */
  incidents: IncidentDesk | undefined
  /** absent where nobody decides on calls */
  rights?: Rights
  decisions?: Decisions
  /** what goes wrong now, a sentence each */
  troubles(): string[]
  /** Rejects when the work cannot go on. */
  failed: Promise<never>
  stop(): Promise<void>
}

/** Batches kept open between questions, two file handles each at most. */
const OPEN_BATCHES = 128

const RIGHTS_STALE_MS = 60_000

/** Before a batch that is refused is tried again for the first time, or a run that could not be merged. */
const RETRY_MS = 5_000

export function startIndexing(options: IndexingOptions): Indexing {
  const { database, batchesPath, runsPath, rpc, chain, identity, publisher, mayLag, pollMs, onTrouble, now } =
    options
  const entries = new LedgerEntries(database)
  const alerts = new Alerts(database)
  const seen = new SeenSubmissions(database)
  const runs = new Runs(database)
  const judged = new JudgedBatches(database)
  const rights = options.rights && new Rights(database, options.rights.authorizations)
  const verdicts = new Verdicts({
    database,
    entries,
    alerts,
    seen,
    runs,
    ...(rights !== undefined && { grants: rights.grants }),
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
    takeBack(logIndex) {
      const last = judged.last()
      verdicts.takeBack(logIndex)
      if (last !== undefined && last.logIndex >= logIndex) ruleKeeper?.takeBack()
    },
    mayLag,
  })
  const rightsFollower =
    rights &&
    options.rights &&
    new RightsFollower({
      rpc,
      chain,
      identity: options.rights,
      rights,
      finalBlock: () => follower.state.finalBlock,
      mayLag,
      now,
    })
  const folder = new BatchFolder(batchesPath)
  const batches = new BatchCache(folder, OPEN_BATCHES)
  const checker = new Checker({
    batchesPath,
    evidencePath: options.evidencePath,
    entries,
    verdicts,
    domain: { chainId: identity.chainId, ledger: identity.ledger },
    ...(rights !== undefined && { authorizations: rights.authorizations }),
    threads: options.threads,
    now,
    retryMs: RETRY_MS,
    onPlaced: ({ publisher: of, sequence }) => batches.forget(of, sequence),
    ...(options.fetcher !== undefined && { fetcher: options.fetcher }),
  })
  const finder = new Finder({ follower, entries, batches, folder, ...identity })
  finder.warm()
  const source =
    options.rights && authorizationSource(rpc, chain, { ...options.rights, chainId: identity.chainId })
  const runKeeper = new RunKeeper({
    runs,
    entries,
    verdicts,
    batchesPath,
    runsPath,
    finalBlock: () => follower.state.finalBlock,
  })
  const histories = new Histories({ follower, entries, batches, folder, runs, runsPath, ...identity })

  const { rules } = options
  const trips = new Trips(database)
  const incidents =
    rules &&
    new IncidentDesk({
      database,
      incidents: new Incidents(database),
      judged,
      ...(rules.source !== undefined && {
        records: { own: new OwnRecords(database), source: rules.source },
      }),
      policy: rules.policy,
      trips,
      identity,
      now,
      onTrouble,
    })
  const ruleKeeper =
    rules &&
    new RuleKeeper({
      policy: rules.policy,
      cataloguePath: database.location() ?? '',
      judged,
      entries,
      seen,
      sealed: new SealedBatches(database),
      ...(publisher !== undefined && { publisher }),
      batchesPath,
      chain,
      finalBlock: () => follower.state.finalBlock,
      isBehind: () =>
        trouble.following !== undefined ||
        trouble.followingRights !== undefined ||
        rules.isBehind?.() === true,
      now,
      async raise(findings, logIndex) {
        await incidents?.raise(findings, logIndex)
        if (findings.length > 0) found.resolve()
      },
    })
  const breakerKeeper =
    rules?.breaker &&
    rules.source !== undefined &&
    new BreakerKeeper({
      ...rules.breaker,
      database,
      trips,
      records: { own: new OwnRecords(database), source: rules.source },
      rpc,
      chain,
      finalBlock: () => follower.state.finalBlock,
      onTrouble,
    })
  /** what rules have found may ask for a trip, which must not wait */
  let found = Promise.withResolvers<void>()

  const trouble: {
    following?: string
    followingRights?: string
    checking?: string
    merging?: string
    judging?: string
    breaking?: string
  } = {}
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

  async function followRights(): Promise<void> {
    while (!running.signal.aborted && rightsFollower !== undefined) {
      try {
        await rightsFollower.step()
        delete trouble.followingRights
      } catch (error) {
        report('followingRights', 'following the registry and the authorisations', error)
      }
      await pause()
    }
  }

  /** What decisions rest on is older than it should be. */
  function stale(): string[] {
    if (rights === undefined || rightsFollower === undefined) return []
    const behindMs = now() - rightsFollower.currentAt
    if (behindMs <= (options.rightsStaleMs ?? RIGHTS_STALE_MS)) return []
    const block = rights.cursor?.block.number ?? 'none'
    return [
      `decisions rest on block ${block}, and nothing newer was known for ${Math.round(behindMs / 1_000)} s`,
    ]
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

  async function judge(): Promise<void> {
    while (!running.signal.aborted && ruleKeeper !== undefined) {
      try {
        while (!running.signal.aborted && (await ruleKeeper.step())) delete trouble.judging
        delete trouble.judging
        incidents?.watch()
      } catch (error) {
        report('judging', 'judging by the rules', error)
        await pause(RETRY_MS)
      }
      await pause()
    }
  }

  async function guard(): Promise<void> {
    while (!running.signal.aborted && breakerKeeper) {
      try {
        while (await breakerKeeper.sendTrip());
        await breakerKeeper.follow()
        delete trouble.breaking
      } catch (error) {
        report('breaking', 'tripping or following the breaker', error)
      }
      await Promise.race([pause(), found.promise])
      found = Promise.withResolvers()
    }
  }

  // An aborted pause is how it ends.
  const pause = (ms = pollMs) => delay(ms, undefined, { signal: running.signal }).catch(() => undefined)
  const working = Promise.all([follow(), followRights(), check(), merge(), judge(), guard()])
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
    incidents,
    ...(rights !== undefined &&
      source !== undefined && {
        authorize: (call) => findAuthorization(call, rights.grants, source),
        rights,
        decisions: new Decisions({
          database,
          rights,
          contract: createAuthorizations(rpc, rights.authorizations),
          now,
        }),
      }),
    troubles() {
      const fraud = entries.countInState('fraud')
      const withheld = entries.countInState('withheld', publisher)
      const bad = fraud + withheld > 0 ? [`${fraud} batches are fraud, ${withheld} are withheld`] : []
      return [...Object.values(trouble), ...stale(), ...bad, ...(incidents?.troubles() ?? [])]
    },
    failed: failure.promise,
    async stop() {
      running.abort()
      await working.catch(() => undefined)
      await checker.stop()
      await finder.stop()
      await runKeeper.stop()
      await ruleKeeper?.stop()
      await batches.close()
    },
  }
}
