export { sizeAfter, type Trust, type VerifiedAnchor } from './anchor.ts'
export { type Means, type VerifiedAny, verifyAny } from './any.ts'
export { AUTHORIZATION_STEPS, type VerifiedAuthorization } from './authorization.ts'
export type { Block, ChainFacts, ReceiptLog, TransactionReceipt } from './chain-facts.ts'
export { type EvidenceFacts, type EvidenceTrust, evidenceFacts } from './evidence-facts.ts'
export { HISTORY_STEPS, type VerifiedHistory, verifyHistory } from './history.ts'
export { mayHold } from './history-batch.ts'
export type { FoundInHistory } from './history-parts.ts'
export type { TrustedRun } from './history-run.ts'
export { PROOF_STEPS, type ProofStep, type VerifiedProof, verifyProof } from './proof.ts'
export {
  type KeptPromise,
  RECEIPT_STEPS,
  type ReceiptTrust,
  type ReceiptWitnesses,
  verifyReceipt,
} from './receipt.ts'
export type { RightsFacts } from './rights-facts.ts'
export { blockHashes, type TrustedBlock } from './shown-blocks.ts'
export { LEDGER_SIZE_SLOT, ledgerPeakSlots, resourceSlot, revokedAtSlot } from './slots.ts'
export { type VerifiedSubmission, verifySubmission } from './submission.ts'
export { refusalWords, type Said } from './words.ts'
