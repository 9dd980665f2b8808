import { setTimeout as delay } from 'node:timers/promises'
import { type Hex, isHex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import type { TransactionReceipt } from '../verify/chain-facts.ts'
import { parseBytes, parseMembers } from './answers.ts'
import { fetchChainId, parseReceipt } from './facts.ts'
import { suggestFees } from './fees.ts'
import { createLedger } from './ledger.ts'
import { ledgerInterface } from './ledger-abi.ts'
import type { Rpc } from './rpc.ts'
import { broadcast, estimateGas, fetchNonce, signTransaction } from './send.ts'
import type { Signer } from './signer.ts'

/** The compiled contract, as `npm run compile` writes it. */
export interface LedgerArtifact {
  bytecode: string
}

export interface Deployment {
  rpc: Rpc
  /** pays, and becomes admin and registrar */
  signer: Signer
  artifact: LedgerArtifact
  /** may append from the start */
  publishers: readonly Hex[]
  /** for each transaction to be in a block */
  timeoutMs?: number
  /** wei per gas */
  maxFeePerGas?: bigint
}

export interface DeployedLedger {
  address: Hex
  deploymentBlock: bigint
}

const POLL_MS = 25
const GAS_MARGIN_PERCENT = 20
/** 500 gwei */
const DEFAULT_MAX_FEE = 500_000_000_000n

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

async function transact(
  { rpc, signer, timeoutMs = 120_000, maxFeePerGas = DEFAULT_MAX_FEE }: Deployment,
  call: { to?: Hex; data: Hex },
): Promise<{ receipt: TransactionReceipt; contractAddress: unknown }> {
  const from = parseBytes(signer.address, 'address', 20)
  const signed = await signTransaction(signer, {
    ...call,
    chainId: await fetchChainId(rpc),
    nonce: await fetchNonce(rpc, from, 'pending'),
    gasLimit: await estimateGas(rpc, { from, ...call }, GAS_MARGIN_PERCENT),
    ...(await suggestFees(rpc, maxFeePerGas)),
  })
  await broadcast(rpc, signed)
  const deadline = AbortSignal.timeout(timeoutMs)
  while (!deadline.aborted) {
    const answer = await rpc.call('eth_getTransactionReceipt', [signed.hash])
    const receipt = parseReceipt(answer, signed.hash)
    if (receipt?.succeeded === false) {
      throw new OperationError('CHAIN_FAILED', `transaction ${signed.hash} reverted`, { retryable: false })
    }
    if (receipt !== undefined)
      return { receipt, contractAddress: parseMembers(answer, 'receipt').contractAddress }
    await delay(POLL_MS)
  }
  throw new OperationError('CHAIN_FAILED', `transaction ${signed.hash} is in no block after ${timeoutMs} ms`)
}
