import { setTimeout as delay } from 'node:timers/promises'
import type { LedgerIdentity } from '../chain/ledger.ts'
import type { Signer } from '../chain/signer.ts'
import { OperationError } from '../errors.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { RunMaker, runSource } from '../indexer/run-maker.ts'
import type { Indexing } from '../indexer/service.ts'
import type { Sources } from '../store/sources.ts'
import type { ChainFacts } from '../verify/index.ts'
import { speakFor } from './own-source.ts'

interface RunsOptions {
  indexing: Indexing
  gateway: Gateway
  sources: Sources
  chain: ChainFacts
  identity: LedgerIdentity
  signer: Signer
  periodHours: number
  pollMs: number
  now: () => number
  onTrouble: (message: string, error?: unknown) => void
}

/** The work that makes runs of the ledger and submits what they say. */
export interface MakingRuns {
  /** stretches of the ledger of which no run could be made */
  skipped(): number
  troubles(): string[]
  /** Rejects when the work cannot go on. */
  failed: Promise<never>
  stop(): Promise<void>
}

/** Before it tries again after a failure: it reads many files. */
const RETRY_MS = 5_000

/** Makes runs of every closed period, and submits them as a source whose key is the publisher's. */
export function startMakingRuns(options: RunsOptions): MakingRuns {
  const { indexing, gateway, sources, chain, identity, signer, periodHours, pollMs, now, onTrouble } = options
  const { publisher } = gateway
  const source = runSource(publisher)
  const submit = speakFor(source, { gateway, sources, identity, signer, now })

  const maker = new RunMaker({
    runs: indexing.runs,
    entries: indexing.entries,
    chain,
    identity,
    publisher,
    periodHours,
    finalBlock: () => indexing.follower.state.finalBlock,
    merge: (run) => indexing.runKeeper.merge(run),
    nextSequence: () => gateway.nextSequence(source),
    submit: (record, sequence) => submit([record], sequence),
    now,
    onSkipped: onTrouble,
  })
  const running = new AbortController()
  let trouble: string | undefined
  const pause = (ms: number) => delay(ms, undefined, { signal: running.signal }).catch(() => undefined)

  async function make(): Promise<void> {
    while (!running.signal.aborted) {
      try {
        const isBusy = await maker.step()
        trouble = undefined
        if (!isBusy) await pause(pollMs)
      } catch (error) {
        if (!(error instanceof OperationError)) throw error
        trouble = `making a run: ${error.message}`
        onTrouble('a run could not be made; trying again', error)
        await pause(RETRY_MS)
      }
    }
  }

  const working = make()
  return {
    skipped: () => maker.skipped,
    troubles: () => (trouble === undefined ? [] : [trouble]),
    failed: working.then(() => new Promise<never>(() => undefined)),
    async stop() {
      running.abort()
      await working.catch(() => undefined)
    },
  }
}
