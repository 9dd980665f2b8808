export { canonicalBytes, canonicalText, isCanonicalText } from './canonical.ts'
export {
  decide,
  decideWithoutGrant,
  type GrantStanding,
  type Standing,
  type Use,
} from './decision.ts'
export { factsOf, type RecordFacts, textOf } from './facts.ts'
export {
  decodeGrant,
  encodeGrant,
  type GivenGrant,
  GRANT_TYPE,
  type Grant,
  givenGrant,
  grantId,
  grantWords,
  nameId,
} from './grant.ts'
export { type FlowRecord, parseRecord, parseSealedRecord, timeOf } from './parse.ts'
export {
  BREAKER_KINDS,
  type BreakerKind,
  isAllowed,
  REASONS,
  type Reason,
  SHARINGS,
  type Sharing,
} from './rights.ts'
export {
  encodeGranted,
  encodeResourceSet,
  GRANTED_TOPIC,
  RESOURCE_SET_TOPIC,
  resourceSetTopics,
} from './rights-logs.ts'
export { RecordScan, SLOT_COUNT, slotOf } from './scan.ts'
export { DIGEST_CHARACTERS, stands } from './scan-values.ts'
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
export { isRecordType, PSEUDONYMS, RECORD_TYPES, type RecordTypeName, sealedKind } from './types.ts'
