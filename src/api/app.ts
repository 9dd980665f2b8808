import express, { type Express, type RequestHandler } from 'express'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { InputError } from '../errors.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Finder } from '../indexer/finder.ts'
import type { Follower } from '../indexer/follower.ts'
import type { LedgerEntries } from '../store/ledger-entries.ts'
import type { SealedBatches } from '../store/sealed-batches.ts'
import { getBatches, getLedger } from './ledger.ts'
import { problemHandler } from './problems.ts'
import { getProof, getRecords } from './records.ts'
import { getSubmission, postSubmission } from './submissions.ts'

export interface AppParts {
  gateway: Gateway
  follower: Follower
  finder: Finder
  entries: LedgerEntries
  sealed: SealedBatches
  identity: LedgerIdentity
  health: () => Health
  limits: { bodyBytes: number; submissionRecords: number }
  onFault: (error: unknown) => void
}

export interface Health {
  status: 'ok' | 'degraded'
  /** why it is degraded, one sentence each */
  problems: string[]
  [detail: string]: unknown
}

/** The HTTP API, version 1. */
export function createApp(parts: AppParts): Express {
  const { gateway, follower, finder, entries, sealed, identity, limits } = parts
  const app = express()
  app.disable('x-powered-by')
  app.set('query parser', 'simple')

  app.post(
    '/v1/submissions',
    express.raw({ type: () => true, limit: limits.bodyBytes }),
    postSubmission(gateway, limits.submissionRecords),
  )
  app.get('/v1/submissions', getSubmission(gateway, entries, follower))
  app.get('/v1/records', getRecords(finder, follower))
  app.get('/v1/proofs', getProof(finder, sealed))
  app.get('/v1/batches', getBatches(entries, follower))
  app.get('/v1/ledger', getLedger(identity, gateway.publisher, follower))
  app.get('/healthz', getHealth(parts.health))

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
