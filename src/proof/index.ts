export type { Anchor, Anchored } from './anchored.ts'
export {
  type JsonProof,
  PROOF_FORMAT,
  PROOF_MEDIA_TYPE,
  type Proof,
  parseProof,
  toJsonProof,
} from './bundle.ts'
export {
  ALWAYS,
  HISTORY_FORMAT,
  HISTORY_MEDIA_TYPE,
  type History,
  type HistoryBatch,
  type HistoryHead,
  type HistoryQuestion,
  type JsonHistory,
  type JsonHistoryBatch,
  parseHistory,
  toJsonHistory,
  toJsonHistoryBatch,
  toJsonHistoryHead,
} from './history.ts'
export { parseReceipt, RECEIPT_FORMAT, type Receipt, toJsonReceipt } from './receipt.ts'
export {
  type JsonSubmissionProof,
  parseSubmissionProof,
  SUBMISSION_FORMAT,
  SUBMISSION_MEDIA_TYPE,
  type SubmissionProof,
  toJsonLeaves,
  toJsonSubmissionProof,
} from './submission.ts'
