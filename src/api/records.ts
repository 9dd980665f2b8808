import type { Request, RequestHandler } from 'express'
import type { Item, Submission } from '../batch/index.ts'
import { fromBase64url, toBase64url } from '../bytes/base64url.ts'
import { InputError } from '../errors.ts'
import { type FoundAuthorization, isUnderGrant } from '../indexer/authorize.ts'
import type { EvidenceMaker } from '../indexer/evidence-maker.ts'
import type { Finder } from '../indexer/finder.ts'
import type { Follower } from '../indexer/follower.ts'
import type { FoundRecord, Place } from '../indexer/search.ts'
import { INDEX_NAMES, type IndexName, indexValues, recordValue } from '../lookup/index.ts'
import {
  authorizedProof,
  type JsonProof,
  OFFLINE_MEDIA_TYPE,
  PROOF_MEDIA_TYPE,
  parseProof,
  toJsonOffline,
} from '../proof/index.ts'
import { type FlowRecord, parseDisclosure, sealedKind } from '../record/index.ts'
import type { LedgerEntries } from '../store/ledger-entries.ts'
import type { Access, Viewer } from './access.ts'
import { toJsonAnchor, toJsonLedgerState } from './json.ts'
import {
  optionalCount,
  optionalFlag,
  optionalNames,
  optionalPseudonyms,
  optionalText,
  requiredText,
  timeRange,
} from './query.ts'

const DEFAULT_PAGE = 50
const MAX_PAGE = 500

/**
 * GET /v1/records?person=&from=&to=…: the sealed records under a key, newest first, and where they are.
 *
 * 404 only when a record is asked for by its name and the whole ledger has been searched.
 */
export const getRecords =
  (finder: Finder, follower: Follower, entries: LedgerEntries, access: Access): RequestHandler =>
  async (request, response) => {
    const viewer = access.viewerOf(request)
    const keys = keysOf(request)
    const range = timeRange(request)
    const limit = optionalCount(request, 'limit', MAX_PAGE) ?? DEFAULT_PAGE
    const after = optionalCursor(request)
    const disclose = optionalPseudonyms(request)
    const person = keys.get('person')
    if (person !== undefined || disclose.length > 0) access.expectPerson(viewer, person)
    const ledger = toJsonLedgerState(follower, entries)
    const { records, searched, next } = await finder.page({ keys, ...range, limit, after })
    if (keys.has('record') && after === undefined && next === undefined && records.length === 0) {
      throw new InputError('NOT_FOUND', 'no verified batch of the ledger holds this record')
    }
    const brought = keys.has('record') ? records.map((found) => finder.submissionOf(found)) : []
    const submissions = await Promise.all(brought)
    response.json({
      records: records.map(({ item, position, entry }, i) => ({
        record: item.record,
        ...(disclose.length > 0 && { disclosures: disclosed(item, disclose) }),
        batch: { publisher: entry.header.publisher, sequence: String(entry.header.sequence), position },
        anchor: toJsonAnchor(entry),
        final: follower.isFinal(entry),
        ...toJsonBringing(submissions[i]),
      })),
      ledger,
      searched,
      ...(next !== undefined && { cursor: encodeCursor(next) }),
    })
  }

/** How a record came into the ledger, where that is known. */
const toJsonBringing = (submission: Submission | undefined) =>
  submission && {
    submission: {
      sequence: String(submission.sequence),
      receivedAt: String(submission.receivedAt),
      signed: submission.signature !== null,
    },
  }

/** @throws {InputError} `BAD_ARGUMENT` unless one key or more is given */
function keysOf(request: Request): Map<IndexName, string> {
  const keys = new Map<IndexName, string>()
  const source = optionalText(request, 'source')
  const id = optionalText(request, 'id')
  if ((source === undefined) !== (id === undefined)) {
    throw new InputError('BAD_ARGUMENT', 'source and id name a record together: give both or neither')
  }
  if (source !== undefined && id !== undefined) keys.set('record', recordValue(source, id))
  for (const name of INDEX_NAMES) {
    const value = name === 'record' ? undefined : optionalText(request, name)
    if (value !== undefined) keys.set(name, value)
  }
  if (keys.size > 0) return keys
  const names = INDEX_NAMES.filter((name) => name !== 'record').join(', ')
  throw new InputError('BAD_ARGUMENT', `a search needs a key: source and id, or one or more of ${names}`)
}

