export { decodeBucket, type LookupProof, verifyLookup } from './bucket.ts'
export { type BatchIndex, buildIndex, indexOfKeys } from './build-index.ts'
export { IndexReader } from './index-file.ts'
export {
  INDEX_NAMES,
  type IndexName,
  indexKey,
  indexValues,
  indexValuesOf,
  KEY_BYTES,
  KeyList,
  recordValue,
} from './keys.ts'
export type { IndexSketch } from './sketch.ts'
