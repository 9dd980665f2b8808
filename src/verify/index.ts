export type { Block, ChainFacts, ReceiptLog, TransactionReceipt } from './chain-facts.ts'
export {
  PROOF_STEPS,
  type ProofStep,
  sizeAfter,
  type Trust,
  type VerifiedProof,
  verifyProof,
} from './proof.ts'
