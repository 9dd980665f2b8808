import type { Hex } from '../bytes/hex.ts'
import { type AnchorPolicy, type AnchorState, createAnchor, DEFAULT_ANCHOR_POLICY } from '../chain/anchor.ts'
import { runAnchor } from '../chain/anchor-loop.ts'
import { createLedger, type LedgerIdentity } from '../chain/ledger.ts'
import type { Rpc } from '../chain/rpc.ts'
import type { Signer } from '../chain/signer.ts'
import { OperationError } from '../errors.ts'
import type { Database } from '../store/database.ts'
import { SealedBatches } from '../store/sealed-batches.ts'
import { type SentTransaction, transactionStore } from '../store/transactions.ts'
import { WriteAheadLog } from '../store/write-ahead-log.ts'
import { Backlog } from './backlog.ts'
import { Gateway, type GatewayPolicy } from './gateway.ts'
import { Intake } from './intake.ts'
import { recoverLog } from './recover.ts'
import { Sealer } from './sealer.ts'

export interface PublishingOptions {
  database: Database
  /** the write-ahead log's folder */
  logPath: string
  batchesPath: string
  rpc: Rpc
  identity: LedgerIdentity
  /** the publisher's key */
  signer: Signer
  policy: GatewayPolicy
  stall: StallPolicy
  /** where it differs from the default */
  anchor?: Partial<AnchorPolicy>
  pollMs: number
  /** milliseconds since 1970 */
  now: () => number
  /** told of what goes wrong and is tried again */
  onTrouble: (message: string, error: unknown) => void
}

/** What to do when sealed batches do not reach the chain. */
export interface StallPolicy {
  /** after so long it has stalled */
  afterMs: number
  /** whether nothing new is accepted then */
  failClosed: boolean
}

/** Transactions sent since the start, and what the last one offered. */
interface TransactionCounts {
  first: number
  bump: number
  rebroadcast: number
  /** wei per gas; undefined before the first */
  lastMaxFee: bigint | undefined
}

/** A gateway at work: it takes submissions, seals them and brings the headers to the chain. */
export interface Publishing {
  gateway: Gateway
  intake: Intake
  sealed: SealedBatches
  publisher: Hex
  /** batches that the chain has, by its own word */
  anchored(): bigint
  backlog: Backlog
  transactions: Readonly<TransactionCounts>
  /** what was sent, highest nonce first, from just below this one */
  transactionsBefore(nonce: bigint, limit: number): SentTransaction[]
  /** groups of submissions that were synced together */
  syncedGroups(): number
  /** what goes wrong now, a sentence each */
  troubles(): string[]
  /** Rejects when the work cannot go on. */
  failed: Promise<never>
  /** Takes nothing new, and resolves when everything taken is sealed; anchoring goes on. */
  finish(): Promise<void>
  /** Ends anchoring, after `finish`. */
  stop(): Promise<void>
}

const SEAL_RETRY_MS = 1_000

