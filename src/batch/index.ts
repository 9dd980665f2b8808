export { APPENDED_TOPIC, type Appended, decodeAppended } from './appended.ts'
export { FrameReader } from './frame-reader.ts'
export {
  type Compress,
  type Decompress,
  encodeFrames,
  expandFrame,
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
export {
  canonicalRecordText,
  decodeItem,
  decodeLine,
  encodeItem,
  type Item,
  isSealedItem,
  parseItem,
  recordText,
  spellItem,
} from './item.ts'
export { LineScan } from './line-scan.ts'
export {
  ownKeys,
  type PreparedRecords,
  prepareRecords,
  type RecordHashes,
  RecordPreparer,
} from './prepared.ts'
export {
  type BatchFileName,
  type BatchSummary,
  type PreparedSubmission,
  type SealedBatch,
  sealBatch,
  sealPrepared,
  summarizeRecords,
  type WaitingSubmission,
} from './seal.ts'
export { parseSubmissions, type Submission } from './submission.ts'
export { parseVaultLine, withoutDisclosures } from './vault.ts'
export { verifyBatch, verifyRecords, verifySources, verifySubmissions } from './verify.ts'
