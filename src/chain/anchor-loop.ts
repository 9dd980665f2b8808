import { setTimeout as delay } from 'node:timers/promises'
import { OperationError } from '../errors.ts'
import type { Anchor, AnchorState } from './anchor.ts'

export interface AnchorLoop {
  anchor: Anchor
  /** ends the loop after the step in progress */
  signal: AbortSignal
  /** between steps that went well */
  pollMs: number
  /** Hears of every step: its state, or the failure after which the loop goes on. */
  report(outcome: AnchorState | OperationError): void
  /** Resolves after a while, or earlier when there is news or `signal` aborts. */
  pause?: (delayMs: number, signal: AbortSignal) => Promise<void>
}

/** The longest pause after failures in a row, each of which doubles it. */
const LONGEST_PAUSE_MS = 30_000

/**
 * Steps until `signal` aborts.
 *
 * @throws whatever is not an `OperationError`: a bug, which must not be repeated for ever
 */
export async function runAnchor(loop: AnchorLoop): Promise<void> {
  const { anchor, signal, pollMs, report, pause = pauseFor } = loop
  let pauseMs = pollMs
  while (!signal.aborted) {
    try {
      report(await anchor.step())
      pauseMs = pollMs
    } catch (error) {
      if (!(error instanceof OperationError)) throw error
      report(error)
      pauseMs = Math.min(2 * pauseMs, Math.max(LONGEST_PAUSE_MS, pollMs))
    }
    if (!signal.aborted) await pause(pauseMs, signal)
  }
}

async function pauseFor(delayMs: number, signal: AbortSignal): Promise<void> {
  // An aborted pause is how it ends.
  await delay(delayMs, undefined, { signal }).catch(() => undefined)
}
