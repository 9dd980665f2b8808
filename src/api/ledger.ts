import type { RequestHandler } from 'express'
import { type Hex, toHex } from '../bytes/hex.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import type { Follower } from '../indexer/follower.ts'
import { rootFromPeaks } from '../merkle/index.ts'
import type { LedgerEntries } from '../store/ledger-entries.ts'
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

/** What the catalogue's signed integers can hold. */
const MAX_INDEX = 2n ** 63n - 1n
