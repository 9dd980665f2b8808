import Type, { type TSchema } from 'typebox'
import { PUBLIC_FILES } from '../indexer/file-limits.ts'
import {
  HISTORY_MEDIA_TYPE,
  OFFLINE_MEDIA_TYPE,
  PROOF_MEDIA_TYPE,
  SUBMISSION_MEDIA_TYPE,
} from '../proof/index.ts'
import { digest, hex, oneOf } from '../record/fields.ts'
import { SEVERITIES } from '../store/alerts.ts'
import { FACETS } from '../store/stats.ts'
import {
  AlertHandling,
  AlertsPage,
  BatchEntry,
  Batches,
  Breaker,
  DecisionAnswers,
  DecisionQuestions,
  FoundRecords,
  GrantStanding,
  HandledAlert,
  HealthState,
  History,
  Ledger,
  Me,
  MonthlyReport,
  OverviewEvent,
  offline,
  ProblemDocument,
  Proof,
  Responsibility,
  RunHistory,
  Stats,
  SubmissionAccepted,
  SubmissionBundle,
  SubmissionState,
  Submittable,
  SubmittableBatch,
  Transactions,
} from './schemas.ts'

/** What the API promises of one route; the document is made of these, and tests hold the routes to it. */
export interface Operation {
  method: 'get' | 'post'
  path: string
  /** absent where nothing is submitted, as at an indexer */
  ofGateway?: true
  /** absent where no rules are at work */
  ofRules?: true
  summary: string
  parameters: readonly Parameter[]
  body?: Content
  responses: Readonly<Record<number, Answer>>
}

export interface Parameter {
  name: string
  in: 'query' | 'header' | 'path'
  required: boolean
  description: string
  schema: TSchema
}

/** Schema of each media type; `lines` of each line of it, `events` of the data of each event by its name. */
export type Content = Readonly<
  Record<string, { schema: TSchema; lines?: TSchema; events?: Readonly<Record<string, TSchema>> }>
>

export interface Answer {
  description: string
  content: Content
  headers?: Readonly<Record<string, string>>
}

