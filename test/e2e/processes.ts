import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { eventually } from '../store/temporary.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** A folder for a test file, and what removes it. */
export async function makeFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'tidemark-e2e-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs one command of the command line to its end. */
export async function tidemark(
  args: readonly string[],
  { stdin = '', env = {} }: { stdin?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8')
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8')
  })
  // It may end before it has read everything.
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** A running `tidemark up`. */
export interface Up {
  child: ChildProcess
  url: string
  rpcUrl: string
  ledger: string
  screen: string
  stderr: () => string
  /** as Ctrl-C does; resolves with the exit code */
  stop(): Promise<number | null>
  kill(): Promise<void>
}

/** Starts `tidemark up` and waits until it says that it runs. */
export async function startUp(args: readonly string[]): Promise<Up> {
  const child = spawn(process.execPath, [MAIN, 'up', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let screen = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString('utf8')
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8')
  })
  const ended = once(child, 'close') as Promise<[number | null]>
  const find = (pattern: RegExp) => pattern.exec(screen)?.[1]
  await Promise.race([
    eventually(() => /Ctrl-C/.test(screen) || undefined),
    ended.then(([code]) => {
      throw new Error(`up ended with ${code}: ${stderr}`)
    }),
  ])
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    const [code] = await ended
    return code
  }
  return {
    child,
    url: find(/API +(http:\S+)/) ?? '',
    rpcUrl: find(/chain +(http:\S+)/) ?? '',
    ledger: find(/ledger +(0x\S+)/) ?? '',
    screen,
    stderr: () => stderr,
    stop: () => end('SIGINT'),
    kill: async () => {
      await end('SIGKILL')
    },
  }
}

/** Starts `tidemark up` and kills it so long after, wherever it then is. */
export async function killWhileStarting(args: readonly string[], afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [MAIN, 'up', ...args], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  await delay(afterMs)
  child.kill('SIGKILL')
  await ended
}

/** Ends it after the test, whatever became of the test. */
export function endAfterTest(up: Up): Up {
  onTestFinished(async () => {
    if (up.child.exitCode === null && up.child.signalCode === null) await up.kill()
  })
  return up
}

/** Command lines of the processes that work in a folder. */
async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(folder)) found.push(line.replaceAll('\0', ' '))
  }
  return found
}

/** Waits until no process works in a folder any more. */
export async function expectNoProcess(folder: string): Promise<void> {
  await eventually(async () => (await processesOf(folder)).length === 0 || undefined)
}
