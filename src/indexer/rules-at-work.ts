import type { LedgerIdentity } from '../chain/ledger.ts'
import type { Rpc } from '../chain/rpc.ts'
import type { RulePolicy } from '../rules/policy.ts'
import type { Database } from '../store/database.ts'
import { Incidents } from '../store/incidents.ts'
import type { JudgedBatches } from '../store/judged-batches.ts'
import { OwnRecords } from '../store/own-records.ts'
import { SealedBatches } from '../store/sealed-batches.ts'
import { Trips } from '../store/trips.ts'
import type { ChainFacts } from '../verify/index.ts'
import { BreakerKeeper, type BreakerParts } from './breaker-keeper.ts'
import { IncidentDesk } from './incident-desk.ts'
import type { Loops } from './loops.ts'
import { RuleKeeper, type RuleKeeperParts } from './rule-keeper.ts'

export interface RuleOptions {
  policy: RulePolicy
  /** of the records that say what was found and how it is handled; nothing submits them without one */
  source?: string
  /** what is tripped and recorded of the breaker; it needs a source */
  breaker?: Pick<BreakerParts, 'rights' | 'trip'>
  /** see `RuleKeeper` */
  isBehind?: () => boolean
}

interface Parts
  extends Pick<
    RuleKeeperParts,
    'entries' | 'seen' | 'publisher' | 'batchesPath' | 'finalBlock' | 'isBehind'
  > {
  database: Database
  judged: JudgedBatches
  rpc: Rpc
  chain: ChainFacts
  identity: LedgerIdentity
  loops: Loops
  /** after a batch could not be judged */
  retryMs: number
  now: () => number
  onTrouble: (message: string, error?: unknown) => void
}

/** The rules of audit at work: what they find is raised, watched, and trips the breaker where that is wanted. */
export interface RulesAtWork {
  incidents: IncidentDesk
  /** A reorg took entries back that were judged. */
  takeBack(): void
  stop(): Promise<void>
}

export function startRules(
  { policy, source, breaker }: RuleOptions,
  { loops, retryMs, rpc, identity, ...parts }: Parts,
): RulesAtWork {
  const { database, judged, chain, finalBlock, now, onTrouble } = parts
  const trips = new Trips(database)
  const records = source === undefined ? undefined : { own: new OwnRecords(database), source }
  const incidents = new IncidentDesk({
    database,
    incidents: new Incidents(database),
    judged,
    ...(records !== undefined && { records }),
    policy,
    trips,
    identity,
    now,
    onTrouble,
  })
  /** what rules have found may ask for a trip, which must not wait */
  let found = Promise.withResolvers<void>()
  const keeper = new RuleKeeper({
    ...parts,
    policy,
    cataloguePath: database.location() ?? '',
    sealed: new SealedBatches(database),
    async raise(findings, logIndex) {
      await incidents.raise(findings, logIndex)
      if (findings.length > 0) found.resolve()
    },
  })
  loops.start({
    what: 'judging by the rules',
    retryMs,
    async step() {
      if (await keeper.step()) return true
      incidents.watch()
      return false
    },
  })
  if (breaker !== undefined && records !== undefined) {
    const guard = new BreakerKeeper({
      ...breaker,
      database,
      trips,
      records,
      rpc,
      chain,
      finalBlock,
      onTrouble,
    })
    loops.start({
      what: 'tripping or following the breaker',
      async step() {
        if (await guard.sendTrip()) return true
        await guard.follow()
        return false
      },
      async wake() {
        await found.promise
        found = Promise.withResolvers()
      },
    })
  }
  return { incidents, takeBack: () => keeper.takeBack(), stop: () => keeper.stop() }
}