/** @throws {OperationError} `STORE_DAMAGED` when the log is damaged, or the chain has batches that the store lacks */
export async function startPublishing(options: PublishingOptions): Promise<Publishing> {
  const { database, logPath, batchesPath, rpc, identity, signer, policy, stall, pollMs, now, onTrouble } =
    options
  const publisher = signer.address.toLowerCase() as Hex
  const sealed = new SealedBatches(database)
  let anchored = await expectNoMoreOnChain(rpc, identity, publisher, sealed)
  const backlog = new Backlog((from) => sealed.timesFrom(publisher, from), anchored)

  const recovered = await recoverLog(logPath, publisher, sealed)
  const trouble: { seal?: string; anchor?: string } = {}
  const sealer = new Sealer({
    publisher,
    batchesPath,
    sealed,
    now,
    retryMs: SEAL_RETRY_MS,
    onError(error) {
      trouble.seal = `sealing: ${(error as Error).message}`
      onTrouble('a batch could not be sealed; trying again', error)
    },
  })
  sealer.onSealed((batch) => {
    delete trouble.seal
    backlog.add(batch)
  })
  const stalled = (): string[] => {
    const ageMs = backlog.ageMs(now())
    if (ageMs <= stall.afterMs) return []
    const age = `${Math.round(ageMs / 1_000)} seconds`
    return [`the chain has stalled: ${backlog.size} sealed batches wait for it, the oldest for ${age}`]
  }
  const log = await WriteAheadLog.open(logPath, recovered.next)
  const intake = new Intake()
  const gateway = new Gateway({
    policy,
    log,
    sealer,
    sealed,
    batchesPath,
    intake,
    signer,
    domain: identity,
    now,
    recovered: recovered.waiting,
    expectOpen() {
      const [reason] = stall.failClosed ? stalled() : []
      if (reason !== undefined) {
        throw new OperationError('CHAIN_STALLED', `${reason}; nothing new is taken until they arrive`)
      }
    },
  })
  for (const segment of recovered.segments) sealer.enqueue(segment)

  const running = new AbortController()
  const transactions: TransactionCounts = { first: 0, bump: 0, rebroadcast: 0, lastMaxFee: undefined }
  const store = transactionStore(database, publisher)
  const anchoring = runAnchor({
    anchor: createAnchor({
      rpc,
      signer,
      ledger: identity.ledger,
      chainId: identity.chainId,
      store: {
        headersFrom: (sequence, limit) => sealed.headersFrom(publisher, sequence, limit),
        ...store,
        saveTransaction(transaction) {
          store.saveTransaction(transaction)
          transactions.lastMaxFee = transaction.maxFeePerGas
        },
      },
      clock: now,
      policy: { ...DEFAULT_ANCHOR_POLICY, ...options.anchor },
    }),
    signal: running.signal,
    pollMs,
    report(outcome) {
      if (outcome instanceof OperationError) {
        trouble.anchor = `anchoring: ${outcome.message}`
        onTrouble('anchoring failed; trying again', outcome)
      } else {
        delete trouble.anchor
        anchored = outcome.nextSequence
        backlog.follow(anchored)
        const sent = sentBy(outcome)
        if (sent !== undefined) transactions[sent]++
      }
    },
  })

  return {
    gateway,
    intake,
    sealed,
    publisher,
    anchored: () => anchored,
    backlog,
    transactions,
    transactionsBefore: store.transactionsBefore,
    syncedGroups: () => log.syncedGroups,
    troubles: () => [
      ...(log.failure === undefined ? [] : [`write-ahead log: ${log.failure.message}`]),
      ...Object.values(trouble),
      ...stalled(),
    ],
    failed: anchoring.then(() => new Promise<never>(() => undefined)),
    finish: () => gateway.stop(),
    async stop() {
      running.abort()
      await anchoring
    },
  }
}

function sentBy(outcome: AnchorState): 'first' | 'bump' | 'rebroadcast' | undefined {
  if (outcome.kind === 'sent') return outcome.replaces ? 'bump' : 'first'
  return outcome.kind !== 'idle' && outcome.rebroadcast ? 'rebroadcast' : undefined
}

/**
 * The chain must not hold batches of ours that this store does not know: the next would take their numbers.
 *
 * @returns how many it holds
 */
async function expectNoMoreOnChain(
  rpc: Rpc,
  { ledger }: LedgerIdentity,
  publisher: Hex,
  sealed: SealedBatches,
): Promise<bigint> {
  const { nextSequence } = await createLedger(rpc, ledger).publisher(publisher)
  const known = sealed.nextSequence(publisher)
  if (nextSequence > known) {
    throw new OperationError(
      'STORE_DAMAGED',
      `the chain holds ${nextSequence} batches of ${publisher}, the catalogue knows ${known}: restore the data folder`,
      { retryable: false },
    )
  }
  return nextSequence
}
