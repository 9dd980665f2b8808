import Type, { type TSchema } from 'typebox'
import { HISTORY_MEDIA_TYPE, PROOF_MEDIA_TYPE, SUBMISSION_MEDIA_TYPE } from '../proof/index.ts'
import { hex, oneOf } from '../record/fields.ts'
import {
  Batches,
  FoundRecords,
  HealthState,
  History,
  Ledger,
  ProblemDocument,
  Proof,
  SubmissionAccepted,
  SubmissionBundle,
  SubmissionState,
  Submittable,
  SubmittableBatch,
} from './schemas.ts'

/** What the API promises of one route; the document is made of these, and tests hold the routes to it. */
export interface Operation {
  method: 'get' | 'post'
  path: string
  summary: string
  parameters: readonly Parameter[]
  body?: Content
  responses: Readonly<Record<number, Answer>>
}

export interface Parameter {
  name: string
  in: 'query' | 'header'
  required: boolean
  description: string
  schema: TSchema
}

/** Schema of each media type; `lines` of each line of it. */
export type Content = Readonly<Record<string, { schema: TSchema; lines?: TSchema }>>

export interface Answer {
  description: string
  content: Content
  headers?: Readonly<Record<string, string>>
}

const uint64 = Type.String({ pattern: '^(?:0|[1-9][0-9]{0,19})$' })
const filled = Type.String({ minLength: 1 })
const time = Type.String({
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]{1,3})?Z)?$',
})

const query = (name: string, description: string, schema: TSchema = filled): Parameter => ({
  name,
  in: 'query',
  required: false,
  description,
  schema,
})
const required = (parameter: Parameter): Parameter => ({ ...parameter, required: true })
const header = (name: string, description: string, schema: TSchema): Parameter => ({
  ...query(name, description, schema),
  in: 'header',
})

const json = (description: string, schema: TSchema): Answer => ({
  description,
  content: { 'application/json': { schema } },
})
const textOf = (mediaType: string, description: string): Answer => ({
  description,
  content: { [mediaType]: { schema: Type.String() } },
})
const problem = (description: string, headers: Record<string, string> = {}): Answer => ({
  description,
  content: { 'application/problem+json': { schema: ProblemDocument } },
  headers,
})

const retryAfter = { 'Retry-After': 'seconds after which it is worth trying again' }
const unavailable = {
  503: problem('Not now: too much is waiting, the chain has stalled, or it starts or ends.', retryAfter),
}
const badArgument = { 400: problem('A parameter is missing, wrong or there twice.') }
const notFound = { 404: problem('There is no such thing.') }

const source = query('source', 'the service that the record comes from')
const id = required(query('id', 'of the record'))

