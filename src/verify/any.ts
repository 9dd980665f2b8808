import type { Hex } from '../bytes/hex.ts'
import { OperationError, VerificationError } from '../errors.ts'
import {
  AUTHORIZED_PROOF_FORMAT,
  HISTORY_FORMAT,
  OFFLINE_FORMAT,
  PROOF_FORMAT,
  parseOffline,
  parseProof,
  RUN_HISTORY_FORMAT,
  SUBMISSION_FORMAT,
} from '../proof/index.ts'
import { expectFormat } from '../proof/members.ts'
import { step, type Trust } from './anchor.ts'
import type { ChainFacts } from './chain-facts.ts'
import { type EvidenceFacts, evidenceFacts } from './evidence-facts.ts'
import { notFinal } from './final-receipt.ts'
import { type VerifiedHistory, verifyHistory } from './history.ts'
import { type VerifiedProof, verifyProof } from './proof.ts'
import type { RightsFacts } from './rights-facts.ts'
import { blockHashes, type TrustedBlock } from './shown-blocks.ts'
import { type VerifiedSubmission, verifySubmission } from './submission.ts'

/** Whom and what a verifier of any bundle asks and trusts. */
export interface Means {
  /** to ask; without one, the bundle must bring evidence */
  chain?: ChainFacts
  /** of the same chain, for the proof of an authorised call */
  rights?: RightsFacts
  /** hashes of blocks that are known to be final blocks of the chain; they count where no chain is asked */
  trustedBlocks?: readonly Hex[]
  trust?: Trust
  /** as in `RightsFacts`, which has it where there are any */
  grantSigner?: RightsFacts['grantSigner']
}

type Verified =
  | { kind: 'proof'; verified: VerifiedProof }
  | { kind: 'history'; verified: VerifiedHistory }
  | { kind: 'submission'; verified: VerifiedSubmission }

/** `offline` is there when no chain was asked: the blocks whose hashes were trusted instead. */
export type VerifiedAny = Verified & { offline?: { trustedBlocks: TrustedBlock[] } }

/**
 * Checks a bundle of any format, bare or with evidence (docs/format.md, "Verifying with evidence").
 *
 * With a chain, it is checked against the chain; the evidence must then be of the chain's own final blocks, and show
 * the same. Without one, it is checked against the evidence and the trusted blocks alone.
 *
 * @param value parsed JSON
 * @throws {InputError} `BAD_BUNDLE` when it is no bundle at all
 * @throws {VerificationError} when a claim of it is false; at step `evidence`, the evidence is
 * @throws {OperationError} when nobody can tell, or not yet
 */
export async function verifyAny(value: unknown, means: Means): Promise<VerifiedAny> {
  const { chain, rights, trust = {}, trustedBlocks = [] } = means
  if (expectFormat(value, OFFLINE_FORMAT, ...FORMATS) !== OFFLINE_FORMAT) {
    if (chain !== undefined) return verifyBundle(value, chain, rights, trust)
    throw new OperationError('NOT_IN_EVIDENCE', 'the bundle brings no evidence: it is checked with a node', {
      retryable: false,
    })
  }
  const { bundle, evidence } = await step('read', () => parseOffline(value))
  const registry = await step('read', () => registryOf(bundle))
  const grantSigner = rights?.grantSigner ?? means.grantSigner
  const factsUnder = (trusted: readonly Hex[]) =>
    evidenceFacts(evidence, {
      trustedBlocks: trusted,
      ...(registry !== undefined && { registry }),
      grantSigner: grantSigner ?? (() => undefined),
    })
  const verifyShown = (facts: EvidenceFacts) =>
    verifyBundle(bundle, facts.chain, grantSigner && facts.rights, trust)
  if (chain === undefined) {
    const facts = factsUnder(trustedBlocks)
    return { ...(await verifyShown(facts)), offline: { trustedBlocks: facts.blocks } }
  }
  const verified = await verifyBundle(bundle, chain, rights, trust)
  await step('evidence', async () => {
    const facts = factsUnder(blockHashes(evidence))
    for (const block of facts.blocks) await expectFinal(block, chain, verified.verified.finalBlock)
    await verifyShown(facts).catch(blameEvidence)
  })
  return verified
}

/** @throws {VerificationError} `NOT_CANONICAL` when the chain has another */
async function expectFinal(
  { number, hash }: TrustedBlock,
  chain: ChainFacts,
  finalBlock: bigint,
): Promise<void> {
  if (number > finalBlock) throw notFinal(number, finalBlock)
  const block = await chain.blockByNumber(number)
  if (block === undefined) {
    throw new OperationError('RPC_REFUSED', `the node does not have block ${number}; ask another`)
  }
  if (block.hash === hash) return
  throw new VerificationError(
    'NOT_CANONICAL',
    `block ${number} of the chain is another than the evidence shows`,
  )
}

/** What the chain has confirmed, the evidence must not refute. */
function blameEvidence(cause: unknown): never {
  if (!(cause instanceof VerificationError)) throw cause
  const message = `the chain confirms the bundle, its evidence does not: ${cause.message}`
  throw new VerificationError('BAD_EVIDENCE', message, { cause, step: 'evidence' })
}

/** Of bundles without evidence. */
const FORMATS = [
  PROOF_FORMAT,
  AUTHORIZED_PROOF_FORMAT,
  SUBMISSION_FORMAT,
  HISTORY_FORMAT,
  RUN_HISTORY_FORMAT,
] as const

async function verifyBundle(
  bundle: unknown,
  chain: ChainFacts,
  rights: RightsFacts | undefined,
  trust: Trust,
): Promise<Verified> {
  switch (expectFormat(bundle, ...FORMATS)) {
    case HISTORY_FORMAT:
    case RUN_HISTORY_FORMAT:
      return { kind: 'history', verified: await verifyHistory(bundle, chain, trust) }
    case SUBMISSION_FORMAT:
      return { kind: 'submission', verified: await verifySubmission(bundle, chain, trust) }
    case PROOF_FORMAT:
    case AUTHORIZED_PROOF_FORMAT:
      return { kind: 'proof', verified: await verifyProof(bundle, chain, trust, rights) }
  }
}

/** The registry that the proof of an authorised call names. */
const registryOf = (bundle: unknown): Hex | undefined =>
  Object(bundle).format === AUTHORIZED_PROOF_FORMAT
    ? parseProof(bundle).authorization?.resource.registry
    : undefined
