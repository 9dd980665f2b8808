import { type ChildProcess, fork, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { LoadJob, LoadResult } from './load.ts'

/** What must be undone whatever happens; the last is undone first. */
export class Undo {
  readonly #steps: (() => unknown)[] = []
  #running: Promise<void> | undefined

  add(step: () => unknown): void {
    this.#steps.push(step)
  }

  /** Whoever calls waits for all of it. */
  run(): Promise<void> {
    this.#running ??= this.#all()
    return this.#running
  }

  async #all(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) await step()
  }
}

const STOP_MS = 60_000

/** Ends a process that we started, as Ctrl-C does, or by force when that takes too long. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGINT')
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await exited
  clearTimeout(late)
}

/** Starts a server and waits for the line of JSON with which it says that it runs. */
export async function startServer(
  command: string,
  args: readonly string[],
  undo: Undo,
  options: SpawnOptions = {},
): Promise<{ child: ChildProcess; said: Record<string, unknown> }> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  undo.add(() => endProcess(child))
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString('utf8')).slice(-4_096)
  })
  const ended = once(child, 'close').then(([code]) => {
    throw new Error(`${args.join(' ')} ended with ${code}: ${errors}`)
  })
  const line = new Promise<string>((resolve) => {
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
      if (output.includes('\n')) resolve(output)
    })
  })
  const said = JSON.parse(await Promise.race([line, ended])) as Record<string, unknown>
  // From here on who talks to it sees that it has ended.
  ended.catch(() => undefined)
  return { child, said }
}

/** The load process; it goes on in each source's requests where its last run ended. */
export interface Load {
  run(job: LoadJob): Promise<LoadResult>
  end(): Promise<void>
}

export function startLoad(undo: Undo): Load {
  const child = fork(fileURLToPath(new URL('./load.ts', import.meta.url)), { stdio: 'inherit' })
  const end = () => endProcess(child)
  undo.add(end)
  return {
    async run(job) {
      const answer = once(child, 'message') as Promise<[LoadResult]>
      const ended = once(child, 'exit').then(([code]) => {
        throw new Error(`the load process ended with ${code}`)
      })
      ended.catch(() => undefined)
      child.send(job)
      const [result] = await Promise.race([answer, ended])
      return result
    },
    end,
  }
}

/** Memory in bytes; processor time in seconds. */
export interface Usage {
  rss: { start: number; middle: number; end: number; max: number }
  cpuSeconds: number
  /** of its first thread alone: in Node the one that serves requests */
  mainThreadSeconds: number
}

const SAMPLE_MS = 250
/** USER_HZ, which Linux shows to programs everywhere. */
const TICKS_PER_SECOND = 100

/** Watches a process (Linux: it reads /proc) until the returned function is called. */
export function watch(pid: number): () => Usage {
  const samples = [readRss(pid)]
  const timer = setInterval(() => samples.push(readRss(pid)), SAMPLE_MS)
  timer.unref()
  const before = readCpu(pid)
  return () => {
    clearInterval(timer)
    samples.push(readRss(pid))
    const after = readCpu(pid)
    return {
      rss: {
        start: samples[0] ?? 0,
        middle: samples[samples.length >> 1] ?? 0,
        end: samples.at(-1) ?? 0,
        max: Math.max(...samples),
      },
      cpuSeconds: after.all - before.all,
      mainThreadSeconds: after.main - before.main,
    }
  }
}

function readRss(pid: number): number {
  const path = `/proc/${pid}/status`
  // It has ended: whoever talks to it says so.
  if (!existsSync(path)) return 0
  return 1_024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? 0)
}

function readCpu(pid: number): { all: number; main: number } {
  const read = (path: string) => {
    const [userTicks, systemTicks] = readFileSync(path, 'utf8').split(') ')[1]?.split(' ').slice(11, 13) ?? []
    return (Number(userTicks) + Number(systemTicks)) / TICKS_PER_SECOND
  }
  return { all: read(`/proc/${pid}/stat`), main: read(`/proc/${pid}/task/${pid}/stat`) }
}

/** A process that another one has started, directly or not, by the name of its program. */
export function findDescendant(pid: number, program: string): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number)
  for (const child of children) {
    if (readFileSync(`/proc/${child}/comm`, 'utf8').trim() === program) return child
    const found = findDescendant(child, program)
    if (found !== undefined) return found
  }
  return undefined
}
