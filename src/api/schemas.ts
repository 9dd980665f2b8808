import Type, { type TSchema } from 'typebox'
import { INDEX_NAMES } from '../lookup/index.ts'
import { count, decimal, hex, oneOf, optional, text, time } from '../record/fields.ts'
import { RECORD_TYPES, type RecordTypeName } from '../record/index.ts'
import { openSchema, sealedSchema } from '../record/schema.ts'
import { FACETS } from '../store/stats.ts'

/** The JSON that goes over the wire, as JSON Schema; the names are those of the OpenAPI document. */

const strict = { additionalProperties: false } as const

/** A name of one of the schemas below, for a document's components. */
const named: Record<string, TSchema> = {}

function name<T extends TSchema>(as: string, schema: T): T {
  named[as] = schema
  return schema
}

export const SCHEMAS: Readonly<Record<string, TSchema>> = named

const types = Object.keys(RECORD_TYPES) as RecordTypeName[]
const address = hex(20)
const hash = hex(32)

/** `tidemark.call.v1` is `call.v1` in names of components. */
const short = (type: RecordTypeName) => type.replace(/^tidemark\./, '')

const OpenRecord = name(
  'Record.open',
  Type.Union(types.map((type) => name(`${short(type)}.open`, openSchema(type)))),
)
const SealedRecord = name(
  'Record.sealed',
  Type.Union(types.map((type) => name(`${short(type)}.sealed`, sealedSchema(type)))),
)
const SealedItem = name(
  'SealedItem',
  Type.Object({ record: SealedRecord, disclosures: Type.Array(Type.String()) }, strict),
)

/** What a submission consists of. */
export const Submittable = name('Submittable', Type.Union([OpenRecord, SealedRecord, SealedItem]))
export const SubmittableBatch = Type.Array(Submittable, { minItems: 1 })

const Receipt = name(
  'Receipt',
  Type.Object(
    {
      format: oneOf('tidemark-receipt/1'),
      source: text(256),
      sequence: decimal,
      root: hash,
      size: decimal,
      receivedAt: decimal,
      anchorBy: decimal,
      chainId: decimal,
      ledger: address,
      publisher: address,
      signature: hex(65),
    },
    strict,
  ),
)

const Place = name(
  'Place',
  Type.Object(
    { ledgerIndex: decimal, blockNumber: decimal, blockHash: hash, transactionHash: hash, logIndex: count },
    strict,
  ),
)

const Header = name(
  'Header',
  Type.Object(
    {
      publisher: address,
      sequence: decimal,
      recordsRoot: hash,
      recordCount: count,
      indexRoot: hash,
      indexSize: count,
      firstTime: decimal,
      lastTime: decimal,
    },
    strict,
  ),
)

/** Who vouches for a submission: its source's signature, a token, or nobody. */
const Voucher = Type.Union([
  Type.Object({ by: oneOf('signed'), signer: address }, strict),
  Type.Object({ by: oneOf('token', 'open') }, strict),
])

export const SubmissionAccepted = name('SubmissionAccepted', Type.Object({ receipt: Receipt }, strict))

export const SubmissionState = name(
  'SubmissionState',
  Type.Union([
    Type.Object({ source: Type.String(), nextSequence: decimal }, strict),
    Type.Object(
      {
        receipt: Receipt,
        state: oneOf('accepted', 'sealed', 'anchored', 'final', 'fraud', 'withheld'),
        vouched: Voucher,
        batch: optional(Type.Object({ publisher: address, sequence: decimal, first: count }, strict)),
        anchor: optional(Place),
      },
      strict,
    ),
  ]),
)

/** A block number, or -1 before the first was seen. */
const block = Type.String({ pattern: '^(?:-1|0|[1-9][0-9]*)$' })

/** The ledger as an answer knew it; batches that are not verified were left out. */
const LedgerState = name(
  'LedgerState',
  Type.Object({ size: decimal, headBlock: block, notVerified: count }, strict),
)

