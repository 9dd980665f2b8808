import { setTimeout as delay } from 'node:timers/promises'
import type { LedgerIdentity } from '../chain/ledger.ts'
import type { Signer } from '../chain/signer.ts'
import { OperationError } from '../errors.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Database } from '../store/database.ts'
import { carryOutErasures, type ErasingParts } from '../store/erase.ts'
import { Erasures } from '../store/erasures.ts'
import { OwnRecords, watchSource } from '../store/own-records.ts'
import type { Sources } from '../store/sources.ts'
import { speakFor } from './own-source.ts'

interface RecordingOptions {
  database: Database
  /** the folder's own: nobody else works in it */
  erasing: Pick<ErasingParts, 'batches' | 'logPath'>
  gateway: Gateway
  sources: Sources
  identity: LedgerIdentity
  signer: Signer
  pollMs: number
  now: () => number
  onTrouble: (message: string, error?: unknown) => void
}

/** The work that carries out erasures, and submits what the publisher itself has to say. */
export interface Recording {
  troubles(): string[]
  /** Rejects when the work cannot go on. */
  failed: Promise<never>
  stop(): Promise<void>
}

/** Before it tries again after a failure. */
const RETRY_MS = 1_000
const MOST_AT_ONCE = 100

/**
 * Carries out the erasures that wait in the catalogue, and submits the records that do, each once.
 *
 * They get the number of their submission before they are handed over: after a crash the gateway's next number says
 * whether it has taken them.
 */
export function startRecording(options: RecordingOptions): Recording {
  const { database, gateway, pollMs, now, onTrouble } = options
  const source = watchSource(gateway.publisher)
  const records = new OwnRecords(database)
  const erasures = new Erasures(database)
  const submit = speakFor(source, options)
  const running = new AbortController()
  let trouble: string | undefined
  const pause = (ms: number) => delay(ms, undefined, { signal: running.signal }).catch(() => undefined)

  async function submitNext(): Promise<boolean> {
    const sequence = gateway.nextSequence(source)
    const documents = records.take(sequence, MOST_AT_ONCE)
    if (documents.length === 0) return false
    await submit(
      documents.map((document): unknown => JSON.parse(document)),
      sequence,
    )
    records.forget(sequence + 1n)
    return true
  }

  async function work(): Promise<void> {
    while (!running.signal.aborted) {
      try {
        await carryOutErasures({ ...options.erasing, erasures, publisher: gateway.publisher, now })
        const isBusy = await submitNext()
        trouble = undefined
        if (!isBusy) await pause(pollMs)
      } catch (error) {
        if (!(error instanceof OperationError)) throw error
        trouble = `erasing and recording: ${error.message}`
        onTrouble('what is to be erased or recorded waits; trying again', error)
        await pause(RETRY_MS)
      }
    }
  }

  const working = work()
  return {
    troubles: () => (trouble === undefined ? [] : [trouble]),
    failed: working.then(() => new Promise<never>(() => undefined)),
    async stop() {
      running.abort()
      await working.catch(() => undefined)
    },
  }
}
