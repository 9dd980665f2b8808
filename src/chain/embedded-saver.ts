import type { Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { parseBytes, parseMembers } from './answers.ts'
import { writeDump } from './embedded-state.ts'
import { fetchLatestBlock } from './facts.ts'
import type { Rpc } from './rpc.ts'
import { fetchNonce } from './send.ts'

/** Saves a chain whole, one block boundary at a time. */
export interface Saver {
  /** Saves the chain unless nothing has changed since it was last saved. */
  save(): Promise<void>
  /** The highest block in the saved state. */
  savedBlock(): bigint
}

const DUMP_TIMEOUT_MS = 120_000
const PAUSED_ATTEMPTS = 20

/**
 * anvil reads its blocks and its state one after the other while it may be mining, so a dump can hold the state of a
 * block that it does not hold. Such a dump is thrown away (see `isAtRest`); when blocks come too fast for a whole
 * one, mining pauses for as long as the dump takes.
 */
export function createSaver(rpc: Rpc, stateFile: string): Saver {
  let saved: { number: bigint; hash: Hex } | undefined
  /** Blocks came too fast the last time: the next dump pauses mining at once, instead of a try in vain. */
  let busy = false

  /** @returns whether the dump was whole, and is saved */
  async function attempt(): Promise<boolean> {
    const before = await fetchLatestBlock(rpc)
    if (before.hash === saved?.hash) return true
    const dump = await writeDump(rpc.url, stateFile, DUMP_TIMEOUT_MS)
    const after = await fetchLatestBlock(rpc)
    if (after.hash !== before.hash || !(await isAtRest(rpc))) {
      await dump.discard()
      return false
    }
    await dump.commit()
    saved = { number: before.number, hash: before.hash }
    return true
  }

  async function attemptPaused(): Promise<boolean> {
    for (let i = 0; i < PAUSED_ATTEMPTS; i++) if (await attempt()) return true
    return false
  }

  return {
    async save() {
      const paused = busy
      busy = false
      if (!paused && (await attempt())) return
      busy = !paused
      const mining = (await rpc.call('anvil_getAutomine', [])) === true
      if (mining) await rpc.call('evm_setAutomine', [false])
      try {
        if (await attemptPaused()) return
      } finally {
        // This also mines what came in meanwhile.
        if (mining) await rpc.call('evm_setAutomine', [true])
      }
      throw new OperationError('CHAIN_FAILED', 'the embedded chain does not rest for long enough to be saved')
    },
    savedBlock: () => saved?.number ?? 0n,
  }
}

/**
 * Whether no block is half done: a transaction leaves the pool only after its block is complete, so a waiting
 * transaction that the state has already counted belongs to a block in the making.
 */
async function isAtRest(rpc: Rpc): Promise<boolean> {
  const pool = parseMembers(await rpc.call('txpool_inspect', []), 'transaction pool')
  for (const [sender, byNonce] of Object.entries(parseMembers(pool.pending, 'waiting transactions'))) {
    const nonce = await fetchNonce(rpc, parseBytes(sender, 'sender', 20))
    for (const waiting of Object.keys(parseMembers(byNonce, 'waiting transactions'))) {
      if (BigInt(waiting) < nonce) return false
    }
  }
  return true
}
