import type { RequestHandler } from 'express'
import type { MonthlyReports } from '../audit/monthly-reports.ts'
import { DEFAULT_SETTINGS } from '../rules/settings.ts'
import { optionalOffset, requiredText } from './query.ts'

/** GET /v1/kpis?month=YYYY-MM[&utcOffset=480]: the report of a month over all that is final and verified. */
export const getKpis =
  (reports: MonthlyReports): RequestHandler =>
  async (request, response) => {
    const month = requiredText(request, 'month')
    const utcOffset = optionalOffset(request) ?? DEFAULT_SETTINGS.office.utcOffsetMinutes
    response.json(await reports.report({ month, utcOffset }))
  }
