import {
  decodeItem,
  type Header,
  isSealedItem,
  ownKeys,
  type RecordHashes,
  type Submission,
} from '../batch/index.ts'
import { equalBytes, utf8 } from '../bytes/bytes.ts'
import type { Hex } from '../bytes/hex.ts'
import type { TypedDomain } from '../bytes/typed-data.ts'
import { recoverGrantSigner, recoverSubmissionSigner, type SigningDomain } from '../chain/signing.ts'
import { InputError, VerificationError } from '../errors.ts'
import { KEY_BYTES, type RunClaim, runClaimOf, sharedEntries } from '../lookup/index.ts'
import { HASH_SIZE, hashLeaves, treeRoot } from '../merkle/index.ts'
import { canonicalText, type FlowRecord, type Grant, givenGrant, grantId } from '../record/index.ts'
import type { RecordedGrant } from '../store/grants.ts'

/** What a verified batch says of its sources; none of it makes the batch false. */
export interface Findings {
  submissions: SubmissionHere[]
  repeated: RepeatedIds
  runs: RunHere[]
  grants: GrantHere[]
}

/** A grant that a record of the batch holds. */
export type GrantHere = Omit<RecordedGrant, 'logIndex'>

/** What a record of the batch says of a run of its own ledger. */
export interface RunHere extends RunClaim {
  position: number
  source: string
  id: string
}

export interface SubmissionHere {
  source: string
  sequence: bigint
  /** position of its first record */
  first: number
  signer: Hex | undefined
}

/** Records whose source and id an earlier record of the same batch has. */
export interface RepeatedIds {
  count: number
  /** the first of them */
  positions: number[]
}

/** No alert lists more positions. */
const MAX_POSITIONS = 100

/**
 * Every signature is one of somebody over the root of its submission. Whether that key is the source's, no batch says.
 *
 * @param leafHashes of the whole batch
 * @throws {VerificationError} `BAD_SIGNATURE`
 */
export const recoverSigners = (
  submissions: readonly Submission[],
  leafHashes: Uint8Array,
  domain: SigningDomain,
): SubmissionHere[] =>
  submissions.map(({ source, sequence, first, count, signature }) => {
    if (signature === null) return { source, sequence, first, signer: undefined }
    const root = treeRoot(leafHashes.subarray(HASH_SIZE * first, HASH_SIZE * (first + count)))
    const size = BigInt(count)
    return {
      source,
      sequence,
      first,
      signer: recoverSubmissionSigner(domain, { source, sequence, root, size }, signature),
    }
  })

/**
 * Finds repeated ids: an entry of the index that is a record's own has one position.
 *
 * @param indexFile of these records
 */
export function findRepeated(records: RecordHashes, indexFile: Uint8Array): RepeatedIds {
  const own = ownKeys(records)
  const repeated: number[] = []
  for (const { key, positions } of sharedEntries(indexFile)) {
    const start = KEY_BYTES * (own[positions[0] as number] as number)
    if (!equalBytes(key, records.keys.subarray(start, start + KEY_BYTES))) continue
    for (const position of positions.subarray(1)) repeated.push(position)
  }
  return { count: repeated.length, positions: repeated.sort((a, b) => a - b).slice(0, MAX_POSITIONS) }
}

/** What the record at a position says of a run, if it is one of this ledger. */
export function runHere(
  record: FlowRecord,
  position: number,
  { chainId, ledger }: SigningDomain,
): RunHere | undefined {
  const claim = runClaimOf(record)
  if (claim?.chainId !== chainId || claim.ledger !== ledger) return undefined
  return { ...claim, position, source: record.source, id: record.id }
}

/**
 * The grant in the record at a position, if it is one that this contract decides on: its id is what its terms give there.
 *
 * @param domain of the authorisations
 */
export function grantHere(record: FlowRecord, position: number, domain: TypedDomain): GrantHere | undefined {
  if (record.type !== 'tidemark.authorization.v1') return undefined
  const { id, grant, signature } = givenGrant(record)
  if (grantId(domain, grant) !== id) return undefined
  const signed = signerOf(grant, signature, domain) === grant.subject
  return { id, terms: grant, signature, signed, position, source: record.source, record: record.id }
}

/** Undefined when no key made the signature: its subject may be a contract. */
function signerOf(grant: Grant, signature: Hex, domain: TypedDomain): Hex | undefined {
  try {
    return recoverGrantSigner(domain, grant, signature)
  } catch (error) {
    if (error instanceof VerificationError) return undefined
    throw error
  }
}

/**
 * The lines of a batch that are no items although the header commits to them: then it is the publisher who took in what
 * no record may be. Undefined when the lines do not give the header's records root, so that anybody may have changed them.
 *
 * @param frames lines, a frame at a time
 */
export async function findBadRecords(
  frames: AsyncIterable<readonly string[]>,
  header: Header,
): Promise<number[] | undefined> {
  const leaves: Uint8Array[] = []
  const bad: number[] = []
  for await (const lines of frames) {
    if (leaves.length + lines.length > header.recordCount) return undefined
    for (const line of lines) {
      const leaf = leafOf(line)
      if (leaf === undefined) return undefined
      if (!isItem(line) && bad.length < MAX_POSITIONS) bad.push(leaves.length)
      leaves.push(leaf)
    }
  }
  const committed = leaves.length > 0 && equalBytes(treeRoot(hashLeaves(leaves)), header.recordsRoot)
  return committed ? bad : undefined
}

/** What a line would have put into the records tree. */
function leafOf(line: string): Uint8Array | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return utf8(isSealedItem(value) ? canonicalText(value.record) : line)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof InputError) return undefined
    throw error
  }
}

function isItem(line: string): boolean {
  try {
    decodeItem(line)
    return true
  } catch (error) {
    if (error instanceof VerificationError) return false
    throw error
  }
}