export const FoundRecords = name(
  'FoundRecords',
  Type.Object(
    {
      records: Type.Array(
        Type.Object(
          {
            record: SealedRecord,
            disclosures: optional(Type.Array(Type.String())),
            batch: Type.Object({ publisher: address, sequence: decimal, position: count }, strict),
            anchor: Place,
            final: Type.Boolean(),
          },
          strict,
        ),
      ),
      ledger: LedgerState,
      searched: count,
      cursor: optional(Type.String()),
    },
    strict,
  ),
)

/** Exact up to 2^53. */
const sum = Type.Number({ minimum: 0 })

export const Stats = name(
  'Stats',
  Type.Object(
    {
      by: oneOf(...FACETS),
      step: oneOf('hour', 'day'),
      points: Type.Array(
        Type.Object(
          {
            key: Type.String(),
            start: time,
            calls: count,
            refused: count,
            failed: count,
            rows: sum,
            requestBytes: sum,
            responseBytes: sum,
          },
          strict,
        ),
      ),
      resources: Type.Object({ shared: count, used: count }, strict),
      grants: Type.Object(
        { given: count, called: count, medianMs: Type.Union([Type.Number(), Type.Null()]) },
        strict,
      ),
      ledger: LedgerState,
    },
    strict,
  ),
)

const path = Type.Array(hash, { maxItems: 64 })

const anchor = Type.Object(
  {
    chainId: decimal,
    ledger: address,
    blockNumber: decimal,
    blockHash: hash,
    transactionHash: hash,
    logIndex: count,
  },
  strict,
)

/** A batch's header in the ledger's log, and the event that anchors it. */
const anchored = {
  batch: Header,
  log: Type.Object({ index: decimal, size: decimal, path }, strict),
  anchor,
}

export const SubmissionBundle = name(
  'SubmissionProof',
  Type.Object(
    {
      format: oneOf('tidemark-submission/1'),
      leaves: Type.Array(hash, { minItems: 1 }),
      range: Type.Object({ first: count, path: Type.Array(hash, { maxItems: 128 }) }, strict),
      ...anchored,
    },
    strict,
  ),
)

const proof = {
  record: SealedRecord,
  disclosures: Type.Array(Type.String()),
  inclusion: Type.Object({ index: count, path }, strict),
  ...anchored,
}

const place = Type.Object(
  { blockNumber: decimal, blockHash: hash, transactionHash: hash, logIndex: count },
  strict,
)

const authorization = Type.Object(
  {
    contract: address,
    grant: Type.Object(
      {
        subject: address,
        consumer: hash,
        resource: hash,
        purpose: hash,
        notBefore: decimal,
        notAfter: decimal,
        maxCalls: count,
        nonce: decimal,
      },
      strict,
    ),
    signature: optional(Type.String({ pattern: '^0x(?:[0-9a-f]{2})+$' })),
    given: optional(place),
    resource: Type.Object(
      {
        registry: address,
        version: count,
        owner: hash,
        sharing: oneOf('unconditional', 'conditional', 'prohibited'),
        level: count,
        digest: hash,
        set: place,
        next: optional(place),
      },
      strict,
    ),
    revocation: Type.Object({ revokedAt: decimal, blockNumber: decimal, blockHash: hash }, strict),
  },
  strict,
)

export const Proof = name(
  'Proof',
  Type.Union([
    Type.Object({ format: oneOf('tidemark-proof/1'), ...proof }, strict),
    Type.Object({ format: oneOf('tidemark-proof/2'), ...proof, authorization }, strict),
  ]),
)

const base64url = Type.String({ pattern: '^[A-Za-z0-9_-]*$' })

const question = {
  key: Type.Object({ name: oneOf(...INDEX_NAMES), value: Type.String() }, strict),
  period: Type.Object({ from: decimal, to: decimal }, strict),
}
const lookup = Type.Object(
  { index: count, bucket: base64url, path: base64url, positions: optional(base64url) },
  strict,
)
const historyBatch = Type.Object(
  {
    header: base64url,
    lookup: optional(lookup),
    found: optional(Type.Object({ items: Type.Array(SealedItem), path: base64url }, strict)),
  },
  strict,
)

export const History = name(
  'History',
  Type.Object(
    {
      format: oneOf('tidemark-history/1'),
      ...question,
      range: Type.Object({ from: decimal, to: decimal, size: decimal, path: base64url }, strict),
      anchor,
      batches: Type.Array(historyBatch, { minItems: 1 }),
    },
    strict,
  ),
)