const disclosed = ({ disclosures }: Item, names: readonly string[]) =>
  disclosures.filter((text) => names.includes(parseDisclosure(text).name))

const CURSOR_BYTES = 12

function encodeCursor({ logIndex, position }: Place): string {
  const bytes = new Uint8Array(CURSOR_BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, logIndex)
  view.setUint32(8, position)
  return toBase64url(bytes)
}

function optionalCursor(request: Request): Place | undefined {
  const text = optionalText(request, 'cursor')
  if (text === undefined) return undefined
  const bytes = fromBase64url(text)
  if (bytes.length !== CURSOR_BYTES) throw new InputError('BAD_ARGUMENT', 'cursor is none of ours')
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return { logIndex: view.getBigUint64(0), position: view.getUint32(8) }
}

/** How many sources are searched for an id that comes without one. */
const MAX_SOURCES = 1_000

/** Looks for what authorised a call. */
export type Authorize = (call: FlowRecord) => Promise<FoundAuthorization>

/** Says why a proof shows a call under a grant, and not the grant. */
const MISSING_HEADER = 'Tidemark-Authorization-Missing'

interface ProofParts {
  finder: Finder
  /** known sources, in order, at most `limit` */
  sources: (limit: number) => string[]
  /** absent where nobody decides on calls */
  authorize?: Authorize
  evidence: EvidenceMaker
}

/**
 * GET /v1/proofs?id=[&source=][&disclose=person][&authorization=][&evidence=true]: the bundle that convinces a stranger.
 *
 * With what authorised a call that cites a grant, where that can be had; `authorization=true` demands it, `false`
 * leaves it out.
 */
export const getProof =
  ({ finder, sources: known, authorize, evidence }: ProofParts, access: Access): RequestHandler =>
  async (request, response) => {
    const viewer = access.viewerOf(request)
    const source = optionalText(request, 'source')
    const id = requiredText(request, 'id')
    const disclose = optionalNames(request, 'disclose')
    const sources = source === undefined ? known(MAX_SOURCES + 1) : [source]
    if (sources.length > MAX_SOURCES)
      throw new InputError('BAD_ARGUMENT', 'source is needed: there are too many to search')
    const wanted = optionalText(request, 'authorization') && optionalFlag(request, 'authorization')
    const isOffline = optionalFlag(request, 'evidence')
    const found = await finder.findOne(sources, id)
    expectDisclosing(access, viewer, found, disclose)
    const proof = await finder.prove(found, await finder.disclosuresOf(found, disclose))
    const consent = wanted === false ? undefined : await authorizationOf(proof.record, authorize)
    if (wanted === true && (consent === undefined || 'missing' in consent)) {
      const why = consent?.missing ?? 'the record is no call that was answered under a grant'
      throw new InputError('NOT_FOUND', `there is no authorisation to show: ${why}`)
    }
    let bundle: JsonProof = proof
    if (consent !== undefined && 'authorization' in consent)
      bundle = authorizedProof(proof, consent.authorization)
    else if (consent !== undefined) response.set(MISSING_HEADER, consent.missing)
    const answer = isOffline
      ? toJsonOffline({ bundle, evidence: await evidence.ofProof(parseProof(bundle)) })
      : bundle
    response.type(isOffline ? OFFLINE_MEDIA_TYPE : PROOF_MEDIA_TYPE).send(JSON.stringify(answer))
  }

/** @throws {InputError} unless the viewer may see these members of the record */
function expectDisclosing(
  access: Access,
  viewer: Viewer,
  { item: { record, disclosures } }: FoundRecord,
  names: readonly string[],
): void {
  for (const name of names) {
    if (sealedKind(record.type, name) === 'private') access.expectPrivate(viewer)
    else access.expectPerson(viewer, indexValues(record, disclosures).get('person'))
  }
}

async function authorizationOf(
  record: FlowRecord,
  authorize: Authorize | undefined,
): Promise<FoundAuthorization | undefined> {
  if (!isUnderGrant(record)) return undefined
  return (await authorize?.(record)) ?? { missing: 'no contract of authorisations is known here' }
}
