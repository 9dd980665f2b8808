import { type RecordRef, type Rule, refOf } from './rule.ts'

/**
 * A request is answered once.
 *
 * A repetition of what was refused or has failed is a new try. Remembers the requests of the last `repeatMs`, at most
 * twice as long.
 */
export const duplicatedRequest: Rule = {
  name: 'duplicated-request',
  names: [],
  severity: 'medium',
  title: { en: 'Duplicated request', zh: '重复请求' },
  description: {
    en: 'A request that had been answered came again under the same request id.',
    zh: '已得到答复的请求以同一请求编号再次出现。',
  },
  watch(_facts, { repeatMs }) {
    let recent = new Map<string, RecordRef & { timeMs: number }>()
    let older: typeof recent = new Map()
    let turnedMs = Number.NEGATIVE_INFINITY
    return {
      *record(seen) {
        const { call, source, timeMs } = seen
        if (call?.outcome !== 'success') return
        if (timeMs >= turnedMs + repeatMs) {
          older = recent
          recent = new Map()
          turnedMs = timeMs
        }
        const { side, consumer, provider, requestId } = call
        const key = JSON.stringify([source, side, consumer, provider, requestId])
        const first = recent.get(key) ?? older.get(key)
        recent.set(key, { ...refOf(seen), timeMs: Math.max(timeMs, first?.timeMs ?? timeMs) })
        // The very record once more, as in two batches, is another matter.
        if (first === undefined || first.id === seen.id) return
        const afterMs = Math.abs(timeMs - first.timeMs)
        if (afterMs > repeatMs) return
        const values = { requestId, afterMs }
        yield { records: [refOf(seen)], evidence: [refOf(first)], values }
      },
    }
  },
}
