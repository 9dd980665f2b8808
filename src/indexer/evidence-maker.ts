import { fetchAccount, fetchLedgerAccount } from '../chain/evidence.ts'
import type { Rpc } from '../chain/rpc.ts'
import { grantSigner } from '../chain/signing.ts'
import { fetchHeader } from '../chain/whole-block.ts'
import { InputError, OperationError } from '../errors.ts'
import type { Anchor, Authorization, BlockEvidence, Evidence, Proof } from '../proof/index.ts'
import { grantId, nameId } from '../record/index.ts'
import type { CapturedEvidence, EvidenceStore } from '../store/evidence.ts'
import { type ChainFacts, resourceSlot, revokedAtSlot } from '../verify/index.ts'
import type { Follower } from './follower.ts'
import { ShownPlaces } from './shown-places.ts'

interface EvidenceMakerParts {
  rpc: Rpc
  chain: ChainFacts
  store: EvidenceStore
  follower: Follower
}

/** Where a bundle says that its headers are: the end of a transaction, and how many headers the ledger had then. */
interface Anchored {
  anchor: Anchor
  size: bigint
}

/** A block whose state is shown. */
type At = Pick<Anchor, 'blockNumber' | 'blockHash'>

/** Makes the evidence of bundles: what was captured of their anchors, and what a node is asked for besides. */
export class EvidenceMaker {
  readonly #parts: EvidenceMakerParts
  readonly #places: ShownPlaces

  constructor(parts: EvidenceMakerParts) {
    this.#parts = parts
    this.#places = new ShownPlaces(parts.rpc)
  }

  /**
   * What shows an anchor, and the root of the ledger's log.
   *
   * @throws {InputError} `NOT_READY` while nothing was captured; `NO_EVIDENCE` when the node cannot show what is needed
   */
  async ofAnchor(anchored: Anchored): Promise<Evidence> {
    const shown = new Shown()
    const consistency = await this.#showAnchor(anchored, shown, () => this.#finalBlock())
    return { blocks: shown.blocks(), ...(consistency !== undefined && { consistency }) }
  }

