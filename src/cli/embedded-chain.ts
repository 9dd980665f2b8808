import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isHex } from '../bytes/hex.ts'
import { deployLedger, isLedger, type LedgerArtifact } from '../chain/deploy.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../chain/dev-accounts.ts'
import type { EmbeddedChain } from '../chain/embedded.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { OperationError } from '../errors.ts'
import { loadIdentity, saveIdentity } from './identity.ts'

/**
 * The ledger of a data folder on the embedded chain; a new one when the folder is new.
 *
 * @throws {OperationError} `STORE_DAMAGED` when the folder has a ledger that its chain does not have
 */
export async function findOrDeployLedger(
  dataPath: string,
  { rpc, durableBlock }: EmbeddedChain,
  onProgress: (message: string) => void,
): Promise<LedgerIdentity> {
  const path = join(dataPath, 'ledger.json')
  const known = await loadIdentity(path)
  if (known !== undefined) {
    if (await isLedger(rpc, known.ledger)) return known
    throw new OperationError(
      'STORE_DAMAGED',
      `the embedded chain in ${dataPath} has lost ledger ${known.ledger}: restore its state file, or start a new data folder`,
      { retryable: false },
    )
  }
  onProgress('deploying the ledger contract')
  const artifact = await loadArtifact()
  const admin = devWallet('admin', LOCAL_CHAIN_ID)
  const publisher = devWallet('publisher', LOCAL_CHAIN_ID).address.toLowerCase()
  if (!isHex(publisher, 20)) throw new Error(`a wallet has the address ${publisher}`)
  const { address, deploymentBlock } = await deployLedger({
    rpc,
    signer: admin,
    artifact,
    publishers: [publisher],
  })
  const identity = { chainId: LOCAL_CHAIN_ID, ledger: address, deploymentBlock }
  // Named only once a crash can no longer take it away, its publisher included.
  while (durableBlock() <= deploymentBlock) await delay(10)
  await saveIdentity(path, identity)
  return identity
}

async function loadArtifact(): Promise<LedgerArtifact> {
  const url = new URL('../../artifacts/contracts/Ledger.sol/Ledger.json', import.meta.url)
  try {
    const { bytecode } = Object(JSON.parse(await readFile(url, 'utf8'))) as { bytecode?: unknown }
    return { bytecode: String(bytecode) }
  } catch (cause) {
    throw new OperationError('CHAIN_FAILED', 'the contracts are not compiled: run npm run setup', {
      cause,
      retryable: false,
    })
  }
}
