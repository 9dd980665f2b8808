import { VerificationError } from '../errors.ts'
import { verifyInclusion } from '../merkle/index.ts'
import { type Proof, parseProof } from '../proof/index.ts'
import { type FlowRecord, leafHash, openRecord, timeOf } from '../record/index.ts'
import { step, type Trust, type VerifiedAnchor, verifyAnchored } from './anchor.ts'
import type { ChainFacts } from './chain-facts.ts'

/** The steps of a verification, in their order; an error names the one that refused. */
export const PROOF_STEPS = ['read', 'record', 'batch', 'anchor', 'log'] as const
export type ProofStep = (typeof PROOF_STEPS)[number]

/** What a verified proof has shown. */
export interface VerifiedProof extends VerifiedAnchor {
  /** with what the bundle discloses put back */
  record: FlowRecord
  /** members that stay closed, counted */
  closedMembers: number
}

/**
 * Checks a proof against a chain (docs/format.md, "Verification").
 *
 * Trusts the answers of `chain`, and the ledger's address when `trust` names it; nothing in the bundle.
 *
 * @param bundle parsed JSON
 * @throws {InputError} `BAD_BUNDLE` when it is no proof at all
 * @throws {VerificationError} when a claim of it is false; `step` says which
 * @throws {OperationError} when the chain cannot tell, or not yet: nothing is known then
 */
export async function verifyProof(
  bundle: unknown,
  chain: ChainFacts,
  trust: Trust = {},
): Promise<VerifiedProof> {
  const proof = await step('read', () => parseProof(bundle))
  const record = await step('record', () => openRecord(proof.record, proof.disclosures))
  await step('batch', () => verifyInBatch(proof))
  return {
    record,
    closedMembers: (proof.record.data._sd?.length ?? 0) - proof.disclosures.length,
    ...(await verifyAnchored(proof, chain, trust)),
  }
}

/** The record is at its place in the records tree of the header. */
function verifyInBatch({ record, inclusion, header }: Proof): void {
  verifyInclusion({
    leafHash: leafHash(record),
    index: BigInt(inclusion.index),
    size: BigInt(header.recordCount),
    path: inclusion.path,
    root: header.recordsRoot,
  })
  const time = BigInt(timeOf(record))
  if (time < header.firstTime || time > header.lastTime) {
    throw new VerificationError('BATCH_MISMATCH', 'the record is not of the time that its batch covers')
  }
}
