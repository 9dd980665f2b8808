import { firstOf, type Match, type Rule, type SeenSubmission } from './rule.ts'

/** A receipt promises a time on the chain. Remembers the submissions that are not on it. */
export const brokenPromise: Rule = {
  name: 'broken-promise',
  names: [],
  severity: 'high',
  title: { en: 'Broken promise of a receipt', zh: '回执承诺未兑现' },
  description: {
    en: 'A submission was on the chain later than its receipt had promised, or still is not.',
    zh: '提交上链的时间晚于回执承诺的时间，或至今仍未上链。',
  },
  watch() {
    let waiting: SeenSubmission[] = []

    function* settle(untilMs: number): Generator<Match> {
      const [due, early] = [[] as SeenSubmission[], [] as SeenSubmission[]]
      for (const one of waiting) (untilMs > (one.anchorByMs ?? untilMs) ? due : early).push(one)
      waiting = early
      for (const one of due) yield matchOf(one, one.anchorByMs ?? untilMs, untilMs)
    }

    return {
      *submission(submission) {
        const { anchorByMs, anchoredAtMs } = submission
        if (anchorByMs === undefined) return
        if (anchoredAtMs === undefined) waiting.push(submission)
        else if (anchoredAtMs > anchorByMs) yield matchOf(submission, anchorByMs, anchoredAtMs)
      },
      tick: settle,
      end: settle,
    }
  },
}

function matchOf(submission: SeenSubmission, anchorByMs: number, untilMs: number): Match {
  const { source, sequence, anchoredAtMs } = submission
  return {
    records: [firstOf(submission)],
    evidence: [],
    values: {
      source,
      sequence: String(sequence),
      fault: anchoredAtMs === undefined ? 'not-anchored' : 'late',
      lateMs: untilMs - anchorByMs,
    },
  }
}
