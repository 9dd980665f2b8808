import type { RequestHandler } from 'express'
import { type Hex, isHex, toHex } from '../bytes/hex.ts'
import { readUint64 } from '../bytes/integer.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { InputError } from '../errors.ts'
import type { Follower } from '../indexer/follower.ts'
import { rootFromPeaks } from '../merkle/index.ts'
import type { LedgerEntries } from '../store/ledger-entries.ts'
import type { SeenSubmissions } from '../store/seen-submissions.ts'
import type { SentTransaction } from '../store/transactions.ts'
import { toJsonEntry } from './json.ts'
import { optionalCount, optionalUint64 } from './query.ts'

const DEFAULT_PAGE = 50
const MAX_PAGE = 500

/** GET /v1/ledger: the ledger's address and head, who publishes to it here, and which contract decides on calls. */
export const getLedger =
  (
    { chainId, ledger, deploymentBlock }: LedgerIdentity,
    publisher: Hex | undefined,
    authorizations: Hex | undefined,
    follower: Follower,
  ): RequestHandler =>
  (_request, response) => {
    const { head, finalBlock, lagging, size, peaks } = follower.state
    response.json({
      chainId: String(chainId),
      ledger,
      ...(publisher !== undefined && { publisher }),
      ...(authorizations !== undefined && { authorizations }),
      deploymentBlock: String(deploymentBlock),
      size: String(size),
      root: toHex(rootFromPeaks(peaks)),
      peaks: peaks.map(toHex),
      headBlock: String(head),
      finalBlock: String(finalBlock),
      lagging,
    })
  }

/** GET /v1/batches?before=&limit=: the ledger's entries, newest first; `next` continues the list. */
export const getBatches =
  (entries: LedgerEntries, follower: Follower): RequestHandler =>
  (request, response) => {
    const before = optionalUint64(request, 'before') ?? MAX_INDEX
    const limit = optionalCount(request, 'limit', MAX_PAGE) ?? DEFAULT_PAGE
    const page = entries.before(before < MAX_INDEX ? before : MAX_INDEX, limit)
    const last = page.at(-1)
    response.json({
      batches: page.map((entry) => toJsonEntry(entry, follower.isFinal(entry))),
      ...(last !== undefined && last.logIndex > 0n && { next: String(last.logIndex) }),
    })
  }

/** Submissions of one answer; a batch can hold as many as records. */
const MOST_SUBMISSIONS = 500

/** GET /v1/batches/{publisher}/{sequence}: one entry of the ledger, and the submissions in it once it is verified. */
export const getBatch =
  (
    entries: LedgerEntries,
    follower: Follower,
    seen: SeenSubmissions,
  ): RequestHandler<{ publisher: string; sequence: string }> =>
  (request, response) => {
    const publisher = request.params.publisher.toLowerCase()
    const sequence = readUint64(request.params.sequence)
    const entry =
      isHex(publisher, 20) && sequence !== undefined && sequence < MAX_INDEX
        ? entries.ofBatch(publisher, sequence)
        : undefined
    if (entry === undefined) throw new InputError('NOT_FOUND', 'the ledger has no such batch')
    const submissions = seen.ofEntry(entry.logIndex).sort((a, b) => a.first - b.first)
    response.json({
      ...toJsonEntry(entry, follower.isFinal(entry)),
      submissionCount: submissions.length,
      submissions: submissions
        .slice(0, MOST_SUBMISSIONS)
        .map(({ source, sequence: number, first, signer }, i) => ({
          source,
          sequence: String(number),
          first,
          count: (submissions[i + 1]?.first ?? entry.header.recordCount) - first,
          ...(signer !== undefined && { signer }),
        })),
    })
  }

/** GET /v1/transactions?before=&limit=: what the publisher sent to the chain, newest first; `next` continues the list. */
export const getTransactions =
  (transactionsBefore: (nonce: bigint, limit: number) => SentTransaction[]): RequestHandler =>
  (request, response) => {
    const before = optionalUint64(request, 'before') ?? MAX_INDEX
    const limit = optionalCount(request, 'limit', MAX_PAGE) ?? DEFAULT_PAGE
    const page = transactionsBefore(before < MAX_INDEX ? before : MAX_INDEX, limit)
    const last = page.at(-1)
    response.json({
      transactions: page.map(toJsonTransaction),
      ...(last !== undefined && last.nonce > 0n && { next: String(last.nonce) }),
    })
  }

const toJsonTransaction = ({ mined, ...sent }: SentTransaction) => ({
  hash: sent.hash,
  nonce: String(sent.nonce),
  state: sent.state,
  createdAt: String(sent.createdAt),
  firstSequence: String(sent.firstSequence),
  batches: sent.count,
  maxFeePerGas: String(sent.maxFeePerGas),
  maxPriorityFeePerGas: String(sent.maxPriorityFeePerGas),
  ...(mined !== undefined && {
    blockNumber: String(mined.blockNumber),
    gasUsed: String(mined.gasUsed),
    gasPrice: String(mined.gasPrice),
  }),
})

/** What the catalogue's signed integers can hold. */
const MAX_INDEX = 2n ** 63n - 1n
