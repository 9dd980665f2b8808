import { type Hex, toHex } from '../bytes/hex.ts'
import type { FlowRecord } from '../record/index.ts'
import {
  ANCHORED_MEMBERS,
  type Anchored,
  type JsonAnchored,
  parseAnchored,
  toJsonAnchored,
} from './anchored.ts'
import { expectFormat, members, path, sealedRecord, texts, uint32 } from './members.ts'

export const PROOF_FORMAT = 'tidemark-proof/1'
export const PROOF_MEDIA_TYPE = 'application/vnd.tidemark.proof+json'

/** Everything that convinces a stranger that a record is in the ledger (docs/format.md, "Proof"). */
export interface Proof extends Anchored {
  record: FlowRecord
  disclosures: string[]
  inclusion: { index: number; path: Uint8Array[] }
}

/** A proof as JSON: uint64 as decimal strings, bytes as hex. */
export interface JsonProof extends JsonAnchored {
  format: typeof PROOF_FORMAT
  record: FlowRecord
  disclosures: string[]
  inclusion: { index: number; path: Hex[] }
}

export const toJsonProof = ({ record, disclosures, inclusion, ...anchored }: Proof): JsonProof => ({
  format: PROOF_FORMAT,
  record,
  disclosures,
  inclusion: { index: inclusion.index, path: inclusion.path.map(toHex) },
  ...toJsonAnchored(anchored),
})

/**
 * Reads a proof; exactly its members, each value in its one spelling.
 *
 * @param value parsed JSON
 * @throws {InputError} `BAD_BUNDLE` when it is no proof of this format at all
 * @throws {VerificationError} `MALFORMED_BUNDLE`, `MALFORMED_RECORD` or `MALFORMED_HEADER` when a member of it is
 *   missing, unknown or misspelt: such a proof claims something that cannot hold
 */
export function parseProof(value: unknown): Proof {
  expectFormat(value, PROOF_FORMAT)
  const parts = members(value, 'the proof', [
    'format',
    'record',
    'disclosures',
    'inclusion',
    ...ANCHORED_MEMBERS,
  ])
  const inclusion = members(parts.inclusion, 'inclusion', ['index', 'path'])
  return {
    record: sealedRecord(parts.record),
    disclosures: texts(parts.disclosures, 'disclosures'),
    inclusion: {
      index: uint32(inclusion.index, 'inclusion.index'),
      path: path(inclusion.path, 'inclusion.path'),
    },
    ...parseAnchored(parts),
  }
}
