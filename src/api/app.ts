import express, { type Express, type RequestHandler } from 'express'
import type { MonthlyReports } from '../audit/monthly-reports.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { InputError } from '../errors.ts'
import type { Admission } from '../gateway/admission.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Decisions } from '../indexer/decisions.ts'
import type { EvidenceMaker } from '../indexer/evidence-maker.ts'
import type { Finder } from '../indexer/finder.ts'
import type { Follower } from '../indexer/follower.ts'
import type { Histories } from '../indexer/history.ts'
import type { IncidentDesk } from '../indexer/incident-desk.ts'
import type { Rights } from '../indexer/rights.ts'
import type { Alerts } from '../store/alerts.ts'
import type { LedgerEntries } from '../store/ledger-entries.ts'
import type { SeenSubmissions } from '../store/seen-submissions.ts'
import type { Sources } from '../store/sources.ts'
import type { SentTransaction } from '../store/transactions.ts'
import { type AccessParts, createAccess, getMe } from './access.ts'
import { postAlert } from './alert-handling.ts'
import { getAlerts } from './alerts.ts'
import { type BatchFilesParts, getBatchFile } from './batch-files.ts'
import { readBody } from './body.ts'
import { getBreaker } from './breaker.ts'
import { BytesInFlight } from './bytes-in-flight.ts'
import { postDecisions } from './decisions.ts'
import { getDocs, getDocsStyle } from './docs-page.ts'
import { getGrant } from './grants.ts'
import { getHistory } from './histories.ts'
import { getKpis } from './kpis.ts'
import { getBatch, getBatches, getLedger, getTransactions } from './ledger.ts'
import { createOpenApi } from './openapi.ts'
import { OPERATIONS } from './operations.ts'
import { guardAnswers, servePages } from './pages.ts'
import { problemHandler } from './problems.ts'
import { type Authorize, getProof, getRecords } from './records.ts'
import { type RequestSummary, trackRequests } from './requests.ts'
import { getResponsibility } from './responsibility.ts'
import { getStats } from './stats.ts'
import { getSubmission, getSubmissionProof, postSubmission } from './submissions.ts'

export interface AppParts {
  /** what takes submissions; an indexer has none, nor the routes of it */
  publishing?: PublishingParts
  access: AccessParts
  follower: Follower
  finder: Finder
  histories: Histories
  evidence: EvidenceMaker
  monthlyReports: MonthlyReports
  entries: LedgerEntries
  alerts: Alerts
  /** where rules are at work */
  desk?: IncidentDesk
  seen: SeenSubmissions
  /** absent where no contract decides on calls, as is `rights` */
  decisions?: Decisions
  rights?: Rights
  /** known sources, in order, at most `limit` */
  sources: (limit: number) => string[]
  identity: LedgerIdentity
  /** absent where nobody decides on calls */
  authorize?: Authorize
  health: () => Health
  /** answers GET /v1/events */
  events: RequestHandler
  /** answers GET /metrics */
  metrics: RequestHandler
  onFault: (error: unknown, requestId: string) => void
  onRequest: (summary: RequestSummary) => void
}

interface PublishingParts {
  gateway: Gateway
  admission: Admission
  sources: Sources
  limits: { bodyBytes: number }
  inFlight: BytesInFlight
  batchFiles: BatchFilesParts
  /** highest nonce first */
  transactionsBefore: (nonce: bigint, limit: number) => SentTransaction[]
}

export interface Health {
  status: 'ok' | 'degraded'
  /** why it is degraded, one sentence each */
  problems: string[]
  [detail: string]: unknown
}

/** Of a thousand questions with the longest names. */
const DECISION_BYTES = 1024 * 1024

const API_VERSION = '1.0.0'

/** The HTTP API, version 1. */
export function createApp(parts: AppParts): Express {
  const { publishing, follower, finder, entries, alerts, identity } = parts
  const access = createAccess(parts.access)
  const app = express()
  app.disable('x-powered-by')
  app.set('query parser', 'simple')
  app.use(trackRequests(parts.onRequest, () => performance.now()))
  app.use(guardAnswers)

  if (publishing !== undefined) {
    const { gateway, admission, limits, inFlight, batchFiles } = publishing
    app.post('/v1/submissions', readBody(limits.bodyBytes, inFlight), postSubmission(gateway, admission))
    app.get('/v1/submissions', getSubmission(gateway, entries, follower))
    app.get('/v1/submissions/proof', getSubmissionProof(gateway, finder, parts.evidence))
    app.get('/v1/batches/:publisher/:sequence/:file', getBatchFile(batchFiles, access))
    app.get('/v1/transactions', getTransactions(publishing.transactionsBefore))
  }
  app.post(
    '/v1/decisions',
    readBody(DECISION_BYTES, publishing?.inFlight ?? new BytesInFlight(16 * DECISION_BYTES)),
    postDecisions(parts.decisions, publishing?.admission),
  )
  app.get('/v1/grants/:id', getGrant(parts.rights))
  app.get('/v1/records', getRecords(finder, follower, entries, access))
  app.get('/v1/proofs', getProof(parts, access))
  app.get(
    '/v1/responsibility',
    getResponsibility({
      ...parts,
      gateway: publishing?.gateway,
      sources: publishing?.sources,
    }),
  )
  app.get('/v1/stats', getStats(entries, follower))
  app.get('/v1/kpis', getKpis(parts.monthlyReports))
  app.get('/v1/histories', getHistory(parts.histories, parts.evidence, access))
  app.get('/v1/batches', getBatches(entries, follower))
  app.get('/v1/batches/:publisher/:sequence', getBatch(entries, follower, parts.seen))
  app.get('/v1/alerts', getAlerts(alerts))
  app.get('/v1/breaker', getBreaker(parts.rights))
  if (parts.desk !== undefined) app.post('/v1/alerts/:id', postAlert(parts.desk, access))
  app.get(
    '/v1/ledger',
    getLedger(identity, publishing?.gateway.publisher, parts.rights?.authorizations, follower),
  )
  app.get('/v1/me', getMe(access))
  app.get('/v1/events', parts.events)
  app.get('/healthz', getHealth(parts.health))
  app.get('/metrics', parts.metrics)

  const document = createOpenApi(
    API_VERSION,
    OPERATIONS.filter(
      ({ ofGateway, ofRules }) =>
        (publishing !== undefined || ofGateway !== true) && (parts.desk !== undefined || ofRules !== true),
    ),
  )
  app.get('/openapi.json', (_request, response) => void response.json(document))
  app.get('/docs', getDocs(document))
  app.get('/docs.css', getDocsStyle)
  app.use(servePages())

  app.use((request) => {
    throw new InputError('NOT_FOUND', `there is nothing at ${request.method} ${request.path}`)
  })
  app.use(problemHandler(parts.onFault))
  return app
}

/** GET /healthz: 200 while everything works, 503 with the reasons otherwise. */
const getHealth =
  (health: () => Health): RequestHandler =>
  (_request, response) => {
    const found = health()
    response.status(found.status === 'ok' ? 200 : 503).json(found)
  }
