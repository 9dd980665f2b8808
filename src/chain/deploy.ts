import { type Hex, isHex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { parseBytes } from './answers.ts'
import { createLedger } from './ledger.ts'
import { ledgerInterface } from './ledger-abi.ts'
import type { Rpc } from './rpc.ts'
import { type Sender, transact } from './transact.ts'

/** The compiled contract, as `npm run compile` writes it. */
export interface LedgerArtifact {
  bytecode: string
}

/** The sender becomes admin and registrar. */
export interface Deployment extends Sender {
  artifact: LedgerArtifact
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
  if (!isHex(artifact.bytecode) || artifact.bytecode === '0x') {
    throw new OperationError('CHAIN_FAILED', 'the compiled ledger has no bytecode', { retryable: false })
  }
  const admin = parseBytes(signer.address, 'address', 20)
  const data: Hex = `${artifact.bytecode}${ledgerInterface.encodeDeploy([admin]).slice(2)}`
  const { receipt, contractAddress } = await transact(deployment, { data })
  const address = parseBytes(contractAddress, "created contract's address", 20)
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
