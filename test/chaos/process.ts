import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Hex } from '../../src/bytes/hex.ts'
import { FAULTS_VARIABLE, type Fault, STRUCK_VARIABLE } from './steps.ts'

export interface VictimConfig {
  dataPath: string
  batchesPath: string
  rpcUrl: string
  chainId: string
  ledger: Hex
  deploymentBlock: string
  key: Hex
  /** milliseconds since 1970; from then on its clock runs so many times as fast */
  startedAt: number
  clockSpeed: number
  confirmations: number
}

export interface Life {
  faults: readonly Fault[]
  /** faults that struck, as text */
  struck(): string[]
  ended: Promise<void>
  /** undefined while it lives */
  ending(): string | undefined
}

const VICTIM = fileURLToPath(new URL('./victim.ts', import.meta.url))
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/tidemark', import.meta.url))
const FAULTY = new URL('./faulty.ts', import.meta.url).href

/** A gateway that dies again and again; its folder stays. */
export class Victim {
  readonly config: VictimConfig
  #child: ChildProcess | undefined
  #lives = 0
  #stderr = ''
  #life: Life | undefined
  /** undefined while nobody listens */
  url: string | undefined

  constructor(config: VictimConfig) {
    this.config = config
    mkdirSync(config.dataPath, { recursive: true })
  }

  /** What it wrote last, of all its lives. */
  get stderr(): string {
    return this.#stderr
  }

  /** Starts it; resolves when it serves or has ended. */
  async start(faults: readonly Fault[]): Promise<Life> {
    const struckPath = join(this.config.dataPath, `struck-${this.#lives++}.ndjson`)
    const child = spawn(process.execPath, ['--import', FAULTY, VICTIM, JSON.stringify(this.config)], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        // Most of a start is compiling.
        NODE_COMPILE_CACHE: CACHE,
        [FAULTS_VARIABLE]: JSON.stringify(faults),
        [STRUCK_VARIABLE]: struckPath,
      },
    })
    this.#child = child
    child.stdin.on('error', () => undefined)
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-4_000)
    })
    let ending: string | undefined
    const ended = once(child, 'close').then(([code, signal]) => {
      ending = String(signal ?? code)
      if (this.#child === child) this.#child = this.url = undefined
    })
    const served = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        this.url = chunk.toString('utf8').trim()
        resolve()
      })
    })
    this.#life = { faults, struck: () => readLines(struckPath), ended, ending: () => ending }
    await Promise.race([served, ended])
    return this.#life
  }

  /** The last one. */
  get life(): Life {
    if (this.#life === undefined) throw new Error('it was never started')
    return this.#life
  }

  get isAlive(): boolean {
    return this.#child !== undefined
  }

  /** Resolves when it has ended. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<string> {
    const child = this.#child
    if (child === undefined) return 'dead already'
    const closed = once(child, 'close')
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
    const [code, by] = await closed
    clearTimeout(late)
    return String(by ?? code)
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean)
  } catch {
    return []
  }
}
