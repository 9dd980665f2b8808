import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Wallet } from 'ethers'
import { utf8 } from '../../src/bytes/bytes.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import { toHex } from '../../src/bytes/hex.ts'
import { sha256 } from '../../src/bytes/sha256.ts'
import { deployLedger } from '../../src/chain/deploy.ts'
import { startAnvil } from '../../src/chain/embedded-process.ts'
import { createRpc, type Rpc } from '../../src/chain/rpc.ts'
import { loadArtifact } from '../chain/fixture.ts'

/** What may happen to a chain. */
export type ChainFault =
  | { kind: 'reorg'; depth: number }
  | { kind: 'vanish' }
  | { kind: 'base fee'; times: number }
  | { kind: 'no blocks'; forMs: number }

/** A chain that mines a block every few milliseconds, so that transactions wait for their block as elsewhere. */
export interface ChaosChain {
  url: string
  rpc: Rpc
  mine(blocks: number): Promise<void>
  befall(fault: ChainFault): Promise<string>
  close(): Promise<void>
}

const BLOCK_MS = 30
/** Blocks on top of everything that a reorg must not reach. */
export const DEEPEST_REORG = 32

export async function startChaosChain(): Promise<ChaosChain> {
  const path = await mkdtemp(join(tmpdir(), 'tidemark-chaos-chain-'))
  const cache = join(path, 'cache')
  const anvil = await startAnvil(0, [
    '--hardfork',
    'cancun',
    '--prune-history',
    '1024',
    '--cache-path',
    cache,
  ])
  const rpc = createRpc(anvil.url)
  await rpc.call('evm_setAutomine', [false])
  const closing = new AbortController()
  let stillUntil = 0
  /** One thing after the other: a block in the middle of a reorg would be in neither chain. */
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work)
    last = result.catch(() => undefined)
    return result
  }
  const mine = (blocks: number) =>
    inTurn(async () => void (await rpc.call('anvil_mine', [toQuantity(blocks)])))
  const mining = (async () => {
    while (!closing.signal.aborted) {
      if (Date.now() >= stillUntil) await mine(1)
      await delay(BLOCK_MS)
    }
  })()

  async function befall(fault: ChainFault): Promise<string> {
    if (fault.kind === 'reorg') {
      await inTurn(() => rpc.call('anvil_reorg', [fault.depth, []]))
      return `${fault.depth} blocks replaced`
    }
    if (fault.kind === 'base fee') {
      return inTurn(async () => {
        const block = Object(await rpc.call('eth_getBlockByNumber', ['latest', false]))
        const fee = BigInt(fault.times) * BigInt(block.baseFeePerGas)
        await rpc.call('anvil_setNextBlockBaseFeePerGas', [`0x${fee.toString(16)}`])
        return `base fee ${fee}`
      })
    }
    if (fault.kind === 'no blocks') {
      stillUntil = Date.now() + fault.forMs
      return 'still'
    }
    // A transaction must be waiting to vanish.
    stillUntil = Date.now() + 60_000
    try {
      for (let round = 0; round < 1_000; round++) {
        const { pending } = Object(await rpc.call('txpool_status', []))
        if (Number(pending) > 0) {
          await inTurn(() => rpc.call('anvil_dropAllTransactions', []))
          return `${Number(pending)} transactions vanished`
        }
        await delay(10)
      }
      return 'nothing was waiting'
    } finally {
      stillUntil = 0
    }
  }

  return {
    url: anvil.url,
    rpc,
    mine,
    befall,
    async close() {
      closing.abort()
      await mining
      await anvil.kill()
      await rm(path, { recursive: true, force: true })
    },
  }
}

const toQuantity = (value: number) => `0x${value.toString(16)}`

/** A key that only this text gives. */
export const walletOf = (text: string) => new Wallet(toHex(sha256(utf8(text))))
export const addressOf = ({ address }: Wallet) => address.toLowerCase() as Hex // an ethers address in lowercase

/** A ledger of its own for the publishers, with their money, deeper than any reorg. */
export async function deployFresh(chain: ChaosChain, name: string, publishers: readonly Wallet[]) {
  const admin = walletOf(`${name} admin`)
  for (const wallet of [admin, ...publishers]) {
    await chain.rpc.call('anvil_setBalance', [wallet.address, `0x${(10n ** 21n).toString(16)}`])
  }
  const ledger = await deployLedger({
    rpc: chain.rpc,
    signer: admin,
    artifact: await loadArtifact(),
    publishers: publishers.map(addressOf),
  })
  await chain.mine(DEEPEST_REORG + 2)
  return ledger
}
