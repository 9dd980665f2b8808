import { equalBytes } from '../bytes/bytes.ts'
import type { Hex } from '../bytes/hex.ts'
import { InputError, OperationError, VerificationError } from '../errors.ts'
import { parseReceipt, type Receipt } from '../proof/index.ts'
import { step } from './anchor.ts'
import type { ChainFacts } from './chain-facts.ts'
import { type VerifiedSubmission, verifySubmission } from './submission.ts'

/** The steps of a verification, in their order; an error names the one that refused. */
export const RECEIPT_STEPS = ['read', 'publisher', 'submission', 'promise'] as const

/** Whom checking a receipt asks besides the chain's blocks. */
export interface ReceiptWitnesses {
  /** The address that signed it; throws `VerificationError` `BAD_SIGNATURE` when nobody did. */
  signerOf(receipt: Receipt): Hex
  /** Whether the ledger contract knows the publisher, suspended or not. */
  isPublisher(ledger: Hex, publisher: Hex): Promise<boolean>
  /**
   * The proof of the submission (`tidemark-submission/1`), parsed JSON; undefined when one who must know says that the
   * ledger does not hold it. MUST throw `OperationError` when nobody can tell.
   */
  fetchSubmission(receipt: Receipt): Promise<unknown>
  /** milliseconds since 1970 */
  now(): number
}

/** What the verifier knows beforehand; what is left out is believed as the receipt names it. */
export interface ReceiptTrust {
  ledger?: Hex
  publisher?: Hex
}

/** A receipt whose promise was kept, and the submission on the chain. */
export interface KeptPromise {
  receipt: Receipt
  submission: VerifiedSubmission
}

/**
 * Checks a receipt, and what became of its promise (docs/format.md, "Verifying a receipt").
 *
 * That a submission is there is proven; that it is not there is the word of whoever `fetchSubmission` asks.
 *
 * @param value parsed JSON
 * @throws {InputError} `BAD_BUNDLE` when it is no receipt at all
 * @throws {VerificationError} when a claim is false; at step `promise` with `PROMISE_BROKEN`, the receipt is good and
 *   its promise was broken
 * @throws {OperationError} when nobody can tell; `NOT_YET` while there is still time
 */
export async function verifyReceipt(
  value: unknown,
  chain: ChainFacts,
  witnesses: ReceiptWitnesses,
  trust: ReceiptTrust = {},
): Promise<KeptPromise> {
  const receipt = await step('read', () => parseReceipt(value))
  await step('publisher', () => verifyPublisher(receipt, chain, witnesses, trust))
  const bundle = await step('submission', () => witnesses.fetchSubmission(receipt))
  if (bundle === undefined) return await step('promise', () => explainAbsence(receipt, witnesses.now()))
  const submission = await step('submission', () => verifyOnChain(receipt, bundle, chain))
  await step('promise', () => verifyInTime(receipt, submission))
  return { receipt, submission }
}

/** The receipt is of the ledger and by the publisher that are expected, and by one that the ledger knows. */
async function verifyPublisher(
  receipt: Receipt,
  chain: ChainFacts,
  { signerOf, isPublisher }: ReceiptWitnesses,
  trust: ReceiptTrust,
): Promise<void> {
  const { ledger, publisher } = receipt
  if (signerOf(receipt) !== publisher) {
    throw new VerificationError('BAD_SIGNATURE', `the signature is not that of ${publisher}`)
  }
  if (trust.ledger !== undefined && trust.ledger !== ledger) {
    throw new VerificationError('WRONG_LEDGER', `the receipt names ledger ${ledger}, not ${trust.ledger}`)
  }
  if (trust.publisher !== undefined && trust.publisher !== publisher) {
    throw new VerificationError(
      'WRONG_PUBLISHER',
      `the receipt is by ${publisher}, not by ${trust.publisher}`,
    )
  }
  const chainId = await chain.chainId()
  if (chainId !== receipt.chainId) {
    throw new VerificationError(
      'WRONG_CHAIN',
      `the receipt names chain ${receipt.chainId}, this chain is ${chainId}`,
    )
  }
  if (!(await isPublisher(ledger, publisher))) {
    throw new VerificationError('WRONG_PUBLISHER', `ledger ${ledger} knows no publisher ${publisher}`)
  }
}

/** The bundle is good, and is of the very records that were promised. */
async function verifyOnChain(
  receipt: Receipt,
  bundle: unknown,
  chain: ChainFacts,
): Promise<VerifiedSubmission> {
  const found = await verifySubmission(bundle, chain, { ledger: receipt.ledger }).catch((cause: unknown) => {
    if (!(cause instanceof InputError)) throw cause
    // Not the receipt is unreadable, but the answer of whoever was asked.
    throw new OperationError('GATEWAY_UNREACHABLE', `the answer about the submission: ${cause.message}`, {
      cause,
    })
  })
  if (found.size !== receipt.size || !equalBytes(found.root, receipt.root)) {
    throw new VerificationError(
      'ROOT_MISMATCH',
      'what is shown on the chain are other records than the receipt promised',
    )
  }
  return found
}

function verifyInTime({ anchorBy }: Receipt, { blockTime }: VerifiedSubmission): void {
  const lateMs = 1_000n * blockTime - BigInt(anchorBy)
  if (lateMs > 0n) {
    throw new VerificationError(
      'PROMISE_BROKEN',
      `the promise was broken: the submission is on the chain, but ${lateMs} ms too late`,
    )
  }
}

function explainAbsence({ anchorBy }: Receipt, nowMs: number): never {
  if (nowMs > anchorBy) {
    throw new VerificationError(
      'PROMISE_BROKEN',
      `the promise was broken: ${nowMs - anchorBy} ms after its time the submission is not on the chain`,
    )
  }
  throw new OperationError(
    'NOT_YET',
    `the receipt is good, and its promise has ${anchorBy - nowMs} ms left; the submission is not on the chain yet`,
  )
}
