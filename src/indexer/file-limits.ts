import { type BatchFileName, FRAME_RECORDS, MAX_LINE_BYTES } from '../batch/index.ts'
import { INDEX_NAMES } from '../lookup/index.ts'
import { tilesSize } from '../merkle/index.ts'

/** What an indexer needs of a batch: everything but the vault. */
export const PUBLIC_FILES = [
  'header.json',
  'submissions.json',
  'tree.bin',
  'index.bin',
  'records.ndjson.zst',
] as const satisfies readonly BatchFileName[]
export type PublicFile = (typeof PUBLIC_FILES)[number]

/** No file of a batch is taken beyond this, whatever its header says: 16 times what a batch of 65,536 usual records has. */
const MAX_FILE_BYTES = 1024 * 1024 * 1024

const HEADER_BYTES = 4_096
/** A source has 256 characters, each at most two in JSON; the rest are names, numbers and a signature. */
const SUBMISSION_BYTES = 1_024
/** Zstandard makes text that cannot be compressed a little longer; a row of the frame table comes with each frame. */
const FRAME_OVERHEAD = 1_024

/**
 * The most bytes that a file of a batch can have.
 *
 * @param recordCount as the header says; a batch has a submission a record at most
 */
export function largestFile(name: PublicFile, recordCount: number): number {
  return Math.min(sizeOf(name, recordCount), MAX_FILE_BYTES)
}

function sizeOf(name: PublicFile, records: number): number {
  switch (name) {
    case 'header.json':
      return HEADER_BYTES
    case 'submissions.json':
      return SUBMISSION_BYTES * (1 + records)
    case 'tree.bin':
      return tilesSize(records)
    case 'index.bin':
      return indexBytes(INDEX_NAMES.length * records)
    case 'records.ndjson.zst': {
      const frames = Math.ceil(records / FRAME_RECORDS)
      return MAX_LINE_BYTES * records + FRAME_OVERHEAD * (1 + frames)
    }
  }
}

/** One entry, one position and its share of the stored tree each at most (docs/format.md, "Index file"). */
const indexBytes = (entries: number): number => 16 + 28 * entries + tilesSize(Math.ceil(entries / 16))
