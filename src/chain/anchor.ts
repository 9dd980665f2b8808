import type { Header } from '../batch/header.ts'
import type { Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { parseBytes } from './answers.ts'
import { bumpFees, type Fees, suggestFees } from './fees.ts'
import { createLedger } from './ledger.ts'
import { encodeAppend } from './ledger-abi.ts'
import { fetchOutcomes, type TransactionOutcome } from './outcome.ts'
import { type Rpc, RpcRefusal } from './rpc.ts'
import { broadcast, estimateGas, fetchNonce, signTransaction } from './send.ts'
import type { Signer } from './signer.ts'

/** A signed transaction as the store keeps it. */
export interface StoredTransaction {
  publisher: Hex
  nonce: bigint
  hash: Hex
  /** the signed bytes */
  raw: Hex
  firstSequence: bigint
  /** number of headers */
  count: number
  maxFeePerGas: bigint
  maxPriorityFeePerGas: bigint
  /** milliseconds since 1970 */
  createdAt: number
}

/** What the anchor asks of a store, for its one publisher. */
export interface AnchorStore {
  /** The sealed headers from this sequence on, in order, at most `limit`. */
  headersFrom(sequence: bigint, limit: number): Header[]
  /** Everything saved and not settled. */
  outstandingTransactions(): StoredTransaction[]
  /** MUST be durable when it returns. */
  saveTransaction(transaction: StoredTransaction): void
  /** Their nonces are used up: forget them, or mark them, some of them with what they did. */
  settleTransactions(belowNonce: bigint, outcomes: readonly TransactionOutcome[]): void
}

export interface AnchorPolicy {
  maxHeadersPerTransaction: number
  /** A transaction that waits longer is replaced by one that pays more. */
  bumpAfterMs: number
  /** A transaction that waits longer counts as stalled. */
  stalledAfterMs: number
  /** wei; never paid more */
  maxFeePerGas: bigint
  gasMarginPercent: number
}

export const DEFAULT_ANCHOR_POLICY: AnchorPolicy = {
  maxHeadersPerTransaction: 50,
  bumpAfterMs: 60_000,
  stalledAfterMs: 600_000,
  maxFeePerGas: 500_000_000_000n,
  gasMarginPercent: 25,
}

/** What a step found and did; `nextSequence` is the chain's word at `latest`. */
export type AnchorState =
  | { kind: 'idle'; nextSequence: bigint }
  | { kind: 'sent'; nextSequence: bigint; count: number; nonce: bigint; hash: Hex; replaces: boolean }
  | { kind: 'waiting'; nextSequence: bigint; nonce: bigint; since: number; rebroadcast: boolean }
  | { kind: 'stalled'; nextSequence: bigint; nonce: bigint; since: number; rebroadcast: boolean }

/** Brings one publisher's headers to the chain. */
export interface Anchor {
  /**
   * Looks at the chain and does the one next thing. Not to be called again before it has resolved.
   *
   * @throws {OperationError} the world failed; call it again later, also when the error is not retryable and someone
   *   has to help first (`CHAIN_FAILED`: the publisher is suspended, the account is empty)
   */
  step(): Promise<AnchorState>
}

export interface AnchorOptions {
  rpc: Rpc
  /** the publisher's */
  signer: Signer
  ledger: Hex
  /** what is signed is good on this chain only, whatever chain a node turns out to be of */
  chainId: bigint
  store: AnchorStore
  /** milliseconds since 1970 */
  clock: () => number
  policy: AnchorPolicy
}

/**
 * The transaction manager of one publisher key.
 *
 * Only the ledger's `nextSequence` says what has arrived; a transaction is a means, and sending one twice is
 * harmless, because the ledger skips what it has. So a reorg, a chain that lost its last blocks, and a crash before
 * or after any line below all lead back to the same first question. At most one nonce is outstanding.
 */
export function createAnchor(options: AnchorOptions): Anchor {
  const { rpc, signer, store, clock, policy } = options
  const publisher = parseBytes(signer.address, 'address', 20)
  const ledger = createLedger(rpc, options.ledger)

  async function step(): Promise<AnchorState> {
    // In this order: if a block arrives in between, the sequence is the newer of the two, and nothing is sent twice.
    const nonce = await fetchNonce(rpc, publisher)
    const { nextSequence, status } = await ledger.publisher(publisher)
    const outstanding = store.outstandingTransactions()
    const usedUp = outstanding.filter((transaction) => transaction.nonce < nonce)
    if (usedUp.length > 0) {
      const hashes = usedUp.map(({ hash }) => hash)
      store.settleTransactions(nonce, await fetchOutcomes(rpc, hashes))
    }

    const attempts = outstanding.filter((transaction) => transaction.nonce === nonce)
    const newest = attempts.reduce<StoredTransaction | undefined>(
      (best, attempt) => (best === undefined || attempt.maxFeePerGas >= best.maxFeePerGas ? attempt : best),
      undefined,
    )
    const headers = loadHeaders(nextSequence)
    if (headers.length === 0 && (newest === undefined || hasArrived(newest, nextSequence))) {
      return { kind: 'idle', nextSequence }
    }
    if (status !== 'active') {
      const reason = status === 'none' ? 'is not registered with' : 'is suspended by'
      throw new OperationError(
        'CHAIN_FAILED',
        `publisher ${publisher} ${reason} the ledger ${options.ledger}`,
        {
          retryable: false,
        },
      )
    }
    if (newest === undefined) return send(headers, nonce, nextSequence, await today(), false)
    const due = hasArrived(newest, nextSequence) || clock() - newest.createdAt >= policy.bumpAfterMs
    if (due && headers.length > 0) {
      const fees = bumpFees(newest, await today(), policy.maxFeePerGas)
      if (fees !== undefined) return send(headers, nonce, nextSequence, fees, true)
    }
    return nurse(attempts, newest, nextSequence)
  }

  const today = () => suggestFees(rpc, policy.maxFeePerGas)

  function loadHeaders(nextSequence: bigint): Header[] {
    const headers = store.headersFrom(nextSequence, policy.maxHeadersPerTransaction)
    for (const [i, header] of headers.entries()) {
      if (header.publisher !== publisher || header.sequence !== nextSequence + BigInt(i)) {
        const expected = nextSequence + BigInt(i)
        throw new OperationError(
          'STORE_DAMAGED',
          `the store lacks header ${expected} of publisher ${publisher}`,
          {
            retryable: false,
          },
        )
      }
    }
    return headers
  }

  async function send(
    headers: Header[],
    nonce: bigint,
    nextSequence: bigint,
    fees: Fees,
    replaces: boolean,
  ): Promise<AnchorState> {
    const { fitting, data, gasLimit } = await fitHeaders(headers)
    const signed = await signTransaction(signer, {
      ...fees,
      chainId: options.chainId,
      nonce,
      to: options.ledger,
      data,
      gasLimit,
    })
    const count = fitting.length
    store.saveTransaction({
      ...fees,
      ...signed,
      publisher,
      nonce,
      firstSequence: nextSequence,
      count,
      createdAt: clock(),
    })
    // Whatever the outcome, the next step asks the chain; only a refusal is news.
    await broadcast(rpc, signed)
    return { kind: 'sent', nextSequence, count, nonce, hash: signed.hash, replaces }
  }

  /** As many of the headers as one transaction can hold. */
  async function fitHeaders(headers: Header[]): Promise<{ fitting: Header[]; data: Hex; gasLimit: bigint }> {
    for (let fitting = headers; ; fitting = fitting.slice(0, Math.ceil(fitting.length / 2))) {
      const data = encodeAppend(fitting)
      try {
        const call = { from: publisher, to: options.ledger, data }
        return { fitting, data, gasLimit: await estimateGas(rpc, call, policy.gasMarginPercent) }
      } catch (error) {
        // Nodes have many words for "over the gas limit"; a reason of the contract's own is no RpcRefusal any more.
        if (!(error instanceof RpcRefusal) || fitting.length === 1) throw error
      }
    }
  }

  /** Makes sure that the node still has one of the transactions that wait with this nonce. */
  async function nurse(
    attempts: StoredTransaction[],
    newest: StoredTransaction,
    nextSequence: bigint,
  ): Promise<AnchorState> {
    let known = false
    for (const { hash } of attempts) known ||= (await rpc.call('eth_getTransactionByHash', [hash])) !== null
    if (!known) await broadcast(rpc, newest)
    const since = Math.min(...attempts.map(({ createdAt }) => createdAt))
    const kind = clock() - since >= policy.stalledAfterMs ? 'stalled' : 'waiting'
    return { kind, nextSequence, nonce: newest.nonce, since, rebroadcast: !known }
  }

  return { step }
}

const hasArrived = ({ firstSequence, count }: StoredTransaction, nextSequence: bigint) =>
  firstSequence + BigInt(count) <= nextSequence
