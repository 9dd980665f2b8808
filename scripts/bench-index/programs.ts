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

/** What a process has used so far. */
export interface Usage {
  /** most memory, bytes */
  peak: number
  /** of all its threads */
  cpuSeconds: number
}

/** `tidemark audit` of the whole ledger, which must find all of it verified. */
export async function runAudit(
  ledger: BenchLedger,
  threads: number,
  profiling: readonly string[],
  undo: Undo,
): Promise<Usage & { seconds: number }> {
  const startedAt = performance.now()
  const args = [...profiling, MAIN, 'audit', ...of(ledger), '--threads', String(threads)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  undo.add(() => endProcess(child))
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8')
  })
  let usage = { peak: 0, cpuSeconds: 0 }
  const timer = setInterval(() => {
    usage = readUsage(child.pid ?? 0) ?? usage
  }, POLL_MS)
  await new Promise((resolve) => child.on('close', resolve))
  clearInterval(timer)
  if (child.exitCode !== 0) throw new Error(`the audit ended with ${child.exitCode}: ${output}`)
  return { seconds: (performance.now() - startedAt) / 1_000, ...usage }
}

/** USER_HZ, which Linux shows to programs everywhere. */
const TICKS_PER_SECOND = 100

/** undefined when the process has ended (Linux: it reads /proc). */
export function readUsage(pid: number): Usage | undefined {
  if (!existsSync(`/proc/${pid}/status`)) return undefined
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  const [user, system] =
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').slice(11, 13) ?? []
  // Of a process that is ending only the name is left.
  if (kilobytes === null) return undefined
  return {
    peak: 1_024 * Number(kilobytes[1]),
    cpuSeconds: (Number(user) + Number(system)) / TICKS_PER_SECOND,
  }
}
