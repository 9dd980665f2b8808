import type { BytesInFlight } from '../api/bytes-in-flight.ts'
import type { Facts, PublishingFacts } from '../api/metrics.ts'
import type { Publishing } from '../gateway/service.ts'
import type { Indexing } from '../indexer/service.ts'
import type { Clocks } from '../store/incidents.ts'
import type { MakingRuns } from './runs.ts'

interface FactSources {
  /** absent in an indexer */
  publishing?: Publishing
  inFlight?: BytesInFlight
  indexing: Indexing
  /** absent where no runs are made */
  making?: MakingRuns | undefined
  problems: number
  /** milliseconds since 1970 */
  now: () => number
}

/** What the running parts know of themselves, for health and metrics. */
export function gatherFacts({ publishing, indexing, making, inFlight, problems, now }: FactSources): Facts {
  const { follower, entries, alerts, rights } = indexing
  const { head, scannedBlock, finalBlock } = follower.state
  const cursor = rights?.rights.cursor
  const [announced, fraud, withheld] = (['announced', 'fraud', 'withheld'] as const).map((state) =>
    entries.countInState(state),
  ) as [number, number, number] // one for each
  return {
    batches: {
      ...(publishing !== undefined && {
        sealed: Number(publishing.sealed.nextSequence(publishing.publisher)),
        anchored: Number(publishing.anchored()),
      }),
      final: entries.countUpTo(finalBlock),
      // Of the many states only this one is large, and counting it would read all of it.
      verified: entries.size() - announced - fraud - withheld,
      fraud,
      withheld,
    },
    ...(publishing !== undefined && { publishing: publishingFacts(publishing, inFlight?.held ?? 0, now()) }),
    runs: { ...indexing.runs.counts(), ...(making !== undefined && { skipped: making.skipped() }) },
    openAlerts: alerts.countOpen(),
    evidenceMissing: indexing.evidenceMissing(),
    ...(indexing.incidents !== undefined && { clocks: clocksNow(indexing.incidents.clocks(), now()) }),
    headBlock: head,
    scannedBlock,
    finalBlock,
    ...(cursor !== undefined && { rightsBlock: cursor.block.number }),
    problems,
  }
}

const clocksNow = ({ running, overdue, nearest }: Clocks, now: number) => ({
  running,
  overdue,
  leftMs: nearest === undefined ? undefined : nearest - now,
})

function publishingFacts(publishing: Publishing, bytesInFlight: number, now: number): PublishingFacts {
  const { gateway, backlog, transactions } = publishing
  const promises = [gateway.anchorBy, backlog.anchorBy].filter((time) => time !== undefined)
  return {
    accepted: gateway.accepted,
    syncedGroups: publishing.syncedGroups(),
    transactions,
    recordsWaiting: gateway.waitingRecords,
    bytesWaiting: gateway.waitingBytes,
    backlog: { batches: backlog.size, oldestMs: backlog.ageMs(now) },
    promiseMs: promises.length === 0 ? undefined : Math.min(...promises) - now,
    bytesInFlight,
  }
}

/** What /healthz says of what an indexer does; a gateway has more to say. */
export const indexingHealth = ({
  batches,
  runs,
  openAlerts,
  clocks,
  headBlock,
  scannedBlock,
  finalBlock,
  rightsBlock,
}: Facts) => ({
  batchesVerified: batches.verified ?? 0,
  runs,
  openAlerts,
  ...(clocks !== undefined && {
    alertsToReport: clocks.running,
    alertsOverdue: clocks.overdue,
    ...(clocks.leftMs !== undefined && { nearestDeadlineSeconds: Math.round(clocks.leftMs / 1_000) }),
  }),
  headBlock: String(headBlock),
  scannedBlock: String(scannedBlock),
  finalBlock: String(finalBlock),
  ...(rightsBlock !== undefined && { rightsBlock: String(rightsBlock) }),
})
