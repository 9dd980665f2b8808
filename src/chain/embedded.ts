import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { OperationError } from '../errors.ts'
import { LOCAL_CHAIN_ID } from './dev-accounts.ts'
import { type AnvilProcess, startAnvil } from './embedded-process.ts'
import { createSaver } from './embedded-saver.ts'
import { damagedState, stateExists, unpackState } from './embedded-state.ts'
import { createRpc, type Rpc } from './rpc.ts'

export interface EmbeddedChainOptions {
  /** gzipped; its directory is made when missing. One process at a time may use it. */
  stateFile: string
  /** 0 for any free one */
  port: number
  /** milliseconds of any steady clock */
  clock?: () => number
}

/** A local EVM that keeps its chain across restarts, and ends with this process however that ends. */
export interface EmbeddedChain {
  readonly url: string
  readonly rpc: Rpc
  /** anvil's */
  readonly pid: number
  /**
   * The highest block that outlives a crash of this machine: the embedded chain's finality. Blocks above it are lost
   * when the process is killed, and callers MUST treat them as not final.
   */
  durableBlock(): bigint
  /** Why the last attempt to save failed; undefined while saving works. */
  saveFailure(): OperationError | undefined
  /** Saves the last blocks and ends the chain. */
  stop(): Promise<void>
  /** Resolves when the chain has ended; `expected` unless it ended without `stop`. */
  readonly exited: Promise<{ expected: boolean; output: string }>
}

/** No two dumps follow each other faster, and a dump takes at most one part in eleven of the time. */
const LEAST_PAUSE_MS = 50
const PAUSE_PER_DUMP = 10
/** Unless one took long because the chain or the machine had been suspended: finality must not wait for ten times that. */
const LONGEST_PAUSE_MS = 30_000

const ANVIL_OPTIONS = [
  ['--chain-id', String(LOCAL_CHAIN_ID)],
  // Later forks fill a system contract with a slot a block, and anvil rebuilds the whole state tree for every block.
  ['--hardfork', 'cancun'],
  // One miner: a block once mined never goes away, so `finalized` is the head; only durability is left to wait for.
  ['--slots-in-an-epoch', '0'],
  // The states of the last blocks in memory, none on disk: otherwise a killed anvil leaves gigabytes behind.
  ['--prune-history', '128'],
].flat()

/**
 * Starts the embedded chain and, when its state file is there, goes on from the blocks saved in it: blocks,
 * transactions, receipts and logs keep their hashes.
 *
 * anvil's own `--state` overwrites its file in place, so a kill in between would tear it. Here whole dumps replace
 * one another by rename. Each block adds about 0.9 kB to the file, 20 kB to anvil's memory and 0.07 ms to every dump,
 * so `durableBlock` lags by up to a second at 1,000 blocks and by some ten at 10,000: keep blocks few and full.
 * What is asked of the state of an earlier block is answered for the last 128 blocks since the start only.
 *
 * @throws {OperationError} `PORT_IN_USE` naming the port, `STORE_DAMAGED` naming the file, `STORE_FAILED`, `CHAIN_FAILED`
 */
export async function startEmbeddedChain(options: EmbeddedChainOptions): Promise<EmbeddedChain> {
  const { stateFile, port, clock = () => performance.now() } = options
  const cache = `${stateFile}.cache`
  await makeDirectory(dirname(stateFile))
  await rm(cache, { recursive: true, force: true })
  const anvil = await load(stateFile, port, [...ANVIL_OPTIONS, '--cache-path', cache])
  const rpc = createRpc(anvil.url)
  const saver = createSaver(rpc, stateFile)

  let stopping: Promise<void> | undefined
  const stopped = new AbortController()
  let failure: OperationError | undefined

  async function save(): Promise<void> {
    try {
      await saver.save()
      failure = undefined
    } catch (error) {
      failure = toFailure(error, stateFile)
    }
  }

  async function keepSaving(): Promise<void> {
    while (!stopped.signal.aborted) {
      const startedAt = clock()
      await save()
      const dueMs = PAUSE_PER_DUMP * (clock() - startedAt)
      const pauseMs = Math.min(Math.max(LEAST_PAUSE_MS, dueMs), LONGEST_PAUSE_MS)
      // An aborted pause is how it ends.
      await delay(pauseMs, undefined, { signal: stopped.signal }).catch(() => undefined)
    }
  }

  await save()
  if (failure !== undefined) {
    await anvil.kill()
    throw failure
  }
  const saving = keepSaving()
  const exited = anvil.exited.then((output) => {
    stopped.abort()
    return { expected: stopping !== undefined, output }
  })

  async function stop(): Promise<void> {
    const alive = !stopped.signal.aborted
    stopped.abort()
    await saving
    if (alive) await save()
    await anvil.kill()
    await rm(cache, { recursive: true, force: true })
    if (alive && failure !== undefined) throw failure
  }

  return {
    url: anvil.url,
    rpc,
    pid: anvil.pid,
    durableBlock: () => saver.savedBlock(),
    saveFailure: () => failure,
    stop: () => {
      stopping ??= stop()
      return stopping
    },
    exited,
  }
}

async function load(stateFile: string, port: number, args: string[]): Promise<AnvilProcess> {
  const unpacked = `${stateFile}.unpacked`
  if (!(await stateExists(stateFile))) return startAnvil(port, args)
  await unpackState(stateFile, unpacked)
  try {
    return await startAnvil(port, [...args, '--load-state', unpacked])
  } catch (error) {
    if (error instanceof OperationError && /load-state|load init state/.test(error.message)) {
      throw damagedState(stateFile, error)
    }
    throw error
  } finally {
    await rm(unpacked, { force: true })
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true })
  } catch (cause) {
    throw new OperationError('STORE_FAILED', `cannot make the directory ${path}`, { cause })
  }
}

function toFailure(error: unknown, stateFile: string): OperationError {
  if (error instanceof OperationError) return error
  return new OperationError('STORE_FAILED', `cannot save the embedded chain to ${stateFile}`, {
    cause: error,
  })
}