export const RunHistory = name(
  'RunHistory',
  Type.Object(
    {
      format: oneOf('tidemark-history/2'),
      ...question,
      range: Type.Object({ from: decimal, to: decimal, size: decimal }, strict),
      anchor,
      parts: Type.Array(
        Type.Union([
          historyBatch,
          Type.Object(
            {
              run: Type.Object(
                { record: SealedRecord, index: count, path: base64url, header: base64url, entry: decimal },
                strict,
              ),
              lookup,
              batches: Type.Array(historyBatch),
            },
            strict,
          ),
        ]),
        { minItems: 1 },
      ),
      path: base64url,
    },
    strict,
  ),
)

export const Batches = name(
  'Batches',
  Type.Object(
    {
      batches: Type.Array(
        Type.Object(
          {
            batch: Header,
            anchor: Place,
            state: oneOf('announced', 'verified', 'fraud', 'withheld'),
            reason: optional(Type.String()),
            final: Type.Boolean(),
          },
          strict,
        ),
      ),
      next: optional(decimal),
    },
    strict,
  ),
)

const Alert = name(
  'Alert',
  Type.Object(
    {
      format: oneOf('tidemark-alert/1'),
      kind: oneOf(
        'fraud',
        'withheld',
        'bad-record',
        'duplicate-id',
        'sequence-gap',
        'sequence-repeat',
        'foreign-signature',
        'false-run',
      ),
      batch: Header,
      anchor: Type.Object(
        {
          chainId: decimal,
          ledger: address,
          ledgerIndex: decimal,
          blockNumber: decimal,
          blockHash: hash,
          transactionHash: hash,
          logIndex: count,
        },
        strict,
      ),
      expected: Type.String(),
      found: Type.String(),
      files: Type.Array(
        Type.Object({ name: Type.String(), sha256: hash, size: decimal, from: Type.String() }, strict),
      ),
      submission: optional(Type.Object({ source: Type.String(), sequence: decimal }, strict)),
      positions: optional(Type.Array(count)),
    },
    strict,
  ),
)

export const AlertsPage = name(
  'Alerts',
  Type.Object(
    {
      alerts: Type.Array(
        Type.Object({ id: decimal, raisedAt: decimal, closedAt: optional(decimal), alert: Alert }, strict),
      ),
      next: optional(decimal),
    },
    strict,
  ),
)

export const Ledger = name(
  'Ledger',
  Type.Object(
    {
      chainId: decimal,
      ledger: address,
      publisher: optional(address),
      deploymentBlock: decimal,
      size: decimal,
      root: hash,
      peaks: path,
      headBlock: block,
      finalBlock: block,
      lagging: Type.Boolean(),
    },
    strict,
  ),
)

export const HealthState = name(
  'Health',
  Type.Object(
    {
      status: oneOf('ok', 'degraded'),
      problems: Type.Array(Type.String()),
      recordsWaiting: optional(count),
      batchesSealed: optional(decimal),
      batchesAnchored: optional(decimal),
      batchesVerified: count,
      batchesNotAnchored: optional(count),
      oldestNotAnchoredSeconds: optional(count),
      runs: Type.Object(
        { claimed: count, true: count, kept: count, false: count, skipped: optional(count) },
        strict,
      ),
      openAlerts: count,
      headBlock: block,
      scannedBlock: block,
      finalBlock: block,
    },
    strict,
  ),
)

/** RFC 9457, with a code to match on and the place in the body where there is one. */
export const ProblemDocument = name(
  'Problem',
  Type.Object(
    {
      type: Type.String({ pattern: '^urn:tidemark:problem:[a-z0-9-]+$' }),
      title: text(256),
      status: Type.Integer({ minimum: 400, maximum: 599 }),
      code: Type.String({ pattern: '^[A-Z][A-Z0-9_]*$' }),
      detail: Type.String(),
      instance: optional(Type.String()),
      line: optional(Type.Integer({ minimum: 1 })),
      pointer: optional(Type.String()),
    },
    strict,
  ),
)
