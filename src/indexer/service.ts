import type { Hex } from '../bytes/hex.ts'
import type { RightsIdentity } from '../chain/deploy.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import type { Rpc } from '../chain/rpc.ts'
import { Alerts } from '../store/alerts.ts'
import { BatchCache } from '../store/batch-cache.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { ChainCursor } from '../store/chain-cursor.ts'
import type { Database } from '../store/database.ts'
import { Erasures } from '../store/erasures.ts'
import { EvidenceStore } from '../store/evidence.ts'
import { JudgedBatches } from '../store/judged-batches.ts'
import { LedgerEntries } from '../store/ledger-entries.ts'
import { Runs } from '../store/runs.ts'
import { SeenSubmissions } from '../store/seen-submissions.ts'
import type { ChainFacts } from '../verify/index.ts'
import { Checker } from './checker.ts'
import { EvidenceKeeper } from './evidence-keeper.ts'
import { EvidenceMaker } from './evidence-maker.ts'
import type { Fetcher } from './fetcher.ts'
import { Finder } from './finder.ts'
import { Follower } from './follower.ts'
import { Histories } from './history.ts'
import type { IncidentDesk } from './incident-desk.ts'
import { Loops } from './loops.ts'
import { Rights } from './rights.ts'
import { type RightsAtWork, startRights } from './rights-at-work.ts'
import { type RuleOptions, startRules } from './rules-at-work.ts'
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
  evidence: EvidenceMaker
  /** transactions of the ledger of which no evidence is captured yet */
  evidenceMissing(): number
  /** where rules are at work */
  incidents: IncidentDesk | undefined
  /** where a contract decides on calls */
  rights: RightsAtWork | undefined
  /** what goes wrong now, a sentence each */
  troubles(): string[]
  /** Rejects when the work cannot go on. */
  failed: Promise<never>
  stop(): Promise<void>
}

/** Batches kept open between questions, two file handles each at most. */
const OPEN_BATCHES = 128

const RIGHTS_STALE_MS = 60_000

const FOLLOWING = 'following the chain'
const CHECKING = 'checking batches'

/** Before a batch that is refused is tried again for the first time, or a run that could not be merged. */
const RETRY_MS = 5_000

export function startIndexing(options: IndexingOptions): Indexing {
  const { database, batchesPath, runsPath, rpc, chain, identity, publisher, mayLag, pollMs, onTrouble, now } =
    options
  const loops = new Loops({ pollMs, onTrouble })
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
      if (last !== undefined && last.logIndex >= logIndex) rules?.takeBack()
    },
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
    ...(rights !== undefined && { authorizations: rights.authorizations }),
    threads: options.threads,
    now,
    retryMs: RETRY_MS,
    onPlaced: ({ publisher: of, sequence }) => batches.forget(of, sequence),
    ...(options.fetcher !== undefined && { fetcher: options.fetcher }),
  })
  const finder = new Finder({
    follower,
    entries,
    batches,
    folder,
    erasures: new Erasures(database),
    ...identity,
  })
  finder.warm()
  const runKeeper = new RunKeeper({
    runs,
    entries,
    verdicts,
    batchesPath,
    runsPath,
    finalBlock: () => follower.state.finalBlock,
  })
  const histories = new Histories({ follower, entries, batches, folder, runs, runsPath, ...identity })

  loops.start({ what: FOLLOWING, step: () => follower.step() })
  loops.start({
    what: CHECKING,
    // It goes on by itself, and reports by itself.
    step: async () => checker.start((error) => loops.report(CHECKING, error)),
  })
  // It reads many files.
  loops.start({ what: 'merging runs', step: () => runKeeper.step(), retryMs: RETRY_MS })
  const finalBlock = () => follower.state.finalBlock
  const evidence = new EvidenceStore(database)
  const keeper = new EvidenceKeeper({ rpc, ledger: identity.ledger, store: evidence, finalBlock, now })
  loops.start({ what: 'capturing evidence', step: () => keeper.step() })
  const rightsAtWork =
    rights &&
    options.rights &&
    startRights({
      database,
      rights,
      identity: { ...options.rights, chainId: identity.chainId },
      rpc,
      chain,
      finalBlock,
      mayLag,
      staleMs: options.rightsStaleMs ?? RIGHTS_STALE_MS,
      loops,
      now,
    })
  const rules =
    options.rules &&
    startRules(options.rules, {
      database,
      judged,
      entries,
      seen,
      ...(publisher !== undefined && { publisher }),
      batchesPath,
      rpc,
      chain,
      identity,
      finalBlock,
      isBehind: () =>
        loops.isTroubled(FOLLOWING) ||
        rightsAtWork?.isBehind() === true ||
        options.rules?.isBehind?.() === true,
      loops,
      retryMs: RETRY_MS,
      now,
      onTrouble,
    })

  return {
    follower,
    finder,
    histories,
    entries,
    alerts,
    seen,
    runs,
    runKeeper,
    evidence: new EvidenceMaker({ rpc, chain, store: evidence, follower }),
    evidenceMissing: () => evidence.countMissing(),
    incidents: rules?.incidents,
    rights: rightsAtWork,
    troubles() {
      const fraud = entries.countInState('fraud')
      const withheld = entries.countInState('withheld', publisher)
      const bad = fraud + withheld > 0 ? [`${fraud} batches are fraud, ${withheld} are withheld`] : []
      return [
        ...loops.troubles(),
        ...(rightsAtWork?.troubles() ?? []),
        ...bad,
        ...(rules?.incidents.troubles() ?? []),
      ]
    },
    failed: loops.failed,
    async stop() {
      await loops.stop()
      await checker.stop()
      await finder.stop()
      await runKeeper.stop()
      await rules?.stop()
      await batches.close()
    },
  }
}
