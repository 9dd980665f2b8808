import { type Hex, isHex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { parseBytes } from './answers.ts'
import { createAuthorizations } from './authorizations.ts'
import { createLedger } from './ledger.ts'
import { ledgerInterface } from './ledger-abi.ts'
import { createRegistry } from './registry.ts'
import { authorizationsInterface, registryInterface } from './rights-abi.ts'
import type { Rpc } from './rpc.ts'
import { type Sender, transact } from './transact.ts'

/** A compiled contract, as `npm run compile` writes it. */
export interface ContractArtifact {
  bytecode: string
}

/** The sender becomes admin and registrar. */
export interface Deployment extends Sender {
  artifact: ContractArtifact
  /** may append from the start */
  publishers: readonly Hex[]
}

export interface DeployedLedger {
  address: Hex
  deploymentBlock: bigint
}

/**
 * Creates a ledger and adds its publishers.
 *
 * Not resumable: what fails halfway leaves a ledger that nobody uses.
 *
 * @throws {OperationError} also when a transaction is not in a block within `timeoutMs`
 */
export async function deployLedger(deployment: Deployment): Promise<DeployedLedger> {
  const { rpc, signer, artifact, publishers } = deployment
  const admin = parseBytes(signer.address, 'address', 20)
  const { address, deploymentBlock } = await create(
    deployment,
    artifact,
    ledgerInterface.encodeDeploy([admin]),
  )
  for (const publisher of publishers) {
    const call = ledgerInterface.encodeFunctionData('addPublisher', [publisher])
    await transact(deployment, { to: address, data: parseBytes(call, 'calldata') })
  }
  if (!(await isLedger(rpc, address))) {
    throw new OperationError(
      'CHAIN_FAILED',
      `the contract created at ${address} does not answer like a ledger`,
      {
        retryable: false,
      },
    )
  }
  return { address, deploymentBlock }
}

/** Where a ledger's registry and authorisations are. */
export interface RightsIdentity {
  /** 20 bytes, as is `authorizations` */
  registry: Hex
  authorizations: Hex
  /** of the registry, the older of the two */
  deploymentBlock: bigint
}

/** Who may do what in a registry. */
export interface RightsDeployment extends Sender {
  artifacts: { registry: ContractArtifact; authorizations: ContractArtifact }
  roles: { governance: Hex; registrar: Hex; guardian: Hex }
}

/**
 * Creates a registry and the authorisations that rest on it.
 *
 * Not resumable, as `deployLedger`.
 *
 * @throws {OperationError} also when a transaction is not in a block within `timeoutMs`
 */
export async function deployRights(deployment: RightsDeployment): Promise<RightsIdentity> {
  const { artifacts, roles } = deployment
  const registry = await create(
    deployment,
    artifacts.registry,
    registryInterface.encodeDeploy([roles.governance, roles.registrar, roles.guardian]),
  )
  const { address: authorizations } = await create(
    deployment,
    artifacts.authorizations,
    authorizationsInterface.encodeDeploy([registry.address]),
  )
  return { registry: registry.address, authorizations, deploymentBlock: registry.deploymentBlock }
}

/**
 * The registry that authorisations at this address rest on, and since when.
 *
 * @throws {OperationError} `CHAIN_FAILED` or `RPC_MALFORMED` when there are none
 */
export async function findRights(rpc: Rpc, authorizations: Hex): Promise<RightsIdentity> {
  const registry = await createAuthorizations(rpc, authorizations).registry()
  return { registry, authorizations, deploymentBlock: await createRegistry(rpc, registry).deploymentBlock() }
}

/** @param encodedArguments of the constructor */
async function create(
  sender: Sender,
  { bytecode }: ContractArtifact,
  encodedArguments: string,
): Promise<{ address: Hex; deploymentBlock: bigint }> {
  if (!isHex(bytecode) || bytecode === '0x') {
    throw new OperationError('CHAIN_FAILED', 'a compiled contract has no bytecode', { retryable: false })
  }
  const data: Hex = `${bytecode}${encodedArguments.slice(2)}`
  const { receipt, contractAddress } = await transact(sender, { data })
  const address = parseBytes(contractAddress, "created contract's address", 20)
  return { address, deploymentBlock: receipt.blockNumber }
}

/**
 * Whether a contract that answers like a ledger is at this address; it proves nothing about its code.
 *
 * @throws {OperationError} when the node cannot be asked
 */
export async function isLedger(rpc: Rpc, address: Hex): Promise<boolean> {
  const code = parseBytes(await rpc.call('eth_getCode', [address, 'latest']), 'code')
  if (code === '0x') return false
  const ledger = createLedger(rpc, address)
  try {
    await Promise.all([ledger.size(), ledger.root(), ledger.deploymentBlock()])
    return true
  } catch (error) {
    // Another contract reverts, or answers in another shape; an unreachable node says nothing about the contract.
    if (error instanceof OperationError && error.code !== 'RPC_UNREACHABLE') return false
    throw error
  }
}
