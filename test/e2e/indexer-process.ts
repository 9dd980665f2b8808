import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { eventually } from '../store/temporary.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface RunningIndexer {
  child: ChildProcess
  url: string
  stderr: () => string
}

/** Starts `tidemark indexer` and waits until it says where it is. */
export async function startIndexerProgram(args: readonly string[]): Promise<RunningIndexer> {
  const child = spawn(process.execPath, [MAIN, 'indexer', '--port', '0', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) await end(child, 'SIGKILL')
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8')
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8')
  })
  const url = await eventually(() => {
    if (child.exitCode !== null) throw new Error(`the indexer ended: ${stderr}`)
    return stdout.includes('\n') ? String(JSON.parse(stdout).api) : undefined
  }, 60_000)
  return { child, url, stderr: () => stderr }
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const closed = once(child, 'close')
  child.kill(signal)
  const [code] = (await closed) as [number | null]
  return code
}

export const get = async (url: string) => JSON.parse(await (await fetch(url)).text())
