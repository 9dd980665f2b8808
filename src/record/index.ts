export { canonicalBytes, canonicalText, isCanonicalText } from './canonical.ts'
export { type FlowRecord, parseRecord, parseSealedRecord, timeOf } from './parse.ts'
export {
  disclosureDigest,
  expectAllPseudonyms,
  leafHash,
  type Opened,
  openDisclosures,
  openPseudonyms,
  openRecord,
  parseDisclosure,
  type Sealed,
  sealRecord,
} from './seal.ts'
export { isRecordType, RECORD_TYPES, type RecordTypeName, sealedKind } from './types.ts'
