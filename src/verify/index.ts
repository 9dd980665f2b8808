export { sizeAfter, type Trust } from './anchor.ts'
export type { Block, ChainFacts, ReceiptLog, TransactionReceipt } from './chain-facts.ts'
export {
  type FoundInHistory,
  HISTORY_STEPS,
  mayHold,
  type VerifiedHistory,
  verifyHistory,
} from './history.ts'
export { PROOF_STEPS, type ProofStep, type VerifiedProof, verifyProof } from './proof.ts'
export {
  type KeptPromise,
  RECEIPT_STEPS,
  type ReceiptTrust,
  type ReceiptWitnesses,
  verifyReceipt,
} from './receipt.ts'
export { type VerifiedSubmission, verifySubmission } from './submission.ts'
