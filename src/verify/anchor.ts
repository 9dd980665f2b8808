import { type Appended, decodeAppended, encodeHeader, type Header, hashHeader } from '../batch/index.ts'
import { equalBytes } from '../bytes/bytes.ts'
import type { Hex } from '../bytes/hex.ts'
import { OperationError, VerificationError } from '../errors.ts'
import { verifyInclusion } from '../merkle/index.ts'
import type { Anchor, Anchored } from '../proof/index.ts'
import type { ChainFacts, TransactionReceipt } from './chain-facts.ts'
import { finalReceipt } from './final-receipt.ts'

/** What an anchored header has shown, whatever bundle it stands in. */
export interface VerifiedAnchor {
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
  /** the contract that decides on grants; as `ledger` */
  authorizations?: Hex
  /** that those authorisations rest on; as `ledger` */
  registry?: Hex
}

/**
 * The last two steps of every verification: `anchor`, a final block holds the ledger's event of the header, and `log`,
 * the header has its place in the ledger.
 *
 * @throws {VerificationError} with the step
 * @throws {OperationError} when the chain cannot tell, or not yet
 */
export async function verifyAnchored(
  anchored: Anchored,
  chain: ChainFacts,
  trust: Trust,
): Promise<VerifiedAnchor> {
  const { header, log, anchor } = anchored
  const { receipt, blockTime, finalBlock } = await step('anchor', () => verifyAnchor(anchored, chain, trust))
  await step('log', () => verifyInLog(anchored, receipt, chain))
  return { header, logIndex: log.index, anchor, blockTime, finalBlock }
}

/** Runs a step of a verification; an error of it carries its name, but bad evidence that it asked for keeps its own. */
export async function step<T>(name: string, check: () => T | Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (cause) {
    if (cause instanceof OperationError) cause.step = name
    if (!(cause instanceof VerificationError) || cause.step === 'evidence') throw cause
    throw new VerificationError(cause.code, cause.message, { cause, step: name })
  }
}

/** A final block of the chain holds the ledger's event, and the event holds the header. */
export async function verifyAnchor(
  { header, log, anchor }: { header: Header; log: { index: bigint }; anchor: Anchor },
  chain: ChainFacts,
  trust: Trust,
) {
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
  const { receipt, block } = await finalReceipt(anchor, chain, finalBlock)
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

/** The header is at its place in the ledger's log as it was after the anchor's transaction. */
async function verifyInLog(
  { header, log, anchor }: Anchored,
  receipt: TransactionReceipt,
  chain: ChainFacts,
): Promise<void> {
  const { size } = log
  const root = await rootAfter(receipt, size, anchor.ledger, chain)
  verifyInclusion({ leafHash: hashHeader(header), index: log.index, size, path: log.path, root })
}

/** The root of the ledger's log when the anchor's transaction had ended, with as many headers as the bundle says. */
export async function rootAfter(
  receipt: TransactionReceipt,
  claimed: bigint,
  ledger: Hex,
  chain: ChainFacts,
): Promise<Uint8Array> {
  const size = sizeAfter(receipt, ledger)
  if (claimed !== size) {
    throw new VerificationError(
      'HEADER_MISMATCH',
      `the ledger had ${size} headers after the transaction, not ${claimed}`,
    )
  }
  const root = await chain.ledgerRoot(ledger, size)
  if (root === undefined) {
    throw new OperationError(
      'RPC_LAGS',
      `the node does not know all ${size} headers of the ledger; ask another`,
    )
  }
  return root
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
