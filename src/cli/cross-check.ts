import { hash } from 'node:crypto'
import { MerkleTree } from 'merkletreejs'
import { hashHeader } from '../batch/index.ts'
import { OperationError, VerificationError } from '../errors.ts'
import type { Proof } from '../proof/index.ts'
import { leafHash } from '../record/index.ts'
import type { ChainFacts } from '../verify/index.ts'

/**
 * Recomputes both roots of a proof with merkletreejs and Node's SHA-256: an implementation that is not ours.
 *
 * @throws {VerificationError} `ROOT_MISMATCH` when it disagrees
 */
export async function crossCheck(
  { record, inclusion, header, log, anchor }: Proof,
  chain: ChainFacts,
): Promise<void> {
  const ledgerRoot = await chain.ledgerRoot(anchor.ledger, log.size)
  if (ledgerRoot === undefined)
    throw new OperationError('RPC_LAGS', 'the node no longer knows the ledger of this size')
  const steps = [
    [
      'record',
      leafHash(record),
      BigInt(inclusion.index),
      BigInt(header.recordCount),
      inclusion.path,
      header.recordsRoot,
    ],
    ['header', hashHeader(header), log.index, log.size, log.path, ledgerRoot],
  ] as const
  for (const [what, leaf, index, size, path, root] of steps) {
    if (
      !MerkleTree.verify(toMerkletreejs(path, index, size), Buffer.from(leaf), Buffer.from(root), hashNode)
    ) {
      throw new VerificationError(
        'ROOT_MISMATCH',
        `merkletreejs finds another root than the proof for the ${what}`,
        {
          step: 'cross-check',
        },
      )
    }
  }
}

/** merkletreejs concatenates two children and hashes; RFC 9162 puts 0x01 before them. */
const hashNode = (children: Uint8Array): Buffer =>
  hash('sha256', Buffer.concat([Buffer.of(1), children]), 'buffer')

/** An RFC 9162 path with the side of each hash written down, as merkletreejs wants it. */
function toMerkletreejs(path: readonly Uint8Array[], index: bigint, size: bigint) {
  let place = index
  let last = size - 1n
  const proof: { position: 'left' | 'right'; data: Buffer }[] = []
  for (const node of path) {
    // A promoted node has no sibling on this level.
    while (place === last && place % 2n === 0n && last > 0n) {
      place /= 2n
      last /= 2n
    }
    proof.push({ position: place % 2n === 1n ? 'left' : 'right', data: Buffer.from(node) })
    place /= 2n
    last /= 2n
  }
  return proof
}
