import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encryptKeystoreJson, Wallet } from 'ethers'
import type { Hex } from '../../src/bytes/hex.ts'
import { changePublisher } from '../../src/chain/administer.ts'
import { deployLedger } from '../../src/chain/deploy.ts'
import { startAnvil } from '../../src/chain/embedded-process.ts'
import { createRpc, type Rpc } from '../../src/chain/rpc.ts'
import { loadArtifact, makeTemporaryDirectory } from '../chain/fixture.ts'

/** Not the id of development chains. */
export const CHAIN_ID = 4242n
export const PASSWORD = 'correct horse'

export interface ForeignChain {
  url: string
  rpc: Rpc
  close(): Promise<void>
}

/** A chain of somebody else's, as far as a gateway can tell: another chain id, and no account that it knows. */
export async function startForeignChain(...options: string[]): Promise<ForeignChain> {
  const directory = await makeTemporaryDirectory()
  const anvil = await startAnvil(0, [
    ...['--chain-id', String(CHAIN_ID), '--hardfork', 'cancun', '--accounts', '0'],
    ...['--cache-path', join(directory.path, 'cache'), ...options],
  ])
  const close = async () => {
    await anvil.kill()
    await directory.remove()
  }
  return { url: anvil.url, rpc: createRpc(anvil.url), close }
}

export const addressOf = (wallet: Wallet) => wallet.address.toLowerCase() as Hex // an ethers address in lowercase

/** A new key with ten ether. */
export async function fundedWallet(rpc: Rpc): Promise<Wallet> {
  const wallet = new Wallet(Wallet.createRandom().privateKey)
  await rpc.call('anvil_setBalance', [wallet.address, '0x8ac7230489e80000'])
  return wallet
}

/** A ledger and its registrar, with these publishers. */
export async function deployFor(rpc: Rpc, ...publishers: Wallet[]): Promise<{ ledger: Hex; admin: Wallet }> {
  const admin = await fundedWallet(rpc)
  const artifact = await loadArtifact()
  const { address } = await deployLedger({ rpc, signer: admin, artifact, publishers: [] })
  for (const one of publishers) await changePublisher({ rpc, signer: admin }, address, 'add', addressOf(one))
  return { ledger: address, admin }
}

/** A keystore that is quick to open: its scrypt costs next to nothing. */
export async function writeKeystore(folder: string, wallet: Wallet, name = 'key.json'): Promise<string> {
  const path = join(folder, name)
  const text = await encryptKeystoreJson(wallet, PASSWORD, { scrypt: { N: 2, r: 8, p: 1 } })
  await writeFile(path, text, { mode: 0o600 })
  await chmod(path, 0o600)
  return path
}
