import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Request, RequestHandler } from 'express'
import { InputError } from '../errors.ts'
import type { Admission } from '../gateway/admission.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { EvidenceMaker } from '../indexer/evidence-maker.ts'
import type { Finder } from '../indexer/finder.ts'
import type { Follower } from '../indexer/follower.ts'
import { HASH_SIZE } from '../merkle/index.ts'
import {
  OFFLINE_MEDIA_TYPE,
  SUBMISSION_MEDIA_TYPE,
  type SubmissionProof,
  toJsonLeaves,
  toJsonReceipt,
  toJsonSubmissionProof,
} from '../proof/index.ts'
import type { LedgerEntries, LedgerEntry } from '../store/ledger-entries.ts'
import type { Voucher } from '../store/sealed-batches.ts'
import { toJsonAnchor } from './json.ts'
import { withEvidence } from './offline.ts'
import { optionalFlag, optionalUint64, parseUint64, requiredText, tokenOf } from './query.ts'

/** Names the submission of its source that a request means to be, so that sending it twice is harmless. */
const SEQUENCE_HEADER = 'tidemark-sequence'
/** The root that a source has signed, and its signature over it (docs/format.md, "Submission"). */
const ROOT_HEADER = 'tidemark-root'
const SIGNATURE_HEADER = 'tidemark-signature'

/** POST /v1/submissions: the records of one source; 201 with the receipt once they are synced to disk. */
export const postSubmission =
  (gateway: Gateway, admission: Admission): RequestHandler =>
  async (request, response) => {
    const body: unknown = request.body
    if (!(body instanceof Uint8Array)) throw new InputError('EMPTY_SUBMISSION', 'the request has no body')
    const mediaType = request.get('content-type') ?? ''
    const sequence = sequenceOf(request)
    const { draft, voucher } = await admission.admit(
      { mediaType, bytes: body },
      {
        sequence,
        root: request.get(ROOT_HEADER),
        signature: request.get(SIGNATURE_HEADER),
        token: tokenOf(request),
      },
    )
    const receipt = await gateway.accept(draft, sequence, voucher)
    response
      .status(201)
      .location(
        `/v1/submissions?${new URLSearchParams({ source: receipt.source, sequence: String(receipt.sequence) })}`,
      )
      .json({ receipt: toJsonReceipt(receipt) })
  }

/** GET /v1/submissions?source=[&sequence=]: where a submission is; without a sequence, which one is next. */
export const getSubmission =
  (gateway: Gateway, entries: LedgerEntries, follower: Follower): RequestHandler =>
  async (request, response) => {
    const source = requiredText(request, 'source')
    const sequence = optionalUint64(request, 'sequence')
    if (sequence === undefined) {
      response.json({ source, nextSequence: String(gateway.nextSequence(source)) })
      return
    }
    const found = await gateway.find(source, sequence)
    if (found === undefined) throw new InputError('NOT_FOUND', `${source} has no submission ${sequence}`)
    const { receipt, voucher, sealed } = found
    const entry = sealed && entries.ofBatch(sealed.publisher, sealed.batch)
    const state = entry === undefined ? (sealed ? 'sealed' : 'accepted') : stateOf(entry, follower)
    response.json({
      receipt: toJsonReceipt(receipt),
      state,
      vouched: toJsonVoucher(voucher),
      ...(sealed && {
        batch: { publisher: sealed.publisher, sequence: String(sealed.batch), first: sealed.first },
      }),
      ...(entry && { anchor: toJsonAnchor(entry) }),
    })
  }

/** GET /v1/submissions/proof?source=&sequence=[&evidence=true]: the bundle that shows the whole submission on the chain. */
export const getSubmissionProof =
  (gateway: Gateway, finder: Finder, evidence: EvidenceMaker): RequestHandler =>
  async (request, response) => {
    const source = requiredText(request, 'source')
    const sequence = parseUint64(requiredText(request, 'sequence'), 'sequence')
    const isOffline = optionalFlag(request, 'evidence')
    const sealed = (await gateway.find(source, sequence))?.sealed
    if (sealed === undefined) {
      throw new InputError('NOT_ANCHORED', `the ledger holds no submission ${sequence} of ${source}`)
    }
    const proof = await finder.proveSubmission(sealed)
    const text = isOffline
      ? withEvidence(
          spellProof(proof),
          await evidence.ofAnchor({ anchor: proof.anchor, size: proof.log.size }),
        )
      : spellProof(proof)
    response.type(isOffline ? OFFLINE_MEDIA_TYPE : SUBMISSION_MEDIA_TYPE)
    for await (const piece of text) {
      if (response.destroyed) return
      response.write(piece)
      await nextTurn()
    }
    response.end()
  }

/** Leaves that are spelled at once: the largest submission must not hold up everybody else. */
const LEAVES_AT_ONCE = 2_048

/** The JSON of `toJsonSubmissionProof` in pieces. */
function* spellProof(proof: SubmissionProof): Generator<string> {
  const { leaves: _, ...rest } = toJsonSubmissionProof({ ...proof, leaves: new Uint8Array() })
  yield `${JSON.stringify(rest).slice(0, -1)},"leaves":[`
  const step = HASH_SIZE * LEAVES_AT_ONCE
  for (let start = 0; start < proof.leaves.length; start += step) {
    const leaves = JSON.stringify(toJsonLeaves(proof.leaves.subarray(start, start + step)))
    yield `${start === 0 ? '' : ','}${leaves.slice(1, -1)}`
  }
  yield ']}'
}

/** Final is what can be proven: the block is final, and the batch on disk is what the chain says. */
function stateOf(entry: LedgerEntry, follower: Follower): string {
  if (entry.state === 'fraud' || entry.state === 'withheld') return entry.state
  return entry.state === 'verified' && follower.isFinal(entry) ? 'final' : 'anchored'
}

const toJsonVoucher = (voucher: Voucher) =>
  voucher.by === 'signed' ? { by: voucher.by, signer: voucher.signer } : { by: voucher.by }

function sequenceOf(request: Request): bigint | undefined {
  const text = request.get(SEQUENCE_HEADER)
  return text === undefined ? undefined : parseUint64(text, SEQUENCE_HEADER)
}
