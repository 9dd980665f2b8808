import type { RequestHandler } from 'express'
import type { Alerts, StoredAlert } from '../store/alerts.ts'
import { optionalCount, optionalUint64 } from './query.ts'

const DEFAULT_PAGE = 50
const MAX_PAGE = 500
/** What the catalogue's signed integers can hold. */
const MAX_ID = 2n ** 63n - 1n

/** GET /v1/alerts?before=&limit=: what is or was wrong, newest first; `next` continues the list. */
export const getAlerts =
  (alerts: Alerts): RequestHandler =>
  (request, response) => {
    const before = optionalUint64(request, 'before') ?? MAX_ID
    const limit = optionalCount(request, 'limit', MAX_PAGE) ?? DEFAULT_PAGE
    const page = alerts.before(before < MAX_ID ? before : MAX_ID, limit)
    const last = page.at(-1)
    response.json({
      alerts: page.map(toJsonStored),
      ...(page.length === limit && last !== undefined && { next: String(last.id) }),
    })
  }

export const toJsonStored = ({ id, document, raisedAt, closedAt, incident }: StoredAlert) => ({
  id: String(id),
  raisedAt: String(raisedAt),
  ...(incident !== undefined && { deadline: String(incident.deadline) }),
  ...(incident?.reportedAt !== undefined && { reportedAt: String(incident.reportedAt) }),
  ...(closedAt !== undefined && { closedAt: String(closedAt) }),
  ...(incident !== undefined && { state: incident.state }),
  alert: JSON.parse(document) as unknown,
})
