import { type Hex, toHex } from '../bytes/hex.ts'
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
  /** leaf hashes of its records in their order, 32 bytes each */
  leaves: Uint8Array[]
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
  leaves: leaves.map(toHex),
  range: { first: range.first, path: range.path.map(toHex) },
  ...toJsonAnchored(anchored),
})

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
  return {
    leaves: path(parts.leaves, 'leaves'),
    range: { first: uint32(range.first, 'range.first'), path: path(range.path, 'range.path') },
    ...parseAnchored(parts),
  }
}
