import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { OperationError } from '../errors.ts'

/** A running anvil. */
export interface AnvilProcess {
  url: string
  pid: number
  /** Resolves when it has ended, with the last lines it wrote. */
  exited: Promise<string>
  /** Ends it at once and waits; nothing is saved. */
  kill(): Promise<void>
}

const START_TIMEOUT_MS = 60_000
const KEPT_OUTPUT = 4096

/**
 * Starts anvil under a guard that ends it when this process is gone, and waits until it listens on the loopback
 * interface.
 *
 * @param port 0 for any free one
 * @throws {OperationError} `PORT_IN_USE` or `CHAIN_FAILED`
 */
export async function startAnvil(port: number, args: readonly string[]): Promise<AnvilProcess> {
  const guard = fileURLToPath(new URL('./embedded-guard.ts', import.meta.url))
  // A group of its own: an interrupt from the terminal must not end the chain before its last blocks are saved.
  const child = spawn(
    process.execPath,
    [guard, findAnvil(), '--host', '127.0.0.1', '--port', String(port), ...args],
    { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
  )
  child.stdin.on('error', () => child.kill('SIGKILL'))
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-KEPT_OUTPUT)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const exited = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', () => resolve(output.trim()))
  })

  try {
    const { pid, url } = await waitUntilListening(child, exited)
    // The guard was ended by someone: what it guarded must not stay behind.
    child.on('exit', (_code, signal) => {
      if (signal !== null) killQuietly(pid)
    })
    return {
      url,
      pid,
      exited,
      kill: async () => {
        child.stdin.end()
        await exited
      },
    }
  } catch (error) {
    child.stdin.end()
    if (/address already in use/i.test(output)) {
      throw new OperationError(
        'PORT_IN_USE',
        `port ${port} is in use: stop what uses it, or choose another`,
        {
          cause: error,
        },
      )
    }
    throw error
  }
}

async function waitUntilListening(
  child: ChildProcess,
  exited: Promise<string>,
): Promise<{ pid: number; url: string }> {
  const listening = new Promise<{ pid: number; url: string }>((resolve) => {
    let output = ''
    const look = (chunk: Buffer) => {
      output += chunk.toString('utf8')
      const pid = /^pid (\d+)$/m.exec(output)?.[1]
      const address = /^Listening on (\S+:\d+)$/m.exec(output)?.[1]
      if (pid === undefined || address === undefined) return
      child.stdout?.off('data', look)
      resolve({ pid: Number(pid), url: `http://${address}` })
    }
    child.stdout?.on('data', look)
  })
  const ended = exited.then((output) => {
    throw new OperationError('CHAIN_FAILED', `the embedded chain did not start: ${output}`, {
      retryable: false,
    })
  })
  const late = AbortSignal.timeout(START_TIMEOUT_MS)
  const timeout = new Promise<never>((_resolve, reject) => {
    late.onabort = () =>
      reject(new OperationError('CHAIN_FAILED', 'the embedded chain did not start in time'))
  })
  return Promise.race([listening, ended, timeout])
}

/** The binary that npm installed for this platform. */
function findAnvil(): string {
  const require = createRequire(import.meta.url)
  const platform = process.platform === 'win32' ? 'win32' : process.platform
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const name = `@foundry-rs/anvil-${platform}-${architecture}/bin/anvil${platform === 'win32' ? '.exe' : ''}`
  try {
    // The platform's package is a dependency of anvil's, and found from there.
    return createRequire(require.resolve('@foundry-rs/anvil/package.json')).resolve(name)
  } catch (cause) {
    throw new OperationError('CHAIN_FAILED', `npm package ${name} is not installed: run npm install`, {
      cause,
      retryable: false,
    })
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
