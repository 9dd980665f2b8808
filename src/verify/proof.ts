import { InputError, VerificationError } from '../errors.ts'
import { verifyInclusion } from '../merkle/index.ts'
import { type Proof, parseProof } from '../proof/index.ts'
import { type FlowRecord, leafHash, openRecord, timeOf } from '../record/index.ts'
import { step, type Trust, type VerifiedAnchor, verifyAnchored } from './anchor.ts'
import { AUTHORIZATION_STEPS, type VerifiedAuthorization, verifyAuthorization } from './authorization.ts'
import type { ChainFacts } from './chain-facts.ts'
import type { RightsFacts } from './rights-facts.ts'

/**
 * The steps of a verification, in their order; an error names the one that refused. The last four are of an
 * authorised call alone.
 */
export const PROOF_STEPS = ['read', 'record', 'batch', 'anchor', 'log', ...AUTHORIZATION_STEPS] as const
export type ProofStep = (typeof PROOF_STEPS)[number]

/** What a verified proof has shown. */
export interface VerifiedProof extends VerifiedAnchor {
  /** with what the bundle discloses put back */
  record: FlowRecord
  /** members that stay closed, counted */
  closedMembers: number
  /** absent where the proof shows none */
  authorization?: VerifiedAuthorization
}

/**
 * Checks a proof against a chain (docs/format.md, "Verification").
 *
 * Trusts the answers of `chain` and `rights`, and the addresses that `trust` names; nothing in the bundle.
 *
 * @param bundle parsed JSON
 * @param rights needed for the proof of an authorised call
 * @throws {InputError} `BAD_BUNDLE` when it is no proof at all; `BAD_ARGUMENT` when it needs `rights`
 * @throws {VerificationError} when a claim of it is false; `step` says which
 * @throws {OperationError} when the chain cannot tell, or not yet: nothing is known then
 */
export async function verifyProof(
  bundle: unknown,
  chain: ChainFacts,
  trust: Trust = {},
  rights?: RightsFacts,
): Promise<VerifiedProof> {
  const proof = await step('read', () => parseProof(bundle))
  const { authorization } = proof
  if (authorization !== undefined && rights === undefined) {
    throw new InputError('BAD_ARGUMENT', 'the proof of an authorised call is checked with RightsFacts')
  }
  const record = await step('record', () => openRecord(proof.record, proof.disclosures))
  await step('batch', () => verifyInBatch(proof))
  const closedMembers = (proof.record.data._sd?.length ?? 0) - proof.disclosures.length
  const anchored = await verifyAnchored(proof, chain, trust)
  if (authorization === undefined || rights === undefined) return { record, closedMembers, ...anchored }
  const shown = await verifyAuthorization(proof.record, authorization, anchored, chain, rights, trust)
  return { record, closedMembers, ...anchored, authorization: shown }
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
