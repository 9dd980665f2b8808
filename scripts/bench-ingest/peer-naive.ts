import { hash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Contract, JsonRpcProvider } from 'ethers'
import { MerkleTree } from 'merkletreejs'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { ledgerInterface } from '../../src/chain/ledger-abi.ts'
import type { PeerStore } from './peer-store.ts'

/** Instead of ethers' four seconds, which a submission would wait whose block is not there at once. */
const POLL_MS = 50
const GAS_LIMIT = 500_000

const sha256 = (data: Buffer): Buffer => hash('sha256', data, 'buffer')

/**
 * What most people would write: a tree and a transaction a submission, acknowledged when it is in a block.
 *
 * The records go to a file, synced. The node makes a block of every transaction at once. Nonces are
 * counted here, so that many transactions may be under way. Nothing is looked up by anything.
 */
export async function openNaive(folder: string, rpcUrl = '', ledgerAddress = ''): Promise<PeerStore> {
  const provider = new JsonRpcProvider(rpcUrl, LOCAL_CHAIN_ID, { staticNetwork: true })
  provider.pollingInterval = POLL_MS
  const publisher = devWallet('publisher', LOCAL_CHAIN_ID).connect(provider)
  const append = new Contract(ledgerAddress, ledgerInterface, publisher).getFunction('append')
  const firstNonce = await publisher.getNonce()
  const file = await open(join(folder, 'records.ndjson'), 'a')
  let submissions = 0
  return {
    async add(rows) {
      const leaves = rows.map(({ line }) => sha256(Buffer.from(line)))
      const root = new MerkleTree(leaves, sha256).getHexRoot()
      await file.appendFile(rows.map(({ line }) => `${line}\n`).join(''))
      await file.datasync()
      const sequence = submissions++
      const header = {
        publisher: publisher.address,
        sequence,
        recordsRoot: root,
        recordCount: rows.length,
        indexRoot: root,
        indexSize: 1,
        firstTime: 0,
        lastTime: 0,
      }
      const sent = await append([header], { nonce: firstNonce + sequence, gasLimit: GAS_LIMIT })
      const { hash: transaction, blockNumber } = await sent.wait()
      return { root, transaction, blockNumber }
    },
    async close() {
      provider.destroy()
      await file.close()
    },
  }
}