export const OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/submissions',
    summary: 'Hands over records of one source; answered when they are synced to disk.',
    parameters: [
      header(
        'Tidemark-Sequence',
        'Which submission of its source it means to be; the same content again gets the same receipt.',
        uint64,
      ),
      header('Tidemark-Root', 'Root of the records, as the source has signed it.', hex(32)),
      header('Tidemark-Signature', "The source's EIP-712 signature over the submission.", hex(65)),
      header('Authorization', 'Bearer token of a source that does not sign.', filled),
      header('Content-Encoding', 'What the body is compressed with.', oneOf('identity', 'gzip', 'zstd')),
    ],
    body: {
      'application/x-ndjson': { schema: Type.String(), lines: Submittable },
      'application/cloudevents+json': { schema: Submittable },
      'application/cloudevents-batch+json': { schema: SubmittableBatch },
    },
    responses: {
      201: {
        ...json('Taken: the signed promise to anchor it.', SubmissionAccepted),
        headers: { Location: 'where to ask how far it has come' },
      },
      400: problem('The body or a header cannot be read.'),
      401: problem('The source has a key or a token, and the request brings none that is known.', {
        'WWW-Authenticate': 'what it should bring',
      }),
      403: problem('The key, or the token, is not the one of this source.'),
      408: problem('The request took too long to arrive.'),
      409: problem('Its sequence holds other content, or is not the next.'),
      413: problem('The body, as it came or expanded, or a record of it is too large.'),
      415: problem('The media type or the content encoding is not taken.', {
        'Accept-Encoding': 'the content encodings that are',
      }),
      422: problem(
        'A record does not fit its type, with the line and the place in it; or the body is not what was signed.',
      ),
      ...unavailable,
    },
  },
  {
    method: 'get',
    path: '/v1/submissions',
    summary: 'How far a submission has come; without a sequence, which one is next.',
    parameters: [required(source), query('sequence', 'of the submission', uint64)],
    responses: {
      200: json('Its receipt and state, or the next sequence.', SubmissionState),
      ...badArgument,
      ...notFound,
      ...unavailable,
    },
  },
  {
    method: 'get',
    path: '/v1/submissions/proof',
    summary: 'The bundle that convinces a stranger that a whole submission is in the ledger.',
    parameters: [required(source), required(query('sequence', 'of the submission', uint64))],
    responses: {
      200: { description: 'The proof.', content: { [SUBMISSION_MEDIA_TYPE]: { schema: SubmissionBundle } } },
      ...badArgument,
      ...notFound,
      409: problem('The submission is not final on the chain yet.', retryAfter),
      ...unavailable,
    },
  },
  {
    method: 'get',
    path: '/v1/records',
    summary: 'A record as it is kept, its private members sealed, and where it is.',
    parameters: [required(source), id],
    responses: {
      200: json('Where it was found.', FoundRecords),
      ...badArgument,
      ...notFound,
      ...unavailable,
    },
  },
  {
    method: 'get',
    path: '/v1/proofs',
    summary: 'The bundle that convinces a stranger that a record is in the ledger.',
    parameters: [source, id, query('disclose', 'sealed members to open, with commas between them')],
    responses: {
      200: { description: 'The proof.', content: { [PROOF_MEDIA_TYPE]: { schema: Proof } } },
      ...badArgument,
      ...notFound,
      409: problem('The record is not final on the chain yet.', retryAfter),
      ...unavailable,
    },
  },
  {
    method: 'get',
    path: '/v1/histories',
    summary: 'All records under one key, with the proof that there are no others.',
    parameters: [
      query('person', 'tag of the person; exactly one of this and the next six is needed'),
      query('authorization', 'id of the grant'),
      query('request', 'id of the request'),
      query('resource', 'catalogue id of the data resource'),
      query('consumer', 'who asked'),
      query('provider', 'who was asked'),
      query('record', 'id of the record, with its source'),
      source,
      query('from', 'earliest time of a record: a date, or a time of RFC 3339', time),
      query('to', 'the time that they are before', time),
      query('first', 'first ledger entry, 0 when left out', uint64),
      query('end', 'one more than the last; as far as all is verified and final when left out', uint64),
      query('disclose', 'sealed members to open, with commas between them'),
    ],
    responses: {
      200: { description: 'The history.', content: { [HISTORY_MEDIA_TYPE]: { schema: History } } },
      ...badArgument,
      409: problem('No such entry is verified and final yet, or some are fraud or withheld.', retryAfter),
      ...unavailable,
    },
  },
  {
    method: 'get',
    path: '/v1/batches',
    summary: "The ledger's entries, newest first.",
    parameters: [
      query('before', 'continues a list: `next` of its last page', uint64),
      query('limit', 'entries of a page', Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
    ],
    responses: { 200: json('A page of them.', Batches), ...badArgument, ...unavailable },
  },
  {
    method: 'get',
    path: '/v1/ledger',
    summary: "The ledger's address and head, and whose gateway this is.",
    parameters: [],
    responses: { 200: json('The ledger.', Ledger), ...unavailable },
  },
  {
    method: 'get',
    path: '/healthz',
    summary: 'Whether all is well, and what is not.',
    parameters: [],
    responses: {
      200: json('All is well.', HealthState),
      503: {
        ...json('Something is not; or the server is starting.', HealthState),
        content: {
          'application/json': { schema: HealthState },
          'application/problem+json': { schema: ProblemDocument },
        },
      },
    },
  },
  {
    method: 'get',
    path: '/metrics',
    summary: 'Metrics for Prometheus.',
    parameters: [],
    responses: { 200: textOf('text/plain', "Prometheus' text format."), ...unavailable },
  },
  {
    method: 'get',
    path: '/openapi.json',
    summary: 'This document.',
    parameters: [],
    responses: { 200: json('OpenAPI 3.1.', Type.Object({})), ...unavailable },
  },
  {
    method: 'get',
    path: '/docs',
    summary: 'This document as a page for people.',
    parameters: [],
    responses: { 200: textOf('text/html', 'The page.'), ...unavailable },
  },
  {
    method: 'get',
    path: '/docs.css',
    summary: 'The style of that page.',
    parameters: [],
    responses: { 200: textOf('text/css', 'The style.'), ...unavailable },
  },
]
