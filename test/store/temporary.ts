import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'

/** A folder that is gone after the test that asked for it. */
export async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tidemark-test-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

/** Polls until `find` finds something, and returns it; the default says what was waited for, just before a test is over. */
export async function eventually<T>(
  find: () => T | undefined | Promise<T | undefined>,
  deadlineMs = 50_000,
): Promise<T> {
  const late = AbortSignal.timeout(deadlineMs)
  for (;;) {
    const found = await find()
    if (found !== undefined && found !== false) return found
    if (late.aborted) throw new Error(`not within ${deadlineMs} ms: ${find}`)
    await delay(10)
  }
}
