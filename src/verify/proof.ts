import { type Appended, decodeAppended, encodeHeader, type Header, hashHeader } from '../batch/index.ts'
import { equalBytes } from '../bytes/bytes.ts'
import type { Hex } from '../bytes/hex.ts'
import { OperationError, VerificationError } from '../errors.ts'
import { verifyInclusion } from '../merkle/index.ts'
import { type Anchor, type Proof, parseProof } from '../proof/index.ts'
import { type FlowRecord, leafHash, openRecord, timeOf } from '../record/index.ts'
import type { ChainFacts, TransactionReceipt } from './chain-facts.ts'

/** The steps of a verification, in their order; an error names the one that refused. */
export const PROOF_STEPS = ['read', 'record', 'batch', 'anchor', 'log'] as const
export type ProofStep = (typeof PROOF_STEPS)[number]

/** What a verified proof has shown. */
export interface VerifiedProof {
  /** with what the bundle discloses put back */
  record: FlowRecord
  /** members that stay closed, counted */
  closedMembers: number
  header: Header
  logIndex: bigint
  anchor: Anchor
  /** seconds since 1970 by the block's own clock */
  blockTime: bigint
  /** the highest block that the chain called final */
  finalBlock: bigint
}

/** What the verifier knows beforehand. */
export interface Trust {
  /** the ledger's address; when left out, the one that the proof names is believed */
  ledger?: Hex
}

/**
 * Checks a proof against a chain (docs/format.md, "Verification").
 *
 * Trusts the answers of `chain`, and the ledger's address when `trust` names it; nothing in the bundle.
 *
 * @param bundle parsed JSON
 * @throws {InputError} `BAD_BUNDLE` when it is no proof at all
 * @throws {VerificationError} when a claim of it is false; `step` says which
 * @throws {OperationError} when the chain cannot tell, or not yet: nothing is known then
 */
export async function verifyProof(
  bundle: unknown,
  chain: ChainFacts,
  trust: Trust = {},
): Promise<VerifiedProof> {
  const proof = await step('read', () => parseProof(bundle))
  const record = await step('record', () => openRecord(proof.record, proof.disclosures))
  await step('batch', () => verifyInBatch(proof))
  const anchored = await step('anchor', () => verifyAnchor(proof, chain, trust))
  await step('log', () => verifyInLog(proof, anchored.receipt, chain))
  return {
    record,
    closedMembers: (proof.record.data._sd?.length ?? 0) - proof.disclosures.length,
    header: proof.header,
    logIndex: proof.log.index,
    anchor: proof.anchor,
    blockTime: anchored.blockTime,
    finalBlock: anchored.finalBlock,
  }
}

async function step<T>(name: ProofStep, check: () => T | Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    throw new VerificationError(cause.code, cause.message, { cause, step: name })
  }
}

/** The record is at its place in the records tree of the header. */
function verifyInBatch({ record, inclusion, header }: Proof): void {
  verifyInclusion({
    leafHash: leafHash(record),
    index: BigInt(inclusion.index),
    size: BigInt(header.recordCount),
    path: inclusion.path,
    root: header.recordsRoot,
  })
  const time = BigInt(timeOf(record))
  if (time < header.firstTime || time > header.lastTime) {
    throw new VerificationError('BATCH_MISMATCH', 'the record is not of the time that its batch covers')
  }
}

/** A final block of the chain holds the ledger's event, and the event holds the header. */
async function verifyAnchor({ header, log, anchor }: Proof, chain: ChainFacts, trust: Trust) {
  if (trust.ledger !== undefined && trust.ledger !== anchor.ledger) {
    throw new VerificationError(
      'WRONG_LEDGER',
      `the proof names ledger ${anchor.ledger}, not ${trust.ledger}`,
    )
  }
  const chainId = await chain.chainId()
  if (chainId !== anchor.chainId) {
    throw new VerificationError(
      'WRONG_CHAIN',
      `the proof names chain ${anchor.chainId}, this chain is ${chainId}`,
    )
  }
  const finalBlock = await chain.finalBlock()
  const receipt = await chain.receipt(anchor.transactionHash)
  if (receipt === undefined) throw await explainMissing(anchor, chain, finalBlock)
  // Until the block is final, neither what it holds nor where the transaction lies is settled.
  if (finalBlock < receipt.blockNumber) throw notFinal(receipt.blockNumber, finalBlock)
  if (receipt.blockNumber !== anchor.blockNumber || receipt.blockHash !== anchor.blockHash) {
    throw new VerificationError(
      'NOT_CANONICAL',
      `the transaction is in block ${receipt.blockNumber}, ${receipt.blockHash}`,
    )
  }
  const block = await chain.blockByNumber(anchor.blockNumber)
  if (block?.hash !== receipt.blockHash) {
    throw new OperationError(
      'RPC_MALFORMED',
      "the node's receipt and its block contradict each other; ask another",
    )
  }
  if (!receipt.succeeded) throw new VerificationError('NOT_ANCHORED', 'the transaction was reverted')
  verifyEvent(receipt, header, log.index, anchor)
  return { receipt, blockTime: block.timestamp, finalBlock }
}

