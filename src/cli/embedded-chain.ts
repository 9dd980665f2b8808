import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isHex } from '../bytes/hex.ts'
import { deployLedger, isLedger } from '../chain/deploy.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../chain/dev-accounts.ts'
import { type EmbeddedChain, startEmbeddedChain } from '../chain/embedded.ts'
import { chainFacts } from '../chain/facts.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { InputError, OperationError } from '../errors.ts'
import type { AttachChain } from './attached-chain.ts'
import { type FolderIdentity, identityPath, loadIdentity, saveIdentity } from './identity.ts'
import { loadArtifact } from './ledger-artifact.ts'

/**
 * The local chain that lives in the data folder, with the development accounts.
 *
 * @param port 0 for any free one
 */
export const embeddedChain =
  (port: number): AttachChain =>
  async (dataPath, onProgress) => {
    const known = await loadIdentity(identityPath(dataPath))
    if (known?.publisher !== undefined) throw belongsElsewhere(dataPath, known)
    onProgress('starting the embedded chain')
    const chain = await startEmbeddedChain({ stateFile: join(dataPath, 'chain', 'state.json.gz'), port })
    try {
      const identity = known ?? (await deploy(dataPath, chain, onProgress))
      if (!(await isLedger(chain.rpc, identity.ledger))) throw lostLedger(dataPath, identity)
      const finality = { kind: 'durable', durableBlock: () => chain.durableBlock() } as const
      return {
        url: chain.url,
        note: `local, chain id ${identity.chainId}, kept across restarts`,
        rpc: chain.rpc,
        facts: chainFacts(chain.rpc, { finality }),
        // There is no other node of this chain: blocks that it lacks are gone.
        mayLag: false,
        identity,
        signer: devWallet('publisher', identity.chainId),
        troubles() {
          const saving = chain.saveFailure()
          return saving === undefined ? [] : [`saving the chain: ${saving.message}`]
        },
        ended: chain.exited.then(
          ({ output }) => new OperationError('CHAIN_FAILED', `the embedded chain ended: ${output}`),
        ),
        stop: () => chain.stop(),
      }
    } catch (error) {
      await chain.stop()
      throw error
    }
  }

/** The first ledger of a new folder. */
async function deploy(
  dataPath: string,
  { rpc, durableBlock }: EmbeddedChain,
  onProgress: (message: string) => void,
): Promise<LedgerIdentity> {
  onProgress('deploying the ledger contract')
  const publisher = devWallet('publisher', LOCAL_CHAIN_ID).address.toLowerCase()
  if (!isHex(publisher, 20)) throw new Error(`a wallet has the address ${publisher}`)
  const { address, deploymentBlock } = await deployLedger({
    rpc,
    signer: devWallet('admin', LOCAL_CHAIN_ID),
    artifact: await loadArtifact(),
    publishers: [publisher],
  })
  const identity = { chainId: LOCAL_CHAIN_ID, ledger: address, deploymentBlock }
  // Named only once a crash can no longer take it away, its publisher included.
  while (durableBlock() <= deploymentBlock) await delay(10)
  await saveIdentity(identityPath(dataPath), identity)
  return identity
}

const belongsElsewhere = (dataPath: string, { ledger, chainId }: FolderIdentity) =>
  new InputError(
    'BAD_CONFIG',
    `${dataPath} belongs to ledger ${ledger} on chain ${chainId}: start it with --rpc, --ledger and --keystore, or choose another folder with --data`,
  )

const lostLedger = (dataPath: string, { ledger }: LedgerIdentity) =>
  new OperationError(
    'STORE_DAMAGED',
    `the embedded chain in ${dataPath} has lost ledger ${ledger}: restore its state file, or start a new data folder`,
    { retryable: false },
  )
