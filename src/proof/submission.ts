import { type Hex, toHex } from '../bytes/hex.ts'
import { HASH_SIZE } from '../merkle/index.ts'
import {
  ANCHORED_MEMBERS,
  type Anchored,
  type JsonAnchored,
  parseAnchored,
  toJsonAnchored,
} from './anchored.ts'
import { expectFormat, members, path, uint32 } from './members.ts'

export const SUBMISSION_FORMAT = 'tidemark-submission/1'
export const SUBMISSION_MEDIA_TYPE = 'application/vnd.tidemark.submission+json'

/** Everything that convinces a stranger that the records of a submission are in the ledger, one after the other. */
export interface SubmissionProof extends Anchored {
  /** leaf hashes of its records in their order, 32 bytes each, one after the other */
  leaves: Uint8Array
  /** position of the first in its batch, and the range path that completes them to the records root */
  range: { first: number; path: Uint8Array[] }
}

/** As JSON: uint64 as decimal strings, bytes as hex. */
export interface JsonSubmissionProof extends JsonAnchored {
  format: typeof SUBMISSION_FORMAT
  leaves: Hex[]
  range: { first: number; path: Hex[] }
}

export const toJsonSubmissionProof = ({
  leaves,
  range,
  ...anchored
}: SubmissionProof): JsonSubmissionProof => ({
  format: SUBMISSION_FORMAT,
  leaves: toJsonLeaves(leaves),
  range: { first: range.first, path: range.path.map(toHex) },
  ...toJsonAnchored(anchored),
})

/** @param leaves 32 bytes each, one after the other */
export const toJsonLeaves = (leaves: Uint8Array): Hex[] =>
  Array.from({ length: leaves.length / HASH_SIZE }, (_, i) =>
    toHex(leaves.subarray(HASH_SIZE * i, HASH_SIZE * (i + 1))),
  )

/**
 * Reads the proof of a submission; exactly its members, each value in its one spelling.
 *
 * @param value parsed JSON
 * @throws {InputError} `BAD_BUNDLE` when it is none of this format at all
 * @throws {VerificationError} `MALFORMED_BUNDLE` or `MALFORMED_HEADER`
 */
export function parseSubmissionProof(value: unknown): SubmissionProof {
  expectFormat(value, SUBMISSION_FORMAT)
  const parts = members(value, 'the bundle', ['format', 'leaves', 'range', ...ANCHORED_MEMBERS])
  const range = members(parts.range, 'range', ['first', 'path'])
  const hashes = path(parts.leaves, 'leaves')
  const leaves = new Uint8Array(HASH_SIZE * hashes.length)
  for (const [i, hash] of hashes.entries()) leaves.set(hash, HASH_SIZE * i)
  return {
    leaves,
    range: { first: uint32(range.first, 'range.first'), path: path(range.path, 'range.path') },
    ...parseAnchored(parts),
  }
}