function verifyEvent(receipt: TransactionReceipt, header: Header, index: bigint, anchor: Anchor): void {
  const event = receipt.logs.find((candidate) => candidate.logIndex === anchor.logIndex)
  if (event === undefined || event.address !== anchor.ledger) {
    throw new VerificationError(
      'NOT_ANCHORED',
      `the transaction has no event ${anchor.logIndex} of ledger ${anchor.ledger}`,
    )
  }
  const appended = decodeAppended(event.topics, event.data)
  if (appended === undefined || !equalBytes(encodeHeader(appended.header), encodeHeader(header))) {
    throw new VerificationError(
      'HEADER_MISMATCH',
      'the event on the chain holds another header than the proof',
    )
  }
  if (appended.index !== index) {
    throw new VerificationError(
      'HEADER_MISMATCH',
      `the header is number ${appended.index} of the ledger, not ${index}`,
    )
  }
}

/** Why the chain has no receipt of the anchor's transaction: a false claim, or a node that lags or has forgotten. */
async function explainMissing(
  anchor: Anchor,
  chain: ChainFacts,
  finalBlock: bigint,
): Promise<VerificationError | OperationError> {
  const named = await chain.blockByHash(anchor.blockHash)
  // What a block holds follows from its hash, whether it is final or not.
  if (named !== undefined && named.number !== anchor.blockNumber) {
    return new VerificationError(
      'NOT_CANONICAL',
      `the block has number ${named.number}, not ${anchor.blockNumber}`,
    )
  }
  if (named !== undefined && !named.transactionHashes.includes(anchor.transactionHash)) {
    return new VerificationError('NOT_ANCHORED', 'the block does not hold the transaction')
  }
  if ((await chain.headBlock()) < anchor.blockNumber) {
    return new OperationError(
      'RPC_LAGS',
      `the node has not reached block ${anchor.blockNumber} yet; ask another`,
    )
  }
  const block = await chain.blockByNumber(anchor.blockNumber)
  if (block === undefined || block.hash === anchor.blockHash) {
    return new OperationError(
      'RPC_REFUSED',
      `the node no longer has block ${anchor.blockNumber} whole; ask another`,
    )
  }
  if (finalBlock < anchor.blockNumber) return notFinal(anchor.blockNumber, finalBlock)
  return new VerificationError(
    'NOT_CANONICAL',
    `block ${anchor.blockNumber} of the chain is another than the proof names`,
  )
}

const notFinal = (number: bigint, finalBlock: bigint) =>
  new OperationError('NOT_FINAL', `block ${number} is not final yet (${finalBlock} is); try again later`)

/** The header is at its place in the ledger's log as it was after the anchor's transaction. */
async function verifyInLog(
  { header, log, anchor }: Proof,
  receipt: TransactionReceipt,
  chain: ChainFacts,
): Promise<void> {
  const size = sizeAfter(receipt, anchor.ledger)
  if (log.size !== size) {
    throw new VerificationError(
      'HEADER_MISMATCH',
      `the ledger had ${size} headers after the transaction, not ${log.size}`,
    )
  }
  const root = await chain.ledgerRoot(anchor.ledger, size)
  if (root === undefined) {
    throw new OperationError(
      'RPC_LAGS',
      `the node does not know all ${size} headers of the ledger; ask another`,
    )
  }
  verifyInclusion({ leafHash: hashHeader(header), index: log.index, size, path: log.path, root })
}

/** How many headers the ledger had when the transaction ended: one more than the last index that it appended. */
export function sizeAfter(receipt: Pick<TransactionReceipt, 'logs'>, ledger: Hex): bigint {
  let last: Appended | undefined
  for (const { address, topics, data } of receipt.logs) {
    if (address !== ledger) continue
    const appended = decodeAppended(topics, data)
    if (appended !== undefined && (last === undefined || appended.index > last.index)) last = appended
  }
  if (last === undefined)
    throw new VerificationError('NOT_ANCHORED', 'the transaction appended nothing to the ledger')
  return last.index + 1n
}
