/**
 * How long to pause before a try is repeated; undefined to give up.
 *
 * @param failures so far, from 1
 * @param waitedMs since the first failure after which nothing has succeeded
 */
export type Pauses = (failures: number, waitedMs: number) => number | undefined

const FIRST_MS = 100
const MOST_MS = 30_000

/**
 * Doubling pauses of 100 ms to 30 s, each shortened by up to half at random, so that the services of a gateway that
 * comes back do not all come at once.
 */
export const growingPauses =
  (random: () => number, giveUpAfterMs = Number.POSITIVE_INFINITY): Pauses =>
  (failures, waitedMs) => {
    if (waitedMs >= giveUpAfterMs) return undefined
    return Math.min(FIRST_MS * 2 ** (failures - 1), MOST_MS) * (1 - random() / 2)
  }

/** The clock, injected. */
export interface Clock {
  /** milliseconds since 1970 */
  now: () => number
  /** Resolves early, without an error, when the signal says so. */
  delay: (ms: number, signal?: AbortSignal) => Promise<void>
}
