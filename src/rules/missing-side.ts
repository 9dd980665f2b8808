import { accountOf, type CallAccount, type Reconciled, reconcile, WINDOW_MS } from './reconcile.ts'
import { type Match, type Rule, refOf } from './rule.ts'

/**
 * Both sides of a call tell it, and alike.
 *
 * Says what `reconcile` says of everything at once, and remembers the calls of the last 60 seconds.
 */
export const missingSide: Rule = {
  name: 'missing-side',
  names: [],
  severity: 'medium',
  title: { en: 'One side missing or in disagreement', zh: '双方记录缺失或不一致' },
  description: {
    en: 'Only one side of a call has a record of it, or both have and do not say the same.',
    zh: '一次调用只有一方留有记录，或双方记录内容不一致。',
  },
  watch(facts) {
    /** by request, the one that was told last at the end */
    const waiting = new Map<string, { told: CallAccount[]; lastMs: number }>()

    /** Accounts that lie further apart can neither meet nor repeat each other. */
    function* settle(beforeMs: number): Generator<Match> {
      for (const [requestId, { told, lastMs }] of waiting) {
        if (lastMs >= beforeMs) return
        waiting.delete(requestId)
        for (const result of reconcile(told)) {
          if (facts.isWhole || result.kind !== 'orphan') yield* matchOf(result)
        }
      }
    }

    return {
      *record(seen) {
        const { call, timeMs } = seen
        yield* settle(timeMs - WINDOW_MS)
        if (call === undefined) return
        const { requestId } = call
        const { told = [], lastMs = timeMs } = waiting.get(requestId) ?? {}
        told.push({ ...accountOf(seen.record), ...(seen.place !== undefined && { place: seen.place }) })
        waiting.delete(requestId)
        waiting.set(requestId, { told, lastMs: Math.max(lastMs, timeMs) })
      },
      *tick(nowMs) {
        yield* settle(nowMs - WINDOW_MS)
      },
      *end() {
        yield* settle(Number.POSITIVE_INFINITY)
      },
    }
  },
}

function* matchOf({
  kind,
  requestId,
  consumer,
  provider,
  silent,
  disagreements,
}: Reconciled): Generator<Match> {
  if (kind !== 'orphan' && kind !== 'orphan pair') return
  const told = [consumer, provider].filter((account) => account !== undefined)
  const [first] = told
  if (first === undefined) return
  const values =
    silent === undefined
      ? { requestId, disagreeOn: disagreements.map(({ member }) => member).join(', ') }
      : { requestId, silent: first[silent], silentSide: silent }
  yield { records: told.map(refOf), evidence: [], values }
}
