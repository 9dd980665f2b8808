import { type Header, type Item, verifyBatch } from '../../src/batch/index.ts'
import { fromHex, toHex } from '../../src/bytes/hex.ts'
import { hashLeaf, inclusionPath, rangePath } from '../../src/merkle/index.ts'
import { type JsonProof, type JsonSubmissionProof, toJsonProof } from '../../src/proof/index.ts'
import { canonicalBytes, leafHash } from '../../src/record/index.ts'
import { batchOf, submissionOf } from '../batch/items.ts'
import { CHAIN_ID, LEDGER, mine } from './chain.ts'

export interface WorldBatch {
  header: Header
  items: Item[]
}

/** A batch of `count` records with a sequence of its own. */
function worldBatch(sequence: number, count: number): WorldBatch {
  const submission = submissionOf('urn:tidemark:service:civil-registry', sequence, count)
  const { header } = batchOf(submission)
  const batch = { header: { ...header, sequence: BigInt(sequence) }, items: submission.items }
  verifyBatch(batch.header, batch.items)
  return batch
}

/** Batches that are anchored, and proofs out of them. `counts` by block, transaction and header. */
export function worldOf(counts: readonly (readonly (readonly number[])[])[]) {
  const batches: WorldBatch[] = []
  const blocks = counts.map((transactions) =>
    transactions.map((sizes) =>
      sizes.map((size) => {
        const batch = worldBatch(batches.length, size)
        batches.push(batch)
        return batch.header
      }),
    ),
  )
  const { data, log, places } = mine(blocks)

  /** The proof of one record with its disclosures, fresh at every call. */
  const prove = (batchIndex: number, position: number): JsonProof => {
    const batch = batches[batchIndex]
    const place = places[batchIndex]
    const item = batch?.items[position]
    if (batch === undefined || place === undefined || item === undefined)
      throw new RangeError('no such record')
    const leaves = batch.items.map(({ record }) => hashLeaf(canonicalBytes(record)))
    if (leaves[position]?.some((byte, i) => byte !== leafHash(item.record)[i]))
      throw new Error('leaf hashes differ')
    const { index, size, ...anchor } = place
    const proof = toJsonProof({
      record: item.record,
      disclosures: item.disclosures,
      inclusion: { index: position, path: inclusionPath(leaves, position) },
      header: batch.header,
      log: { index, size, path: log.inclusionPath(index, size) },
      anchor: { chainId: CHAIN_ID, ledger: LEDGER, ...anchor },
    })
    return structuredClone(proof)
  }

  /** The proof of `count` records of a batch from one on, as those of a submission. */
  const proveSubmission = (batchIndex: number, first: number, count: number): JsonSubmissionProof => {
    const { batch, log: place, anchor } = prove(batchIndex, 0)
    const leaves = batches[batchIndex]?.items.map(({ record }) => toHex(leafHash(record))) ?? []
    const path = rangePath(
      leaves.map((hash) => fromHex(hash)),
      first,
      first + count,
    )
    return {
      format: 'tidemark-submission/1',
      leaves: leaves.slice(first, first + count),
      range: { first, path: path.map(toHex) },
      batch,
      log: place,
      anchor,
    }
  }
  return { batches, data, log, places, prove, proveSubmission }
}
