import type { Hex } from '../bytes/hex.ts'
import { recoverSubmissionSigner, type SigningDomain } from '../chain/signing.ts'
import { VerificationError } from '../errors.ts'
import { answerJobs } from '../store/background-job.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { type Content, contentOf, type Draft, isSameContent, readDraft } from './draft.ts'
import { decodeBody } from './log-entry.ts'
import { splitSubmission } from './media.ts'

/** Reads the body of a request; of a signed one, also who signed it. */
export interface ReadJob {
  kind: 'read'
  mediaType: string
  body: Uint8Array
  maxRecords: number
  signed: { domain: SigningDomain; sequence: bigint; signature: Hex } | undefined
}

/** Where the content of an earlier submission is: in the body of its log entry, or in its batch. */
export type ContentPlace =
  | { body: Uint8Array }
  | { batchesPath: string; publisher: Hex; batch: bigint; first: number; size: number }

/** Compares a draft with what was accepted before. */
export interface CompareJob {
  kind: 'compare'
  body: Uint8Array
  earlier: ContentPlace
}

export interface ReadResult {
  draft: Draft
  /** undefined when the submission is not signed, or by nobody */
  signer: Hex | undefined
}

answerJobs<ReadJob | CompareJob, ReadResult | boolean>(
  async (job) => (job.kind === 'read' ? read(job) : compare(job)),
  (result) => (typeof result === 'boolean' ? [] : [result.draft.body.buffer as ArrayBuffer]),
)

function read({ mediaType, body, maxRecords, signed }: ReadJob): ReadResult {
  const draft = readDraft(
    splitSubmission(mediaType, body),
    maxRecords,
    signed === undefined ? 'any' : 'sealed',
  )
  return { draft, signer: signed && signerOf(draft, signed) }
}

function signerOf(
  { source, root, size }: Draft,
  { domain, sequence, signature }: NonNullable<ReadJob['signed']>,
): Hex | undefined {
  try {
    return recoverSubmissionSigner(domain, { source, sequence, root, size: BigInt(size) }, signature)
  } catch (cause) {
    if (cause instanceof VerificationError) return undefined
    throw cause
  }
}

async function compare({ body, earlier }: CompareJob): Promise<boolean> {
  return isSameContent(contentOf(decodeBody(body)), await load(earlier))
}

async function load(place: ContentPlace): Promise<Content> {
  if ('body' in place) return contentOf(decodeBody(place.body))
  const { batchesPath, publisher, batch, first, size } = place
  const files = await new BatchFolder(batchesPath).open(publisher, batch)
  try {
    return { items: await files.itemsFrom(first, size), vault: await files.vaultFrom(first, size) }
  } finally {
    await files.close()
  }
}
