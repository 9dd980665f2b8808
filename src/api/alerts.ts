import type { Request, RequestHandler } from 'express'
import { InputError } from '../errors.ts'
import { type AlertFilter, type Alerts, SEVERITIES, type StoredAlert } from '../store/alerts.ts'
import { optionalCount, optionalFlag, optionalText, optionalUint64 } from './query.ts'

const DEFAULT_PAGE = 50
const MAX_PAGE = 500
/** What the catalogue's signed integers can hold. */
const MAX_ID = 2n ** 63n - 1n

/** GET /v1/alerts?open=&severity=&rule=&department=&before=&limit=: what is or was wrong, newest first; `next` continues the list. */
export const getAlerts =
  (alerts: Alerts): RequestHandler =>
  (request, response) => {
    const before = optionalUint64(request, 'before') ?? MAX_ID
    const limit = optionalCount(request, 'limit', MAX_PAGE) ?? DEFAULT_PAGE
    const page = alerts.search(before < MAX_ID ? before : MAX_ID, limit, filterOf(request))
    response.json({
      alerts: page.alerts.map(toJsonStored),
      ...(page.next !== undefined && { next: String(page.next) }),
    })
  }

function filterOf(request: Request): AlertFilter {
  const text = optionalText(request, 'severity')
  const severity = SEVERITIES.find((one) => one === text)
  if (text !== severity) {
    throw new InputError('BAD_ARGUMENT', `severity must be one of ${SEVERITIES.join(', ')}`)
  }
  return {
    open: optionalText(request, 'open') === undefined ? undefined : optionalFlag(request, 'open'),
    severity,
    rule: optionalText(request, 'rule'),
    department: optionalText(request, 'department'),
  }
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
