export { decodeBucket, decodePositions, encodePositions, type LookupProof, verifyLookup } from './bucket.ts'
export { type BatchIndex, buildIndex, IndexReader } from './index-file.ts'
export { INDEX_NAMES, type IndexName, indexKey, indexValues, recordValue } from './keys.ts'
export { indexValue } from './value.ts'
