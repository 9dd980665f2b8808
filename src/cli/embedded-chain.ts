import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseBytes } from '../chain/answers.ts'
import { deployLedger, deployRights, isLedger, type RightsIdentity } from '../chain/deploy.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../chain/dev-accounts.ts'
import { type EmbeddedChain, startEmbeddedChain } from '../chain/embedded.ts'
import { chainFacts } from '../chain/facts.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import type { Rpc } from '../chain/rpc.ts'
import { InputError, OperationError } from '../errors.ts'
import { loadArtifact, loadRightsArtifacts } from './artifacts.ts'
import type { AttachChain } from './attached-chain.ts'
import { type FolderIdentity, identityPath, loadIdentity, saveIdentity } from './identity.ts'

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
      if (known !== undefined && !(await isLedger(chain.rpc, known.ledger))) throw lostLedger(dataPath, known)
      const { rights, ...identity } = await deployMissing(dataPath, known, chain, onProgress)
      const finality = { kind: 'durable', durableBlock: () => chain.durableBlock() } as const
      return {
        url: chain.url,
        note: `local, chain id ${identity.chainId}, kept across restarts`,
        rpc: chain.rpc,
        facts: chainFacts(chain.rpc, { finality }),
        // There is no other node of this chain: blocks that it lacks are gone.
        mayLag: false,
        identity,
        rights,
        signer: devWallet('publisher', identity.chainId),
        guardian: devWallet('guardian', identity.chainId),
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

/** The contracts of a new folder, and those that a folder of an earlier version lacks. */
async function deployMissing(
  dataPath: string,
  known: FolderIdentity | undefined,
  { rpc, durableBlock }: EmbeddedChain,
  onProgress: (message: string) => void,
): Promise<LedgerIdentity & { rights: RightsIdentity }> {
  if (known?.rights !== undefined) return { ...known, rights: known.rights }
  onProgress('deploying the contracts')
  const ledger = known ?? (await deployOwnLedger(rpc))
  const rights = await deployRights({
    rpc,
    signer: devWallet('admin', LOCAL_CHAIN_ID),
    artifacts: await loadRightsArtifacts(),
    roles: { governance: addressOf('admin'), registrar: addressOf('admin'), guardian: addressOf('guardian') },
  })
  // Named only once a crash can no longer take them away; the block after the registry's has the last of them.
  while (durableBlock() <= rights.deploymentBlock) await delay(10)
  await saveIdentity(identityPath(dataPath), { ...ledger, rights })
  return { ...ledger, rights }
}

async function deployOwnLedger(rpc: Rpc): Promise<LedgerIdentity> {
  const { address, deploymentBlock } = await deployLedger({
    rpc,
    signer: devWallet('admin', LOCAL_CHAIN_ID),
    artifact: await loadArtifact(),
    publishers: [addressOf('publisher')],
  })
  return { chainId: LOCAL_CHAIN_ID, ledger: address, deploymentBlock }
}

const addressOf = (role: 'admin' | 'publisher' | 'guardian') =>
  parseBytes(devWallet(role, LOCAL_CHAIN_ID).address, 'address', 20)

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
