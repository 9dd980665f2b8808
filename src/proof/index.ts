export type { Anchor, Anchored, Place } from './anchored.ts'
export {
  type Authorization,
  type JsonAuthorization,
  type ResourceVersion,
  toJsonGrant,
} from './authorization.ts'
export {
  AUTHORIZED_PROOF_FORMAT,
  authorizedProof,
  type JsonProof,
  PROOF_FORMAT,
  PROOF_MEDIA_TYPE,
  type Proof,
  parseProof,
  toJsonProof,
} from './bundle.ts'
export { parseBundle } from './bundle-text.ts'
export { coseReceiptToSign, encodeCoseReceipt } from './cose-receipt.ts'
export {
  type AccountEvidence,
  type BlockEvidence,
  type Evidence,
  type JsonEvidence,
  type JsonOffline,
  OFFLINE_FORMAT,
  OFFLINE_MEDIA_TYPE,
  type Offline,
  parseOffline,
  type TransactionEvidence,
  toJsonOffline,
} from './evidence.ts'
export {
  ALWAYS,
  HISTORY_FORMAT,
  HISTORY_MEDIA_TYPE,
  type History,
  type HistoryHead,
  type HistoryQuestion,
  type JsonHistory,
  parseHistory,
  toJsonHistory,
  toJsonHistoryHead,
} from './history.ts'
export { type HistoryBatch, type JsonHistoryBatch, packPath, toJsonHistoryBatch } from './history-batch.ts'
export {
  parseReceipt,
  RECEIPT_FORMAT,
  RECEIPT_TYPE,
  type Receipt,
  receiptDigest,
  receiptWords,
  toJsonReceipt,
} from './receipt.ts'
export {
  type HistoryPart,
  type HistoryRun,
  type JsonHistoryRun,
  type JsonRunHistory,
  parseRunHistory,
  RUN_HISTORY_FORMAT,
  type RunHistory,
  type RunHistoryHead,
  type ShownRun,
  toJsonHistoryPart,
  toJsonRunHistory,
  toJsonRunHistoryHead,
} from './run-history.ts'
export {
  type JsonSubmissionProof,
  parseSubmissionProof,
  SUBMISSION_FORMAT,
  SUBMISSION_MEDIA_TYPE,
  type SubmissionProof,
  toJsonLeaves,
  toJsonSubmissionProof,
} from './submission.ts'
export { checkpointText, encodeTlogProof, noteKeyId, noteVerifierKey, signedNote } from './tlog-proof.ts'
export { headerInLog, recordInBatch, type TreeInclusion } from './tree-inclusion.ts'
export { type Withheld, withholdDisclosures } from './withhold.ts'
