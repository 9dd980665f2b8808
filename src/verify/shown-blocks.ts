import type { Hex } from '../bytes/hex.ts'
import { OperationError, VerificationError } from '../errors.ts'
import type { BlockEvidence, Evidence } from '../proof/index.ts'
import {
  type BlockHeader,
  readAccount,
  readHeader,
  readTransaction,
  type ShownAccount,
  type ShownTransaction,
} from './block-evidence.ts'
import type { Block } from './chain-facts.ts'

/** A block whose hash somebody trusts. */
export type TrustedBlock = Pick<Block, 'number' | 'hash' | 'timestamp'>

/** What a block was shown to hold. */
export interface ShownBlock extends TrustedBlock {
  transactions: ShownTransaction[]
  accounts: ReadonlyMap<Hex, ShownAccount>
}

/** The hashes of the blocks that are shown, whoever trusts them. */
export const blockHashes = ({ blocks }: Evidence): Hex[] =>
  blocks.map(({ header }) => readHeader(header).hash)

/**
 * What the blocks hold, every proof checked, and of which chain they are, where a transaction says so.
 *
 * @throws {VerificationError} `BAD_EVIDENCE`
 * @throws {OperationError} `BLOCK_NOT_TRUSTED`
 */
export function readBlocks(evidence: readonly BlockEvidence[], trusted: readonly Hex[]) {
  const headers = evidence.map(({ header }) => readHeader(header))
  const [, ...later] = headers
  if (!later.every(({ number }, i) => number > (headers[i]?.number ?? number))) {
    throw new VerificationError('BAD_EVIDENCE', 'blocks must be in order, each once')
  }
  const strange = headers.filter(({ hash }) => !trusted.includes(hash))
  if (strange.length > 0) throw notTrusted(strange)
  const blocks = evidence.map((block, i) => readBlock(block, headers[i] as BlockHeader)) // as many
  const chainIds = new Set(
    blocks.flatMap(({ transactions }) => transactions.flatMap(({ chainId }) => chainId ?? [])),
  )
  if (chainIds.size > 1)
    throw new VerificationError('BAD_EVIDENCE', 'transactions of several chains are shown')
  return { blocks, chainId: [...chainIds][0] }
}

function readBlock({ transactions, accounts }: BlockEvidence, header: BlockHeader): ShownBlock {
  let next = { index: 0, logIndex: 0 }
  return {
    number: header.number,
    hash: header.hash,
    timestamp: header.timestamp,
    transactions: transactions.map((transaction) => {
      const { index, firstLogIndex } = transaction
      const follows = index === next.index
      if (follows ? firstLogIndex !== next.logIndex : firstLogIndex < next.logIndex) {
        throw new VerificationError(
          'BAD_EVIDENCE',
          `transaction ${index} cannot have ${firstLogIndex} logs before it`,
        )
      }
      const shown = readTransaction(transaction, header)
      next = { index: index + 1, logIndex: firstLogIndex + shown.receipt.logs.length }
      return shown
    }),
    accounts: new Map(accounts.map((account) => [account.address, readAccount(account, header)])),
  }
}

function notTrusted(blocks: readonly TrustedBlock[]): OperationError {
  const names = blocks.map(({ number, hash }) => `block ${number}, ${hash}`).join('; ')
  const message = `the evidence is of blocks that you have not named: ${names}. Ask somebody you trust for the hash of each, and name it with --trusted-block if it is the same`
  return new OperationError('BLOCK_NOT_TRUSTED', message, { retryable: false })
}
