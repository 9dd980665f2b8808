export { canonicalBytes, canonicalText } from './canonical.ts'
export { type FlowRecord, parseRecord, parseSealedRecord, timeOf } from './parse.ts'
export {
  disclosureDigest,
  leafHash,
  openPseudonyms,
  openRecord,
  parseDisclosure,
  type Sealed,
  sealRecord,
} from './seal.ts'
export { isRecordType, RECORD_TYPES, type RecordTypeName, sealedKind } from './types.ts'
