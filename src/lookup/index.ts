export { decodeBucket, decodePositions, encodePositions, type LookupProof, verifyLookup } from './bucket.ts'
export { type BatchIndex, buildIndex, indexOfKeys } from './build-index.ts'
export { IndexReader, sharedEntries } from './index-file.ts'
export {
  INDEX_NAMES,
  type IndexName,
  indexKey,
  indexValue,
  indexValues,
  indexValuesOf,
  KEY_BYTES,
  KeyList,
  recordValue,
} from './keys.ts'
export { buildRun, mergeIndexes, type RunSummary, verifyRun, type WriteBytes } from './run.ts'
export { expectRunPlace, MOST_RUN_BATCHES, type RunClaim, runClaimOf, toRunData } from './run-claim.ts'
export type { IndexSketch } from './sketch.ts'
