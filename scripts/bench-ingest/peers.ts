import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deployLedger } from '../../src/chain/deploy.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { startAnvil } from '../../src/chain/embedded-process.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { startPostgres } from './postgres-cluster.ts'
import { endProcess, startServer, type Undo } from './processes.ts'
import type { Subject } from './subject.ts'

const SERVER = fileURLToPath(new URL('./peer.ts', import.meta.url))
const ARTIFACT = new URL('../../artifacts/contracts/Ledger.sol/Ledger.json', import.meta.url)

/** What a peer's server stands on. */
interface Ground {
  /** of its server, after the folder */
  args: readonly string[]
  pids?: Record<string, number>
  stop?: () => Promise<void>
  /** where its records are, in its folder; PostgreSQL's log of the same is left out */
  records?: string
}

const GROUNDS = {
  sqlite: async (): Promise<Ground> => ({ args: [] }),
  async postgres(folder: string, undo: Undo): Promise<Ground> {
    return { args: [], stop: await startPostgres(folder, undo), records: join('data', 'base') }
  },
  async naive(folder: string, undo: Undo): Promise<Ground> {
    // A block of every transaction at once, and one every second: ethers may begin to wait for a receipt just after
    // its block was made, and then looks again with the next block only.
    const mining = ['--block-time', '1', '--mixed-mining']
    const anvil = await startAnvil(0, [
      ...mining,
      '--prune-history',
      '128',
      '--cache-path',
      join(folder, 'cache'),
    ])
    undo.add(anvil.kill)
    const { bytecode } = JSON.parse(await readFile(ARTIFACT, 'utf8'))
    const { address } = await deployLedger({
      rpc: createRpc(anvil.url),
      signer: devWallet('admin', LOCAL_CHAIN_ID),
      artifact: { bytecode },
      publishers: [`0x${devWallet('publisher', LOCAL_CHAIN_ID).address.slice(2).toLowerCase()}`],
    })
    return { args: [anvil.url, address], pids: { anvil: anvil.pid }, stop: anvil.kill }
  },
}

export type Peer = keyof typeof GROUNDS
export const PEERS = Object.keys(GROUNDS) as Peer[]

/** @throws {UnavailableError} */
export async function startPeer(peer: Peer, place: string, undo: Undo): Promise<Subject> {
  const folder = join(place, peer)
  await mkdir(folder, { recursive: true })
  const { args, pids, stop, records = '' } = await GROUNDS[peer](folder, undo)
  const { child, said } = await startServer(process.execPath, [SERVER, peer, folder, ...args], undo)
  return {
    port: Number(said.port),
    pids: { [peer]: child.pid ?? 0, ...pids },
    async stop() {
      await endProcess(child)
      await stop?.()
    },
    disk: async () => ({ all: await sizeOf(join(folder, records)) }),
  }
}

async function sizeOf(folder: string): Promise<number> {
  let size = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) size += (await stat(join(entry.parentPath, entry.name))).size
  }
  return size
}
