export { APPENDED_TOPIC, type Appended, decodeAppended } from './appended.ts'
export {
  type Compress,
  type Decompress,
  FRAME_RECORDS,
  type Frame,
  frameLines,
  MAX_LINE_BYTES,
  readFrame,
  readFrameTable,
} from './frames.ts'
export {
  decodeHeader,
  encodeHeader,
  HEADER_BYTES,
  type Header,
  hashHeader,
  packHeader,
  unpackHeader,
} from './header.ts'
export { type JsonHeader, parseJsonHeader, toJsonHeader } from './header-json.ts'
export { decodeItem, encodeItem, type Item, isSealedItem, parseItem } from './item.ts'
export {
  type BatchFileName,
  type BatchSummary,
  type SealedBatch,
  sealBatch,
  type WaitingSubmission,
} from './seal.ts'
export { parseSubmissions, type Submission } from './submission.ts'
export { parseVaultLine } from './vault.ts'
export { verifyBatch, verifySubmissions } from './verify.ts'
