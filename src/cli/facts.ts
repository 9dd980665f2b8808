import type { BytesInFlight } from '../api/bytes-in-flight.ts'
import type { Facts } from '../api/metrics.ts'
import type { Publishing } from '../gateway/service.ts'
import type { Indexing } from '../indexer/service.ts'

interface FactSources {
  publishing: Publishing
  indexing: Indexing
  inFlight: BytesInFlight
  problems: number
  /** milliseconds since 1970 */
  now: () => number
}

/** What the running parts know of themselves, for health and metrics. */
export function gatherFacts({ publishing, indexing, inFlight, problems, now }: FactSources): Facts {
  const { gateway, sealed, publisher, backlog, transactions } = publishing
  const { follower, entries } = indexing
  const { head, finalBlock } = follower.state
  const [announced, fraud, withheld] = (['announced', 'fraud', 'withheld'] as const).map((state) =>
    entries.countInState(state),
  ) as [number, number, number] // one for each
  const promises = [gateway.anchorBy, backlog.anchorBy].filter((time) => time !== undefined)
  return {
    accepted: gateway.accepted,
    syncedGroups: publishing.syncedGroups(),
    transactions,
    batches: {
      sealed: Number(sealed.nextSequence(publisher)),
      anchored: Number(publishing.anchored()),
      final: entries.countUpTo(finalBlock),
      // Of the many states only this one is large, and counting it would read all of it.
      verified: follower.log.size - announced - fraud - withheld,
      fraud,
      withheld,
    },
    recordsWaiting: gateway.waitingRecords,
    backlog: { batches: backlog.size, oldestMs: backlog.ageMs(now()) },
    promiseMs: promises.length === 0 ? undefined : Math.min(...promises) - now(),
    bytesInFlight: inFlight.held,
    headBlock: head,
    finalBlock,
    problems,
  }
}
