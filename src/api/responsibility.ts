import type { RequestHandler } from 'express'
import {
  type Account,
  type BrokenRule,
  type Responsibility,
  type ResponsibilityParts,
  responsibilityFor,
} from '../audit/responsibility.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Finder } from '../indexer/finder.ts'
import type { Follower } from '../indexer/follower.ts'
import type { FoundRecord } from '../indexer/search.ts'
import { textOf } from '../record/index.ts'
import type { Alerts } from '../store/alerts.ts'
import type { LedgerEntries } from '../store/ledger-entries.ts'
import type { SeenSubmissions } from '../store/seen-submissions.ts'
import type { Sources } from '../store/sources.ts'
import { toJsonAnchor, toJsonLedgerState } from './json.ts'
import { requiredText } from './query.ts'

export interface ResponsibilityRouteParts {
  finder: Finder
  follower: Follower
  entries: LedgerEntries
  alerts: Alerts
  seen: SeenSubmissions
  /** of a gateway alone */
  gateway?: Gateway | undefined
  sources?: Sources | undefined
}

/** The answer, but for the ledger that it speaks for. */
export type JsonResponsibility = ReturnType<typeof toJson>

/** GET /v1/responsibility?source=&id=: who answers for a call or a refusal. */
export const getResponsibility = (parts: ResponsibilityRouteParts): RequestHandler => {
  const { follower, entries, alerts } = parts
  const asking: ResponsibilityParts = {
    ...waysIn(parts),
    finder: parts.finder,
    brokenRules: (found) => alertsOf(alerts, found),
  }
  return async (request, response) => {
    const ref = { source: requiredText(request, 'source'), id: requiredText(request, 'id') }
    const found = await responsibilityFor(asking, ref)
    response.json({ ...toJson(found, follower), ledger: toJsonLedgerState(follower, entries) })
  }
}

/** How records came into the ledger, as far as this server knows it. */
function waysIn({ seen, gateway, sources }: ResponsibilityRouteParts) {
  const ways: Pick<ResponsibilityParts, 'signerOf' | 'takenAs' | 'hadKey'> = {
    signerOf: ({ source, sequence, first }, { entry }) =>
      seen.same(source, sequence).find((one) => one.logIndex === entry.logIndex && one.first === first)
        ?.signer,
    async takenAs({ source, sequence, first }, { entry }) {
      const own = await gateway?.find(source, sequence)
      const { publisher, batch, first: at } = own?.sealed ?? {}
      const { header } = entry
      const isOwn = publisher === header.publisher && batch === header.sequence && at === first
      return isOwn && own !== undefined && own.voucher.by !== 'signed' ? own.voucher.by : undefined
    },
    hadKey: (source, address, atMs) => sources?.hadKey(source, address, atMs),
  }
  return ways
}

/** Open alerts about the batch of a record that name its position, and what rules found of it, be it closed. */
function alertsOf(alerts: Alerts, { item, entry, position }: FoundRecord): BrokenRule[] {
  const ofBatch = alerts.ofEntry(entry.logIndex).flatMap(({ id, document, closedAt }) => {
    const { kind, positions = [] } = JSON.parse(document) as { kind: string; positions?: number[] }
    const holds = closedAt === undefined && positions.includes(position)
    return holds ? [{ rule: kind, severity: null, alertId: String(id) }] : []
  })
  const ofRules = alerts.ofRecord(item.record).flatMap(({ id, incident }) => {
    return incident === undefined
      ? []
      : [{ rule: incident.rule, severity: incident.severity, alertId: String(id) }]
  })
  return [...ofBatch, ...ofRules]
}

function toJson({ record, accounts, kept, grant, isCutOff }: Responsibility, follower: Follower) {
  const { source, id, type, time, subject = '' } = record
  const text = (name: string) => textOf(record, name) ?? null
  const required = (name: string) => textOf(record, name) ?? ''
  return {
    record: { source, id, type, time },
    provider: required('provider'),
    consumer: required('consumer'),
    resource: subject,
    operation: required('operation'),
    requestId: required('requestId'),
    purpose: text('purpose'),
    legalBasis: text('legalBasis'),
    sharing: text('sharing'),
    outcome: type === 'tidemark.refusal.v1' ? 'refused' : required('outcome'),
    reason: text('reason'),
    grant,
    kept,
    accounts: accounts.map((account) => toJsonAccount(account, follower)),
    isCutOff,
  }
}

function toJsonAccount({ found, side, submission, hasPrivate, brokenRules }: Account, follower: Follower) {
  const { item, entry, position } = found
  const { source, id, time } = item.record
  const { publisher, sequence } = entry.header
  return {
    side,
    record: { source, id, time },
    batch: { publisher, sequence: String(sequence), position },
    anchor: toJsonAnchor(entry),
    final: follower.isFinal(entry),
    submission,
    privateMembers: hasPrivate ? ('sealed' as const) : ('none' as const),
    brokenRules,
  }
}
