import Type, { type TSchema } from 'typebox'
import { INDEX_NAMES } from '../lookup/index.ts'
import {
  count,
  decimal,
  digest,
  hex,
  name as nameText,
  oneOf,
  optional,
  sourceName,
  text,
  time,
} from '../record/fields.ts'
import { BREAKER_KINDS, REASONS, RECORD_TYPES, type RecordTypeName } from '../record/index.ts'
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
            submission: optional(
              Type.Object({ sequence: decimal, receivedAt: decimal, signed: Type.Boolean() }, strict),
            ),
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
/** As long as it has to be. */
const exactSum = Type.String({ pattern: '^(?:0|[1-9][0-9]*)$' })
/** milliseconds, or null where there is nothing to measure */
const someMs = Type.Union([Type.Number({ minimum: 0 }), Type.Null()])

export const Stats = name(
  'Stats',
  Type.Object(
    {
      by: oneOf(...FACETS),
      step: oneOf('hour', 'day', 'whole'),
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
      latest: Type.Union([time, Type.Null()]),
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

const someHex = Type.String({ pattern: '^0x(?:[0-9a-f]{2})+$' })
const trieProof = Type.Array(someHex)

/** What shows to whoever trusts the hashes of these blocks what a bundle says of the chain. */
const Evidence = name(
  'Evidence',
  Type.Object(
    {
      blocks: Type.Array(
        Type.Object(
          {
            header: someHex,
            transactions: Type.Array(
              Type.Object(
                { index: count, transactionProof: trieProof, receiptProof: trieProof, firstLogIndex: count },
                strict,
              ),
            ),
            accounts: Type.Array(
              Type.Object(
                {
                  address,
                  accountProof: trieProof,
                  storage: Type.Array(Type.Object({ slot: hash, proof: trieProof }, strict)),
                },
                strict,
              ),
            ),
          },
          strict,
        ),
        { minItems: 1 },
      ),
      consistency: optional(Type.Array(hash)),
    },
    strict,
  ),
)

/** A bundle with its evidence. */
export const offline = <T extends TSchema>(bundle: T) =>
  Type.Object({ format: oneOf('tidemark-offline/1'), bundle, evidence: Evidence }, strict)

const entry = {
  batch: Header,
  anchor: Place,
  state: oneOf('announced', 'verified', 'fraud', 'withheld'),
  reason: optional(Type.String()),
  final: Type.Boolean(),
}

export const Batches = name(
  'Batches',
  Type.Object({ batches: Type.Array(Type.Object(entry, strict)), next: optional(decimal) }, strict),
)

export const BatchEntry = name(
  'BatchEntry',
  Type.Object(
    {
      ...entry,
      submissionCount: count,
      submissions: Type.Array(
        Type.Object(
          { source: Type.String(), sequence: decimal, first: count, count, signer: optional(address) },
          strict,
        ),
      ),
    },
    strict,
  ),
)

export const Transactions = name(
  'Transactions',
  Type.Object(
    {
      transactions: Type.Array(
        Type.Object(
          {
            hash,
            nonce: decimal,
            state: oneOf('waiting', 'succeeded', 'reverted', 'replaced', 'settled'),
            createdAt: decimal,
            firstSequence: decimal,
            batches: count,
            maxFeePerGas: exactSum,
            maxPriorityFeePerGas: exactSum,
            blockNumber: optional(decimal),
            gasUsed: optional(decimal),
            gasPrice: optional(exactSum),
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

const recordRef = Type.Object(
  {
    source: Type.String(),
    id: Type.String(),
    batch: optional(Type.Object({ publisher: address, sequence: decimal, position: count }, strict)),
  },
  strict,
)

const RuleAlert = name(
  'RuleAlert',
  Type.Object(
    {
      format: oneOf('tidemark-alert/2'),
      kind: oneOf('rule'),
      chainId: decimal,
      ledger: address,
      rule: Type.String(),
      severity: oneOf('high', 'medium', 'low'),
      affected: count,
      records: Type.Array(recordRef, { minItems: 1 }),
      evidence: Type.Array(recordRef),
      values: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()])),
    },
    strict,
  ),
)

const times = { raisedAt: decimal, closedAt: optional(decimal) }

export const HandledAlert = name(
  'HandledAlert',
  Type.Object(
    {
      id: decimal,
      ...times,
      deadline: decimal,
      reportedAt: optional(decimal),
      state: oneOf('open', 'reported', 'closed'),
      alert: RuleAlert,
    },
    strict,
  ),
)

const act = { by: address, reason: Type.String(), at: time, block: decimal }

export const Breaker = name(
  'Breaker',
  Type.Object(
    {
      trips: Type.Array(
        Type.Object(
          {
            kind: oneOf(...BREAKER_KINDS),
            id: hash,
            name: optional(Type.String()),
            ...act,
            reset: optional(Type.Object(act, strict)),
          },
          strict,
        ),
      ),
      block: Type.Union([decimal, Type.Null()]),
    },
    strict,
  ),
)

export const AlertHandling = name(
  'AlertHandling',
  Type.Object({ state: oneOf('reported', 'closed'), note: optional(text(4096)) }, strict),
)

export const AlertsPage = name(
  'Alerts',
  Type.Object(
    {
      alerts: Type.Array(
        Type.Union([Type.Object({ id: decimal, ...times, alert: Alert }, strict), HandledAlert]),
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
      authorizations: optional(address),
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

export const GrantStanding = name(
  'GrantStanding',
  Type.Object(
    {
      authorization: hash,
      given: Type.Boolean(),
      revokedAt: Type.Union([decimal, Type.Null()]),
      paused: Type.Boolean(),
      calls: decimal,
      block: Type.Object({ number: decimal, hash, time: decimal }, strict),
    },
    strict,
  ),
)

const DecisionQuestion = name(
  'DecisionQuestion',
  Type.Object(
    {
      consumer: sourceName,
      resource: nameText,
      purpose: nameText,
      authorization: optional(hash),
      use: optional(Type.Boolean()),
    },
    strict,
  ),
)
export const DecisionQuestions = name(
  'DecisionQuestions',
  Type.Union([
    DecisionQuestion,
    Type.Object({ decisions: Type.Array(DecisionQuestion, { minItems: 1, maxItems: 1_000 }) }, strict),
  ]),
)

const Decision = name(
  'Decision',
  Type.Object(
    {
      allowed: Type.Boolean(),
      reason: oneOf(...REASONS),
      time: decimal,
      block: Type.Object({ number: decimal, hash, time: decimal }, strict),
      authorization: optional(hash),
      remaining: optional(count),
    },
    strict,
  ),
)
export const DecisionAnswers = name(
  'DecisionAnswers',
  Type.Union([Decision, Type.Object({ decisions: Type.Array(Decision) }, strict)]),
)

export const Me = name(
  'Me',
  Type.Union([
    Type.Object({ role: oneOf('public', 'reader', 'handler', 'auditor') }, strict),
    Type.Object({ role: oneOf('source'), source: sourceName }, strict),
    Type.Object({ role: oneOf('subject'), person: digest }, strict),
  ]),
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
      alertsToReport: optional(count),
      alertsOverdue: optional(count),
      nearestDeadlineSeconds: optional(Type.Integer()),
      headBlock: block,
      scannedBlock: block,
      finalBlock: block,
      rightsBlock: optional(decimal),
    },
    strict,
  ),
)

export const OverviewEvent = name(
  'Overview',
  Type.Object(
    {
      gateway: optional(
        Type.Object(
          {
            accepted: Type.Object({ submissions: count, records: count, bytes: count }, strict),
            waiting: Type.Object({ records: count, bytes: count }, strict),
            sealed: count,
            anchored: count,
            notAnchored: Type.Object({ batches: count, oldestSeconds: count }, strict),
          },
          strict,
        ),
      ),
      rate: Type.Array(Type.Number({ minimum: 0 }), { minItems: 60, maxItems: 60 }),
      ledger: Type.Object(
        {
          size: count,
          records: optional(count),
          announced: count,
          verified: count,
          fraud: count,
          withheld: count,
          final: count,
        },
        strict,
      ),
      chain: Type.Object({ head: block, scanned: block, final: block }, strict),
      alerts: Type.Object(
        {
          open: count,
          high: count,
          medium: count,
          low: count,
          toReport: optional(count),
          overdue: optional(count),
          nearestDeadline: optional(decimal),
        },
        strict,
      ),
      problems: Type.Array(Type.String()),
    },
    strict,
  ),
)

const shareOfResources = Type.Object({ shared: count, used: count }, strict)
const volume = Type.Object(
  {
    calls: count,
    refused: count,
    failed: count,
    toldByOthers: count,
    rows: exactSum,
    requestBytes: exactSum,
    responseBytes: exactSum,
  },
  strict,
)
const alertFigures = Type.Array(
  Type.Object(
    {
      rule: Type.String(),
      severity: Type.String(),
      detected: count,
      reported: count,
      closed: count,
      medianToReportMs: someMs,
      medianToCloseMs: someMs,
      longestToCloseMs: someMs,
    },
    strict,
  ),
)

export const MonthlyReport = name(
  'MonthlyReport',
  Type.Object(
    {
      format: oneOf('tidemark-report/1'),
      month: Type.String({ pattern: '^[0-9]{4}-(?:0[1-9]|1[0-2])$' }),
      utcOffset: Type.Integer({ minimum: -840, maximum: 840 }),
      ledger: Type.Object({ chainId: decimal, ledger: address, size: decimal, root: hash }, strict),
      batches: Type.Array(
        Type.Object({ publisher: address, first: decimal, count: Type.Integer({ minimum: 1 }) }, strict),
      ),
      leftOut: Type.Array(Type.Object({ entry: decimal, leaf: hash }, strict)),
      shared: Type.Union([
        Type.Array(Type.Object({ resource: Type.String(), owner: Type.String() }, strict)),
        Type.Null(),
      ]),
      total: Type.Object(
        {
          asProvider: volume,
          asConsumer: volume,
          resources: shareOfResources,
          applications: count,
          review: Type.Object({ given: count, called: count, medianMs: someMs }, strict),
          alerts: alertFigures,
        },
        strict,
      ),
      departments: Type.Array(
        Type.Object(
          {
            department: Type.String(),
            asProvider: volume,
            asConsumer: volume,
            resources: shareOfResources,
            applications: count,
            refusals: Type.Array(
              Type.Object({ role: oneOf('provider', 'consumer'), reason: Type.String(), count }, strict),
            ),
            review: Type.Object({ called: count, medianMs: someMs }, strict),
            alerts: alertFigures,
          },
          strict,
        ),
      ),
    },
    strict,
  ),
)

const someText = Type.Union([Type.String(), Type.Null()])
const namedRecord = Type.Object({ source: Type.String(), id: Type.String() }, strict)
const brought = { sequence: decimal, receivedAt: decimal }
const eitherSide = oneOf('consumer', 'provider')

export const Responsibility = name(
  'Responsibility',
  Type.Object(
    {
      record: Type.Object(
        {
          source: Type.String(),
          id: Type.String(),
          type: oneOf('tidemark.call.v1', 'tidemark.refusal.v1'),
          time,
        },
        strict,
      ),
      provider: Type.String(),
      consumer: Type.String(),
      resource: Type.String(),
      operation: Type.String(),
      requestId: Type.String(),
      purpose: someText,
      legalBasis: someText,
      sharing: someText,
      outcome: oneOf('success', 'refused', 'failed'),
      reason: someText,
      grant: Type.Union([
        Type.Null(),
        Type.Object(
          {
            authorization: hash,
            given: Type.Union([
              Type.Null(),
              Type.Object(
                {
                  record: namedRecord,
                  subject: address,
                  givenAt: time,
                  notBefore: Type.String(),
                  notAfter: Type.String(),
                  maxCalls: count,
                  covers: Type.Object(
                    {
                      consumer: Type.Boolean(),
                      resource: Type.Boolean(),
                      purpose: Type.Boolean(),
                      time: Type.Boolean(),
                    },
                    strict,
                  ),
                },
                strict,
              ),
            ]),
            revocation: Type.Union([
              Type.Null(),
              Type.Object(
                { record: namedRecord, effectiveAt: time, reason: someText, isBeforeCall: Type.Boolean() },
                strict,
              ),
            ]),
          },
          strict,
        ),
      ]),
      kept: Type.Object(
        {
          kind: oneOf('regular pair', 'orphan pair', 'orphan', 'duplicate'),
          by: Type.Array(eitherSide),
          silent: Type.Union([eitherSide, Type.Null()]),
          disagreements: Type.Array(
            Type.Object(
              {
                member: Type.String(),
                consumer: optional(Type.Unknown()),
                provider: optional(Type.Unknown()),
              },
              strict,
            ),
          ),
        },
        strict,
      ),
      accounts: Type.Array(
        Type.Object(
          {
            side: eitherSide,
            record: Type.Object({ source: Type.String(), id: Type.String(), time }, strict),
            batch: Type.Object({ publisher: address, sequence: decimal, position: count }, strict),
            anchor: Place,
            final: Type.Boolean(),
            submission: Type.Union([
              Type.Null(),
              Type.Object(
                {
                  ...brought,
                  by: oneOf('signed'),
                  signer: Type.Union([address, Type.Null()]),
                  keyKnown: Type.Union([Type.Boolean(), Type.Null()]),
                },
                strict,
              ),
              Type.Object({ ...brought, by: oneOf('token', 'open', 'unsigned') }, strict),
            ]),
            privateMembers: oneOf('sealed', 'none'),
            brokenRules: Type.Array(
              Type.Object({ rule: Type.String(), severity: someText, alertId: decimal }, strict),
            ),
          },
          strict,
        ),
      ),
      isCutOff: Type.Boolean(),
      ledger: LedgerState,
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
