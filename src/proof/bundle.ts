import { type Hex, toHex } from '../bytes/hex.ts'
import type { FlowRecord } from '../record/index.ts'
import {
  ANCHORED_MEMBERS,
  type Anchored,
  type JsonAnchored,
  parseAnchored,
  toJsonAnchored,
} from './anchored.ts'
import {
  type Authorization,
  type JsonAuthorization,
  parseAuthorization,
  toJsonAuthorization,
} from './authorization.ts'
import { expectFormat, members, path, sealedRecord, texts, uint32 } from './members.ts'

export const PROOF_FORMAT = 'tidemark-proof/1'
/** Of a proof that shows the authorisation of its call too. */
export const AUTHORIZED_PROOF_FORMAT = 'tidemark-proof/2'
export const PROOF_MEDIA_TYPE = 'application/vnd.tidemark.proof+json'

/** Everything that convinces a stranger that a record is in the ledger (docs/format.md, "Proof"). */
export interface Proof extends Anchored {
  record: FlowRecord
  disclosures: string[]
  inclusion: { index: number; path: Uint8Array[] }
  authorization?: Authorization
}

/** A proof as JSON: uint64 as decimal strings, bytes as hex. */
export interface JsonProof extends JsonAnchored {
  format: typeof PROOF_FORMAT | typeof AUTHORIZED_PROOF_FORMAT
  record: FlowRecord
  disclosures: string[]
  inclusion: { index: number; path: Hex[] }
  authorization?: JsonAuthorization
}

export const toJsonProof = ({
  record,
  disclosures,
  inclusion,
  authorization,
  ...anchored
}: Proof): JsonProof => ({
  format: authorization === undefined ? PROOF_FORMAT : AUTHORIZED_PROOF_FORMAT,
  record,
  disclosures,
  inclusion: { index: inclusion.index, path: inclusion.path.map(toHex) },
  ...toJsonAnchored(anchored),
  ...(authorization !== undefined && { authorization: toJsonAuthorization(authorization) }),
})

/** The same proof with what authorised its call. */
export const authorizedProof = (proof: JsonProof, authorization: Authorization): JsonProof => ({
  ...proof,
  format: AUTHORIZED_PROOF_FORMAT,
  authorization: toJsonAuthorization(authorization),
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
  const format = expectFormat(value, PROOF_FORMAT, AUTHORIZED_PROOF_FORMAT)
  const names = ['format', 'record', 'disclosures', 'inclusion', ...ANCHORED_MEMBERS] as const
  const { authorization, ...parts } =
    format === PROOF_FORMAT
      ? { ...members(value, 'the proof', names), authorization: undefined }
      : members(value, 'the proof', [...names, 'authorization'])
  const inclusion = members(parts.inclusion, 'inclusion', ['index', 'path'])
  return {
    record: sealedRecord(parts.record),
    disclosures: texts(parts.disclosures, 'disclosures'),
    inclusion: {
      index: uint32(inclusion.index, 'inclusion.index'),
      path: path(inclusion.path, 'inclusion.path'),
    },
    ...parseAnchored(parts),
    ...(format === AUTHORIZED_PROOF_FORMAT && { authorization: parseAuthorization(authorization) }),
  }
}