  /**
   * The same of a proof, and of all that its authorisation rests on.
   *
   * @throws {InputError} as `ofAnchor`
   */
  async ofProof({ record, anchor, log, authorization }: Proof): Promise<Evidence> {
    const anchored = { anchor, size: log.size }
    if (authorization === undefined) return this.ofAnchor(anchored)
    this.#expectKey(authorization, anchor.chainId)
    const shown = new Shown()
    // What the state says is asked of the highest block that is shown.
    const { blockNumber, blockHash } = authorization.revocation
    const at = { blockNumber, blockHash }
    const consistency = await this.#showAnchor(anchored, shown, async () => at)
    await orNoEvidence(() => this.#showRights(authorization, nameId(record.subject ?? ''), anchor, at, shown))
    return { blocks: shown.blocks(), ...(consistency !== undefined && { consistency }) }
  }

  /** @returns the consistency path, where the state shown is of a longer log */
  async #showAnchor(
    { anchor, size }: Anchored,
    shown: Shown,
    recent: () => Promise<At>,
  ): Promise<Uint8Array[] | undefined> {
    const { block, ledgerSize } = this.#captured(size)
    shown.add(anchor, block)
    const shownSize =
      ledgerSize ?? (await orNoEvidence(async () => this.#showLedger(anchor, await recent(), shown)))
    if (shownSize === size) return undefined
    const { log } = this.#parts.follower
    if (shownSize > size && shownSize <= BigInt(log.size)) return log.consistencyPath(size, shownSize)
    throw new InputError(
      'NOT_READY',
      `the node shows a ledger of ${shownSize} headers, and ${log.size} are known here; ask again soon`,
    )
  }

  #captured(size: bigint): CapturedEvidence {
    const found = this.#parts.store.get(size - 1n)
    if ('block' in found) return found
    if (found.missing === undefined) {
      throw new InputError('NOT_READY', 'the evidence of this block is not captured yet; ask again soon')
    }
    throw noEvidence(found.missing)
  }

  async #showLedger({ ledger }: Anchor, at: At, shown: Shown): Promise<bigint> {
    const header = await fetchHeader(this.#parts.rpc, at.blockHash)
    const { account, size } = await fetchLedgerAccount(this.#parts.rpc, header, ledger)
    shown.add(at, { header: header.header, transactions: [], accounts: [account] })
    return size
  }

  async #showRights(
    { contract, grant, consent, resource }: Authorization,
    resourceId: ReturnType<typeof nameId>,
    { chainId }: Anchor,
    at: At,
    shown: Shown,
  ): Promise<void> {
    const { rpc } = this.#parts
    const places = [resource.set, resource.next, 'given' in consent ? consent.given : undefined]
    for (const place of places) {
      if (place !== undefined) shown.add(place, await this.#places.show(place))
    }
    const header = await fetchHeader(rpc, at.blockHash)
    const id = grantId({ chainId, contract }, grant)
    const accounts = [await fetchAccount(rpc, header, contract, [revokedAtSlot(id)])]
    // That there is no later version is a matter of state.
    if (resource.next === undefined) {
      accounts.push(await fetchAccount(rpc, header, resource.registry, [resourceSlot(resourceId)]))
    }
    shown.add(at, { header: header.header, transactions: [], accounts })
  }

  /** No proof of state shows what a contract's code would answer. */
  #expectKey({ contract, grant, consent }: Authorization, chainId: bigint): void {
    if ('given' in consent) return
    if (grantSigner({ chainId, contract }, grant, consent.signature) === grant.subject) return
    throw noEvidence(
      `the consent is that of account ${grant.subject}, a contract, whose word only a node can ask for`,
    )
  }

  async #finalBlock(): Promise<At> {
    const { chain, follower } = this.#parts
    const blockNumber = follower.state.finalBlock
    const block = await chain.blockByNumber(blockNumber)
    if (block === undefined)
      throw new OperationError('RPC_LAGS', `the node does not have block ${blockNumber}`)
    return { blockNumber, blockHash: block.hash }
  }
}

/** Blocks that are shown, each once with all that is shown of it. */
class Shown {
  readonly #blocks = new Map<string, { number: bigint } & BlockEvidence>()

  add({ blockNumber, blockHash }: At, { header, transactions, accounts }: BlockEvidence): void {
    const block = this.#blocks.get(blockHash) ?? {
      number: blockNumber,
      header,
      transactions: [],
      accounts: [],
    }
    this.#blocks.set(blockHash, block)
    for (const one of transactions) {
      if (!block.transactions.some(({ index }) => index === one.index)) block.transactions.push(one)
    }
    block.accounts.push(...accounts)
  }

  blocks(): BlockEvidence[] {
    return [...this.#blocks.values()]
      .sort((a, b) => Number(a.number - b.number))
      .map(({ header, transactions, accounts }) => ({
        header,
        transactions: transactions.sort((a, b) => a.index - b.index),
        accounts: accounts.sort((a, b) => (a.address < b.address ? -1 : 1)),
      }))
  }
}

/** @throws {InputError} `NO_EVIDENCE` when the node refuses, or shows what does not hold */
async function orNoEvidence<T>(show: () => Promise<T>): Promise<T> {
  try {
    return await show()
  } catch (error) {
    if (
      !(error instanceof OperationError) ||
      !['RPC_REFUSED', 'RPC_MALFORMED', 'CHAIN_FAILED'].includes(error.code)
    )
      throw error
    throw noEvidence(error.message, error)
  }
}

const noEvidence = (why: string, cause?: unknown) =>
  new InputError('NO_EVIDENCE', `there is no evidence for this bundle: ${why}`, {}, { cause })
