import { type RecordRef, type Rule, refOf } from './rule.ts'

/**
 * A source is never silent for long, and numbers its submissions without gaps.
 *
 * Whoever sends heartbeats has promised to go on. Remembers the last record and the last number of every source.
 */
export const silentSource: Rule = {
  name: 'silent-source',
  severity: 'medium',
  title: { en: 'Silent source', zh: '来源静默或断号' },
  description: {
    en: 'A source that sends heartbeats has said nothing for too long, or numbers of its submissions are missing.',
    zh: '定期发送心跳的来源长时间没有任何记录，或其提交的序号出现缺口。',
  },
  watch(_facts, { silenceMs }) {
    const last = new Map<string, RecordRef & { timeMs: number; beats: boolean }>()
    const numbers = new Map<string, bigint>()
    const silence = (before: RecordRef & { timeMs: number }, untilMs: number, after: RecordRef[]) => ({
      records: [refOf(before)],
      evidence: after,
      values: { source: before.source, fault: 'silence', silentMs: untilMs - before.timeMs },
    })
    return {
      *record(seen) {
        const { source, timeMs, record } = seen
        const before = last.get(source)
        const beats = record.type === 'tidemark.heartbeat.v1' || (before?.beats ?? false)
        last.set(source, { ...refOf(seen), timeMs, beats })
        if (before?.beats && timeMs - before.timeMs > silenceMs) yield silence(before, timeMs, [refOf(seen)])
      },
      *submission({ source, sequence, first }) {
        const before = numbers.get(source)
        if (before !== undefined && sequence <= before) return
        numbers.set(source, sequence)
        if (before === undefined || sequence === before + 1n) return
        const values = {
          source,
          fault: 'gap',
          firstMissing: String(before + 1n),
          lastMissing: String(sequence - 1n),
        }
        yield { records: [{ source, id: first }], evidence: [], values }
      },
      *end(untilMs) {
        for (const before of last.values()) {
          if (before.beats && untilMs - before.timeMs > silenceMs) yield silence(before, untilMs, [])
        }
      },
    }
  },
}
