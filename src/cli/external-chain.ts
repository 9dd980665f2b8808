import type { Hex } from '../bytes/hex.ts'
import { parseBytes } from '../chain/answers.ts'
import { findRights, isLedger, type RightsIdentity } from '../chain/deploy.ts'
import { assertOwnKey } from '../chain/dev-accounts.ts'
import { chainFacts, type Finality, fetchChainId } from '../chain/facts.ts'
import { createLedger, type Ledger } from '../chain/ledger.ts'
import { createRegistry } from '../chain/registry.ts'
import { createRpc, type Rpc } from '../chain/rpc.ts'
import type { Signer } from '../chain/signer.ts'
import { InputError, OperationError } from '../errors.ts'
import type { AttachChain } from './attached-chain.ts'
import { type FolderIdentity, identityPath, loadIdentity, saveIdentity } from './identity.ts'

export interface ExternalChainOptions {
  /** of a node's JSON-RPC */
  url: string
  ledger: Hex
  /** absent where nobody decides on calls; once named, the folder keeps it */
  authorizations?: Hex
  /** the publisher's */
  signer: Signer
  /** see `AttachedChain` */
  guardian?: Signer
  finality: Finality
}

/** A chain that others run, reached through one of its nodes. A data folder belongs to one ledger and publisher there. */
export const externalChain =
  ({ url, ledger: address, authorizations, signer, guardian, finality }: ExternalChainOptions): AttachChain =>
  async (dataPath, onProgress) => {
    const rpc = createRpc(url)
    const shown = showUrl(url)
    onProgress(`asking the chain at ${shown}`)
    const chainId = await fetchChainId(rpc)
    for (const { address } of [signer, ...(guardian === undefined ? [] : [guardian])])
      assertOwnKey(address, chainId)
    const publisher = parseBytes(signer.address, 'address', 20)
    const path = identityPath(dataPath)
    const known = await loadIdentity(path)
    expectSame(dataPath, known, { chainId, ledger: address, publisher })
    if (!(await isLedger(rpc, address))) throw noLedger(address, chainId)
    const ledger = createLedger(rpc, address)
    await expectActive(ledger, publisher, shown)
    const identity = { chainId, ledger: address, deploymentBlock: await ledger.deploymentBlock() }
    const rights = await attachRights(rpc, dataPath, known?.rights, authorizations)
    if (guardian !== undefined) await expectGuardian(rpc, rights, parseBytes(guardian.address, 'address', 20))
    await saveIdentity(path, { ...identity, publisher, ...(rights !== undefined && { rights }) })
    return {
      url: shown,
      note: `chain id ${chainId}`,
      rpc,
      facts: chainFacts(rpc, { finality }),
      mayLag: true,
      identity,
      rights,
      signer,
      guardian,
      // Whatever ails the node is said by whoever asks it in vain.
      troubles: () => [],
      ended: new Promise(() => undefined),
      stop: async () => undefined,
    }
  }

/** @throws {InputError} `BAD_CONFIG`: what was decided by one contract must not be gone on with by another */
export async function attachRights(
  rpc: Rpc,
  dataPath: string,
  known: RightsIdentity | undefined,
  authorizations: Hex | undefined,
): Promise<RightsIdentity | undefined> {
  if (authorizations === undefined || authorizations === known?.authorizations) return known
  if (known === undefined) return await findRights(rpc, authorizations)
  throw new InputError(
    'BAD_CONFIG',
    `${dataPath} follows the authorisations ${known.authorizations}, not ${authorizations}: name the former with --authorizations, or choose another folder with --data`,
  )
}

/**
 * @throws {InputError} `BAD_CONFIG` when there is no breaker to trip
 * @throws {OperationError} `CHAIN_FAILED` when the registry would refuse the trip
 */
async function expectGuardian(rpc: Rpc, rights: RightsIdentity | undefined, guardian: Hex): Promise<void> {
  if (rights === undefined) {
    throw new InputError(
      'BAD_CONFIG',
      '--guardian-keystore needs --authorizations: their registry has the breaker',
    )
  }
  if (await createRegistry(rpc, rights.registry).isGuardian(guardian)) return
  throw new OperationError(
    'CHAIN_FAILED',
    `${guardian} is no guardian of the registry ${rights.registry}: its governance gives it the role, or name the key of a guardian with --guardian-keystore`,
    { retryable: false },
  )
}

/** The URL as people may see it. */
function showUrl(url: string): string {
  const { origin, pathname, search } = new URL(url)
  return pathname === '/' && search === '' ? origin : `${origin}/…`
}

/** @throws {InputError} `BAD_CONFIG`: batches that were promised to one ledger must not end up in another */
function expectSame(dataPath: string, known: FolderIdentity | undefined, now: Attachment): void {
  const owner = known === undefined ? undefined : otherOwner(known, now)
  if (owner === undefined) return
  throw new InputError('BAD_CONFIG', `${dataPath} belongs to ${owner}, or choose another folder with --data`)
}

type Attachment = Required<Omit<FolderIdentity, 'deploymentBlock' | 'rights'>>

/** Whom else a folder belongs to, and what to do then. */
function otherOwner(known: FolderIdentity, { chainId, ledger, publisher }: Attachment): string | undefined {
  if (known.publisher === undefined) {
    return `ledger ${known.ledger} on its embedded chain: start it without --rpc`
  }
  if (known.chainId !== chainId) {
    return `chain ${known.chainId}, and the node is of chain ${chainId}: name a node of the former with --rpc`
  }
  if (known.ledger !== ledger) {
    return `ledger ${known.ledger}, not ${ledger}: name it with --ledger`
  }
  if (known.publisher !== publisher) {
    return `publisher ${known.publisher}, and the keystore holds the key of ${publisher}: name the former's with --keystore`
  }
  return undefined
}

/** @throws {OperationError} `CHAIN_FAILED` saying what a registrar has to do */
async function expectActive(ledger: Ledger, publisher: Hex, rpc: string): Promise<void> {
  const { status } = await ledger.publisher(publisher)
  if (status === 'active') return
  const [state, verb] = status === 'none' ? ['not registered with', 'add'] : ['suspended by', 'reinstate']
  throw new OperationError(
    'CHAIN_FAILED',
    `publisher ${publisher} is ${state} ledger ${ledger.address}: a registrar runs "npx tidemark ledger publisher ${verb} ${publisher} --ledger ${ledger.address} --rpc ${rpc} --keystore FILE"`,
    { retryable: false },
  )
}

const noLedger = (address: Hex, chainId: bigint) =>
  new OperationError(
    'CHAIN_FAILED',
    `there is no ledger at ${address} on chain ${chainId}: check --ledger and --rpc ("tidemark ledger deploy" makes one)`,
    { retryable: false },
  )
