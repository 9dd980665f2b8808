import { decodeAppended } from '../batch/index.ts'
import type { Hex } from '../bytes/hex.ts'
import { uintWord } from '../bytes/typed-data.ts'
import { OperationError, VerificationError } from '../errors.ts'
import { olderRoot, rootFromPeaks } from '../merkle/index.ts'
import type { Evidence } from '../proof/index.ts'
import { resourceSetTopics } from '../record/index.ts'
import type { Block, ChainFacts } from './chain-facts.ts'
import type { RightsFacts } from './rights-facts.ts'
import { readBlocks, type ShownBlock, type TrustedBlock } from './shown-blocks.ts'
import { LEDGER_SIZE_SLOT, ledgerPeakSlots, resourceSlot, revokedAtSlot, versionOf } from './slots.ts'

/** What the reader of evidence knows beforehand. */
export interface EvidenceTrust {
  /** hashes of blocks that are known to be final blocks of the chain */
  trustedBlocks: readonly Hex[]
  /** that the authorisations are believed to rest on: it is in their code, which no state proof shows */
  registry?: Hex
  /** as in `RightsFacts` */
  grantSigner: RightsFacts['grantSigner']
}

export interface EvidenceFacts {
  chain: ChainFacts
  rights: RightsFacts
  /** all that are shown, in the order of their numbers */
  blocks: TrustedBlock[]
}

/**
 * Answers a verifier's questions out of evidence, asking nobody (docs/format.md, "Verifying with evidence").
 *
 * Every node of every proof is checked here already. The highest block shown counts as the highest final one.
 *
 * @throws {VerificationError} `BAD_EVIDENCE`, also by an answer, when a proof does not lead to its root
 * @throws {OperationError} `BLOCK_NOT_TRUSTED`; `NOT_IN_EVIDENCE` by an answer that nothing is shown of
 */
export function evidenceFacts(evidence: Evidence, trust: EvidenceTrust): EvidenceFacts {
  const { blocks, chainId } = checked(() => readBlocks(evidence.blocks, trust.trustedBlocks))
  const last = blocks.at(-1)
  if (last === undefined) return notShown('any block')
  return {
    chain: chainOf(blocks, last, chainId, evidence.consistency),
    rights: rightsOf(blocks, trust),
    blocks: blocks.map(({ number, hash, timestamp }) => ({ number, hash, timestamp })),
  }
}

function chainOf(
  blocks: readonly ShownBlock[],
  last: ShownBlock,
  chainId: bigint | undefined,
  consistency: readonly Uint8Array[] | undefined,
): ChainFacts {
  const find = (what: string, is: (block: ShownBlock) => boolean): Block => {
    const found = blocks.find(is)
    if (found === undefined) return notShown(what)
    // Which other transactions it holds nobody asks, since no receipt is ever said not to be.
    return { ...found, transactionHashes: found.transactions.map(({ hash }) => hash) }
  }
  return {
    async chainId() {
      return chainId ?? notShown('the chain: no transaction that is shown names it')
    },
    headBlock: async () => last.number,
    finalBlock: async () => last.number,
    blockByNumber: async (number) => find(`block ${number}`, (block) => block.number === number),
    blockByHash: async (hash) => find(`block ${hash}`, (block) => block.hash === hash),
    async receipt(transactionHash) {
      const found = blocks
        .flatMap(({ transactions }) => transactions)
        .find(({ hash }) => hash === transactionHash)
      return found?.receipt ?? notShown(`transaction ${transactionHash}`)
    },
    ledgerRoot: async (ledger, size) => checked(() => ledgerRoot(blocks, ledger, size, consistency)),
  }
}

/** Of the state of the highest block that shows the ledger, or on its way back to a smaller log. */
function ledgerRoot(
  blocks: readonly ShownBlock[],
  ledger: Hex,
  size: bigint,
  consistency: readonly Uint8Array[] | undefined,
): Uint8Array {
  const block =
    blocks.findLast(({ accounts }) => accounts.has(ledger)) ?? notShown(`the state of ledger ${ledger}`)
  const current = wordAt(block, ledger, LEDGER_SIZE_SLOT)
  if (current < size)
    return notShown(`the ledger of ${size} headers, which has ${current} in block ${block.number}`)
  const root = rootFromPeaks(ledgerPeakSlots(current).map((slot) => uintWord(wordAt(block, ledger, slot))))
  if (current === size) {
    if (consistency === undefined) return root
    throw new VerificationError('BAD_EVIDENCE', 'a consistency path leads from a log to itself')
  }
  if (consistency === undefined)
    return notShown(`how the ledger of ${size} headers became that of ${current}`)
  const appended = blocks
    .flatMap(({ transactions }) => transactions.flatMap(({ receipt }) => receipt.logs))
    .filter(({ address }) => address === ledger)
    .map(({ topics, data }) => decodeAppended(topics, data))
    .find((event) => event?.index === size - 1n)
  const lastPeak = appended?.node ?? notShown(`the event of header ${size - 1n}`)
  return olderRoot({ size1: size, size2: current, root2: root, path: consistency, lastPeak })
}

function rightsOf(blocks: readonly ShownBlock[], { grantSigner, registry }: EvidenceTrust): RightsFacts {
  const wordIn = (at: Hex, address: Hex, slot: Hex) =>
    wordAt(blocks.find(({ hash }) => hash === at) ?? notShown(`block ${at}`), address, slot)
  return {
    grantSigner,
    isValidSignature: async (account) =>
      notShown(`what account ${account} says of a signature: that must be asked`),
    registryOf: async (authorizations) => registry ?? notShown(`the registry of ${authorizations}`),
    resourceVersion: async (address, resource, at) => versionOf(wordIn(at, address, resourceSlot(resource))),
    async findResourceSet(address, resource, version) {
      const topics = resourceSetTopics(resource, version)
      for (const { hash: transactionHash, receipt } of blocks.flatMap(({ transactions }) => transactions)) {
        const { blockNumber, blockHash, logs } = receipt
        const log = logs.find(
          (each) => each.address === address && topics.every((topic, i) => topic === each.topics[i]),
        )
        if (log !== undefined) return { blockNumber, blockHash, transactionHash, logIndex: log.logIndex }
      }
      return notShown(`version ${version} of the resource`)
    },
    revokedAt: async (authorizations, grantId, at) => wordIn(at, authorizations, revokedAtSlot(grantId)),
  }
}

function wordAt({ accounts, number }: ShownBlock, address: Hex, slot: Hex): bigint {
  const account = accounts.get(address) ?? notShown(`the state of contract ${address} in block ${number}`)
  if (!account.hasCode) {
    throw new OperationError('CHAIN_FAILED', `there is no contract at ${address} in block ${number}`, {
      retryable: false,
    })
  }
  return account.storage.get(slot) ?? notShown(`slot ${slot} of contract ${address} in block ${number}`)
}

/** What the evidence itself refuses is its own fault, whichever step asks it. */
function checked<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    throw new VerificationError('BAD_EVIDENCE', cause.message, { cause, step: 'evidence' })
  }
}

function notShown(what: string): never {
  throw new OperationError('NOT_IN_EVIDENCE', `the evidence does not show ${what}`, { retryable: false })
}
