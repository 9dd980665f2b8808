export { decodeBucket, type LookupProof, verifyLookup } from './bucket.ts'
export { type BatchIndex, buildIndex, IndexReader } from './index-file.ts'
export { INDEX_NAMES, type IndexName, indexKey, indexValues, recordValue } from './keys.ts'
export type { IndexSketch } from './sketch.ts'
