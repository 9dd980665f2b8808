import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Header } from '../../src/batch/index.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import { deployLedger } from '../../src/chain/deploy.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { startAnvil } from '../../src/chain/embedded-process.ts'
import { encodeAppend } from '../../src/chain/ledger-abi.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { transact } from '../../src/chain/transact.ts'
import { loadArtifact } from '../../src/cli/artifacts.ts'
import type { Undo } from '../bench-ingest/processes.ts'

/** Headers of one transaction. */
const GROUP = 50

const publisher = devWallet('publisher', LOCAL_CHAIN_ID)
export const PUBLISHER = publisher.address.toLowerCase() as Hex // an ethers address in lowercase

/** A chain of its own with a ledger, whose address is the same every time. */
export async function startLedger(undo: Undo) {
  const cache = await mkdtemp(join(tmpdir(), 'tidemark-bench-chain-'))
  undo.add(() => rm(cache, { recursive: true, force: true }))
  const anvil = await startAnvil(0, ['--hardfork', 'cancun', '--cache-path', cache])
  undo.add(() => anvil.kill())
  const rpc = createRpc(anvil.url)
  const { address } = await deployLedger({
    rpc,
    signer: devWallet('admin', LOCAL_CHAIN_ID),
    artifact: await loadArtifact(),
    publishers: [PUBLISHER],
  })
  return {
    url: anvil.url,
    ledger: address,
    domain: { chainId: LOCAL_CHAIN_ID, ledger: address },
    async append(headers: readonly Header[]): Promise<void> {
      for (let first = 0; first < headers.length; first += GROUP) {
        const data = encodeAppend(headers.slice(first, first + GROUP))
        await transact({ rpc, signer: publisher }, { to: address, data })
      }
    },
  }
}
