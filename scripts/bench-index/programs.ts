import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Hex } from '../../src/bytes/hex.ts'
import { endProcess, startServer, type Undo } from '../bench-ingest/processes.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const POLL_MS = 50

/** Which ledger, and where its batch files are. */
export interface BenchLedger {
  url: string
  ledger: Hex
  batchesPath: string
  batches: number
}

export interface RunningIndexer {
  api: string
  pid: number
  stop(): Promise<void>
}

/** One confirmation, as nobody reorganises our chain. */
const of = ({ url, ledger, batchesPath }: BenchLedger) =>
  ['--rpc', url, '--ledger', ledger, '--finality', '1', '--batches', batchesPath, '--json'] as const

/** `tidemark indexer` over a data folder. */
export async function startIndexer(
  ledger: BenchLedger,
  data: string,
  profiling: readonly string[],
  undo: Undo,
): Promise<RunningIndexer> {
  const args = [...profiling, MAIN, 'indexer', ...of(ledger), '--data', data, '--port', '0']
  const { child, said } = await startServer(process.execPath, args, undo)
  return { api: String(said.api), pid: child.pid ?? 0, stop: () => endProcess(child) }
}

/** Waits until all batches of the ledger are verified. */
export async function caughtUp({ api }: RunningIndexer, { batches }: BenchLedger): Promise<void> {
  for (;;) {
    const { batchesVerified, status, problems } = Object(await (await fetch(new URL('/healthz', api))).json())
    if (status !== 'ok') throw new Error(`the indexer is in trouble: ${problems}`)
    if (batchesVerified === batches) return
    await delay(POLL_MS)
  }
}

export interface ProgramRun {
  seconds: number
  /** most memory, bytes */
  peak: number
}

/** `tidemark audit` of the whole ledger, which must find all of it verified. */
export async function runAudit(
  ledger: BenchLedger,
  threads: number,
  profiling: readonly string[],
  undo: Undo,
): Promise<ProgramRun> {
  const startedAt = performance.now()
  const args = [...profiling, MAIN, 'audit', ...of(ledger), '--threads', String(threads)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  undo.add(() => endProcess(child))
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8')
  })
  let peak = 0
  const timer = setInterval(() => {
    peak = peakMemory(child.pid ?? 0) ?? peak
  }, POLL_MS)
  await new Promise((resolve) => child.on('close', resolve))
  clearInterval(timer)
  if (child.exitCode !== 0) throw new Error(`the audit ended with ${child.exitCode}: ${output}`)
  return { seconds: (performance.now() - startedAt) / 1_000, peak }
}

/** Most memory that a process has had, in bytes (Linux: it reads /proc); undefined when it has ended. */
export function peakMemory(pid: number): number | undefined {
  const path = `/proc/${pid}/status`
  const kilobytes = existsSync(path) ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(path, 'utf8')) : null
  return kilobytes === null ? undefined : 1_024 * Number(kilobytes[1])
}
