import express, { type Express, type RequestHandler } from 'express'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { InputError } from '../errors.ts'
import type { Admission } from '../gateway/admission.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Finder } from '../indexer/finder.ts'
import type { Follower } from '../indexer/follower.ts'
import type { Histories } from '../indexer/history.ts'
import type { LedgerEntries } from '../store/ledger-entries.ts'
import type { SealedBatches } from '../store/sealed-batches.ts'
import { readBody } from './body.ts'
import type { BytesInFlight } from './bytes-in-flight.ts'
import { getDocs, getDocsStyle } from './docs-page.ts'
import { getHistory } from './histories.ts'
import { getBatches, getLedger } from './ledger.ts'
import { createOpenApi } from './openapi.ts'
import { problemHandler } from './problems.ts'
import { getProof, getRecords } from './records.ts'
import { type RequestSummary, trackRequests } from './requests.ts'
import { getSubmission, getSubmissionProof, postSubmission } from './submissions.ts'

export interface AppParts {
  gateway: Gateway
  admission: Admission
  follower: Follower
  finder: Finder
  histories: Histories
  entries: LedgerEntries
  sealed: SealedBatches
  identity: LedgerIdentity
  health: () => Health
  limits: { bodyBytes: number }
  inFlight: BytesInFlight
  /** answers GET /metrics */
  metrics: RequestHandler
  onFault: (error: unknown, requestId: string) => void
  onRequest: (summary: RequestSummary) => void
}

export interface Health {
  status: 'ok' | 'degraded'
  /** why it is degraded, one sentence each */
  problems: string[]
  [detail: string]: unknown
}

const API_VERSION = '1.0.0'

/** The HTTP API, version 1. */
export function createApp(parts: AppParts): Express {
  const { gateway, admission, follower, finder, entries, sealed, identity, limits } = parts
  const app = express()
  app.disable('x-powered-by')
  app.set('query parser', 'simple')
  app.use(trackRequests(parts.onRequest, () => performance.now()))

  app.post('/v1/submissions', readBody(limits.bodyBytes, parts.inFlight), postSubmission(gateway, admission))
  app.get('/v1/submissions', getSubmission(gateway, entries, follower))
  app.get('/v1/submissions/proof', getSubmissionProof(gateway, finder))
  app.get('/v1/records', getRecords(finder, follower))
  app.get('/v1/proofs', getProof(finder, sealed))
  app.get('/v1/histories', getHistory(parts.histories))
  app.get('/v1/batches', getBatches(entries, follower))
  app.get('/v1/ledger', getLedger(identity, gateway.publisher, follower))
  app.get('/healthz', getHealth(parts.health))
  app.get('/metrics', parts.metrics)

  const document = createOpenApi(API_VERSION)
  app.get('/openapi.json', (_request, response) => void response.json(document))
  app.get('/docs', getDocs(document))
  app.get('/docs.css', getDocsStyle)

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