const uint64 = Type.String({ pattern: '^(?:0|[1-9][0-9]{0,19})$' })
const filled = Type.String({ minLength: 1 })
const dateOrTime = Type.String({
  pattern:
    '^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]{1,3})?(?:Z|[+-][0-9]{2}:[0-9]{2}))?$',
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

const inPath = (name: string, description: string, schema: TSchema): Parameter => ({
  ...query(name, description, schema),
  in: 'path',
  required: true,
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

const range = (of: string): Parameter[] => [
  query('from', `${of}: not before this, a date or a time of RFC 3339`, dateOrTime),
  query('to', `${of}: before this`, dateOrTime),
]

const retryAfter = { 'Retry-After': 'seconds after which it is worth trying again' }
const unavailable = {
  503: problem('Not now: too much is waiting, the chain has stalled, or it starts or ends.', retryAfter),
}
const badArgument = { 400: problem('A parameter is missing, wrong or there twice.') }
const badToken = {
  401: problem('What is asked for takes a token, or the one that is sent is not known.', {
    'WWW-Authenticate': 'what it should bring',
  }),
}
/** Of what is not for everybody. */
const refused = { ...badToken, 403: problem('The token is not good for what is asked for.') }
const notFound = { 404: problem('There is no such thing.') }

const batchFile = (description: string): Answer => ({
  description,
  content: {
    'application/json': { schema: Type.Unknown() },
    'application/octet-stream': { schema: Type.String() },
    'application/zstd': { schema: Type.String() },
  },
})

const viewer = header(
  'Authorization',
  "Bearer token of an auditor, or of a person for what is under that person's tag.",
  filled,
)
const source = query('source', 'the service that the record comes from')
const id = required(query('id', 'of the record'))
const evidence = query(
  'evidence',
  'whether what shows it without a node comes with it; no if left out',
  oneOf('true', 'false'),
)

/** A bundle, alone or with its evidence. */
const bundleOf = (mediaType: string, schema: TSchema): Content => ({
  [mediaType]: { schema },
  [OFFLINE_MEDIA_TYPE]: { schema: offline(schema) },
})

export const OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/submissions',
    ofGateway: true,
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
    ofGateway: true,
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
    ofGateway: true,
    summary: 'The bundle that convinces a stranger that a whole submission is in the ledger.',
    parameters: [required(source), required(query('sequence', 'of the submission', uint64)), evidence],
    responses: {
      200: { description: 'The proof.', content: bundleOf(SUBMISSION_MEDIA_TYPE, SubmissionBundle) },
      ...badArgument,
      404: problem('There is no such thing, or no evidence of it.'),
      409: problem('The submission is not final on the chain yet, or its evidence not captured.', retryAfter),
      ...unavailable,
    },
  },
  {
    method: 'get',
    path: '/v1/records',
    summary: 'The records under a key as they are kept, their sealed members closed, and where they are.',
    parameters: [
      source,
      query('id', 'of one record; comes with source'),
      query('person', 'tag of the person whose data a record is about', digest),
      query('authorization', 'id of a grant: given, cited or revoked', hex(32)),
      query('request', 'requestId of a call, the same on both sides'),
      query('resource', 'catalogue id of the data resource'),
      query('consumer', 'who was to get the data'),
      query('provider', 'who has it'),
      ...range('on the time of the record'),
      query('limit', 'records of a page', Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
      query('cursor', 'of the page before'),
      query('disclose', 'sealed pseudonyms to open, with commas between them'),
      viewer,
    ],
    responses: {
      ...refused,
      200: json(
        'Newest first, by place in the ledger. Of a record by its name, also the submission that brought it. With several keys, the records under all of them. While there is a cursor there may be more, even after a page without a record.',
        FoundRecords,
      ),
      ...badArgument,
      ...notFound,
      ...unavailable,
    },
  },
  {
    method: 'get',
    path: '/v1/proofs',
    summary: 'The bundle that convinces a stranger that a record is in the ledger.',
    parameters: [
      source,
      id,
      query('disclose', 'sealed members to open, with commas between them'),
      query(
        'authorization',
        'whether it shows what authorised a call that cites a grant; if it can be had, when left out',
        oneOf('true', 'false'),
      ),
      evidence,
      viewer,
    ],
    responses: {
      ...refused,
      200: {
        description: 'The proof.',
        headers: {
          'Tidemark-Authorization-Missing': 'Why it shows a call under a grant, and not what authorised it.',
        },
        content: bundleOf(PROOF_MEDIA_TYPE, Proof),
      },
      ...badArgument,
      404: problem('There is no such thing, or no evidence of it.'),
      409: problem('The record is not final on the chain yet, or its evidence not captured.', retryAfter),
      ...unavailable,
    },
  },
  {
    method: 'get',
    path: '/v1/responsibility',
    summary:
      'Who answers for a call or a refusal: its sides and what they recorded, the grant, who brought it, broken rules.',
    parameters: [required(source), id],
    responses: {
      200: json('All that the verified batches tell of it.', Responsibility),
      ...badArgument,
      ...notFound,
      ...unavailable,
    },
  },
  {
    method: 'get',
    path: '/v1/stats',
    summary: 'The calls over time, as the providers tell them (by consumer, as the consumers do).',
    parameters: [
      required(query('by', 'what the calls are counted by', oneOf(...FACETS))),
      query('key', 'only this resource, consumer, and so on'),
      ...range('on the start of an hour, and on the time of a grant'),
      query(
        'step',
        'how long a point is: an hour, if left out, a day, or all that is asked for',
        oneOf('hour', 'day', 'whole'),
      ),
      query(
        'utcOffset',
        'minutes of the local time whose days they are from UTC, whole hours; 0 if left out',
        Type.Integer({ minimum: -840, maximum: 840, default: 0 }),
      ),
    ],
    responses: {
      200: json(
        'Points by time and key; none where there was no call. A pair is the consumer and the provider, as a JSON list. `latest` is the last hour with a call before `to`.',
        Stats,
      ),
      ...badArgument,
      ...unavailable,
    },
  },
  {
    method: 'get',
    path: '/v1/kpis',
    summary: 'What each department did in a month, over all that is final: docs/format.md, section 19.',
    parameters: [
      required(query('month', 'such as 2026-05', Type.String({ pattern: '^[0-9]{4}-(?:0[1-9]|1[0-2])$' }))),
      query(
        'utcOffset',
        'minutes of the local time from UTC; 480 if left out',
        Type.Integer({ minimum: -840, maximum: 840, default: 480 }),
      ),
    ],
    responses: {
      200: json('The report: the same numbers whoever computes them.', MonthlyReport),
      ...badArgument,
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
      ...range('on the time of the record'),
      query('first', 'first ledger entry, 0 when left out', uint64),
      query('end', 'one more than the last; as far as all is verified and final when left out', uint64),
      query('disclose', 'sealed pseudonyms to open, with commas between them'),
      query(
        'runs',
        'whether the runs that were found to be true may speak for their batches; no if left out',
        oneOf('true', 'false'),
      ),
      evidence,
      viewer,
    ],
    responses: {
      ...refused,
      200: {
        description: 'The history.',
        content: bundleOf(HISTORY_MEDIA_TYPE, Type.Union([History, RunHistory])),
      },
      ...badArgument,
      404: problem('There is no evidence of it.'),
      409: problem(
        'No such entry is verified and final yet, or some are fraud or withheld, or the evidence is not captured.',
        retryAfter,
      ),
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
    path: '/v1/batches/{publisher}/{sequence}',
    summary: 'One of them, and the submissions in it once it is verified: the first 500, in their order.',
    parameters: [inPath('publisher', 'its address', hex(20)), inPath('sequence', 'of the batch', uint64)],
    responses: { 200: json('The entry.', BatchEntry), ...notFound, ...unavailable },
  },
  {
    method: 'get',
    path: '/v1/transactions',
    ofGateway: true,
    summary: 'What the publisher sent to the chain, and what it cost, newest first.',
    parameters: [
      query('before', 'continues a list: `next` of its last page', uint64),
      query(
        'limit',
        'nonces of a page, each with all that were sent under it',
        Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
      ),
    ],
    responses: { 200: json('A page of them.', Transactions), ...badArgument, ...unavailable },
  },
  {
    method: 'get',
    path: '/v1/batches/{publisher}/{sequence}/{file}',
    ofGateway: true,
    summary: 'A file of a batch as docs/format.md, section 10, has it; it never changes.',
    parameters: [
      inPath('publisher', 'its address', hex(20)),
      inPath('sequence', 'of the batch', uint64),
      inPath('file', 'which of them', oneOf(...PUBLIC_FILES)),
      header('Authorization', "A reader's or an auditor's bearer token, where one is wanted.", filled),
      header('Range', 'Which bytes of it.', filled),
      header('If-None-Match', 'The ETag that is known already.', filled),
    ],
    responses: {
      200: { ...batchFile('The file.'), headers: { ETag: 'names its content' } },
      206: batchFile('The bytes that were asked for.'),
      304: { description: 'It is what is known already.', content: {} },
      ...notFound,
      ...badToken,
      403: problem('The token is not good for it, or no batch files are given out here.'),
      412: problem('The file is another than If-Match names.'),
      416: problem('It has no such range.'),
      ...unavailable,
    },
  },
  {
    method: 'post',
    path: '/v1/decisions',
    summary:
      'Whether a source may use a resource for a purpose, under a grant or without one; with `use` the call is counted.',
    parameters: [
      header('Authorization', 'Bearer token of the consumer, for `use` where it has one.', filled),
      header('Content-Encoding', 'What the body is compressed with.', oneOf('identity', 'gzip', 'zstd')),
    ],
    body: { 'application/json': { schema: DecisionQuestions } },
    responses: {
      200: json('The decision and the block that it speaks for; of a list, one for each.', DecisionAnswers),
      400: problem('The body cannot be read, or is not a question.'),
      401: problem('The consumer has a key or a token, and the request brings none that is known.', {
        'WWW-Authenticate': 'what it should bring',
      }),
      403: problem('The token is not one of the consumer, or the consumer is not registered here.'),
      404: problem('Nobody decides on calls here.'),
      408: problem('The request took too long to arrive.'),
      413: problem('The body, as it came or expanded, is too large.'),
      415: problem('The content encoding is not taken.', {
        'Accept-Encoding': 'the content encodings that are',
      }),
      ...unavailable,
    },
  },
  {
    method: 'get',
    path: '/v1/grants/{id}',
    summary: 'What the chain says of a grant, and how many calls are counted against it.',
    parameters: [inPath('id', 'of the grant', hex(32))],
    responses: {
      200: json(
        'Its state; of a grant that was never put on the chain, whether it was revoked.',
        GrantStanding,
      ),
      ...badArgument,
      404: problem('No grants are followed here.'),
      ...unavailable,
    },
  },
  {
    method: 'get',
    path: '/v1/alerts',
    summary: 'What is or was wrong with batches and in them, and what rules found, newest first.',
    parameters: [
      query('open', 'only those that are not closed, or only the others', oneOf('true', 'false')),
      query('severity', 'of what a rule found', oneOf(...SEVERITIES)),
      query('rule', 'which found it, or the kind of what no rule found'),
      query('department', 'who is named in it, or wrote the records'),
      query('before', 'continues a list: `next` of its last page', uint64),
      query('limit', 'alerts of a page', Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
    ],
    responses: {
      200: json(
        'A page of them. While there is `next` there may be more, even after an empty page.',
        AlertsPage,
      ),
      ...badArgument,
      ...unavailable,
    },
  },
  {
    method: 'get',
    path: '/v1/breaker',
    summary: 'What guardians stopped, newest first, and what was taken up again.',
    parameters: [query('limit', 'how many', Type.Integer({ minimum: 1, maximum: 500, default: 50 }))],
    responses: {
      200: json('As of the block up to which the registry was read.', Breaker),
      ...badArgument,
      ...unavailable,
    },
  },
  {
    method: 'post',
    path: '/v1/alerts/{id}',
    ofRules: true,
    summary: 'Says that what a rule found has been reported, or is closed; the same again changes nothing.',
    parameters: [
      inPath('id', 'of the alert', uint64),
      header('Authorization', 'Bearer token of whoever handles alerts.', filled),
    ],
    body: { 'application/json': { schema: AlertHandling } },
    responses: {
      200: json('The alert as it is now.', HandledAlert),
      400: problem('The body or the id cannot be read.'),
      ...refused,
      ...notFound,
      409: problem('The alert is closed.'),
      413: problem('The body is too large.'),
      ...unavailable,
    },
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
    path: '/v1/me',
    summary: 'What the token of the request is good for; without one, public.',
    parameters: [header('Authorization', 'The bearer token.', filled)],
    responses: { 200: json('Its role.', Me), ...badToken, ...unavailable },
  },
  {
    method: 'get',
    path: '/v1/events',
    summary:
      'What goes on, as server-sent events: `overview`, the whole of it at once and when it has changed; `heartbeat` in between.',
    parameters: [],
    responses: {
      200: {
        description: 'A stream that ends when the reader, or the server, ends it.',
        content: { 'text/event-stream': { schema: Type.String(), events: { overview: OverviewEvent } } },
      },
      ...unavailable,
    },
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
