import { firstOf, type Match, type RecordRef, type Rule, refOf } from './rule.ts'

/**
 * A source is never silent for long, and numbers its submissions without gaps.
 *
 * Whoever sends heartbeats has promised to go on. Remembers the last record and the last number of every source.
 */
export const silentSource: Rule = {
  name: 'silent-source',
  names: [],
  severity: 'medium',
  title: { en: 'Silent source', zh: '来源静默或断号' },
  description: {
    en: 'A source that sends heartbeats has said nothing for too long, or numbers of its submissions are missing.',
    zh: '定期发送心跳的来源长时间没有任何记录，或其提交的序号出现缺口。',
  },
  watch(_facts, { silenceMs }) {
    const last = new Map<string, Last>()
    const numbers = new Map<string, bigint>()
    const silence = (before: Last, untilMs: number, after: RecordRef[]) => ({
      records: [refOf(before)],
      evidence: after,
      values: { source: before.source, fault: 'silence', silentMs: untilMs - before.timeMs },
    })

    function* pass(untilMs: number): Generator<Match> {
      for (const before of last.values()) {
        if (!before.beats || before.isTold || untilMs - before.timeMs <= silenceMs) continue
        before.isTold = true
        yield silence(before, untilMs, [])
      }
    }

    return {
      *record(seen) {
        const { source, timeMs, record } = seen
        const before = last.get(source)
        const beats = record.type === 'tidemark.heartbeat.v1' || (before?.beats ?? false)
        // What comes late says nothing of the time since.
        if (before !== undefined && timeMs < before.timeMs) {
          before.beats = beats
          return
        }
        last.set(source, { ...refOf(seen), timeMs, beats, isTold: false })
        if (before === undefined || !before.beats || before.isTold) return
        if (timeMs - before.timeMs > silenceMs) yield silence(before, timeMs, [refOf(seen)])
      },
      *submission(submission) {
        const { source, sequence } = submission
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
        yield { records: [firstOf(submission)], evidence: [], values }
      },
      tick: pass,
      end: pass,
    }
  },
}

/** The last record of a source. */
interface Last extends RecordRef {
  timeMs: number
  beats: boolean
  /** whether the silence after it has been reported */
  isTold: boolean
}
