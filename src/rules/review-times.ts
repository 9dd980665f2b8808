import type { RecordFacts } from '../record/index.ts'
import { median } from './median.ts'

/** How long it took from a grant to the first call that cites it. */
export interface ReviewTime {
  /** who answered that call */
  provider: string
  /** negative where the call came first */
  delayMs: number
}

interface GrantTimes {
  givenMs: number
  calledMs: number
  provider: string
}

/** When every grant was given and first cited, by call records of either side. */
export class ReviewTimes {
  readonly #grants = new Map<string, GrantTimes>()

  add({ type, authorization, timeMs, provider = '' }: RecordFacts): void {
    if (authorization === undefined) return
    if (type !== 'tidemark.authorization.v1' && type !== 'tidemark.call.v1') return
    const grant = this.#grants.get(authorization) ?? { ...NEVER }
    this.#grants.set(authorization, grant)
    if (type === 'tidemark.authorization.v1') grant.givenMs = Math.min(grant.givenMs, timeMs)
    // Of two calls at the same time either may be read first.
    else if (timeMs < grant.calledMs || (timeMs === grant.calledMs && provider < grant.provider)) {
      grant.calledMs = timeMs
      grant.provider = provider
    }
  }

  /** How many grants were given in [fromMs, toMs), and the times of those that are cited. */
  given(fromMs: number, toMs: number): { given: number; times: ReviewTime[] } {
    let given = 0
    const times: ReviewTime[] = []
    for (const { givenMs, calledMs, provider } of this.#grants.values()) {
      if (givenMs < fromMs || givenMs >= toMs) continue
      given++
      if (calledMs < Number.POSITIVE_INFINITY) times.push({ provider, delayMs: calledMs - givenMs })
    }
    return { given, times }
  }
}

const NEVER: GrantTimes = {
  givenMs: Number.POSITIVE_INFINITY,
  calledMs: Number.POSITIVE_INFINITY,
  provider: '',
}

/** The grants whose first call came after them, and the median of their times. */
export function reviewFigures(times: readonly ReviewTime[]): { called: number; medianMs: number | null } {
  const delays = times.map(({ delayMs }) => delayMs).filter((delayMs) => delayMs >= 0)
  return { called: delays.length, medianMs: median(delays) }
}
