import type { RequestHandler } from 'express'
import { MOST_OFFSET } from '../audit/monthly-report.ts'
import type { MonthlyReports } from '../audit/monthly-reports.ts'
import { InputError } from '../errors.ts'
import { DEFAULT_SETTINGS } from '../rules/settings.ts'
import { optionalText, requiredText } from './query.ts'

/** GET /v1/kpis?month=YYYY-MM[&utcOffset=480]: the report of a month over all that is final and verified. */
export const getKpis =
  (reports: MonthlyReports): RequestHandler =>
  async (request, response) => {
    const month = requiredText(request, 'month')
    const offset = optionalText(request, 'utcOffset')
    if (offset !== undefined && !/^-?\d{1,3}$/.test(offset)) {
      throw new InputError('BAD_ARGUMENT', `utcOffset must be whole minutes, at most ${MOST_OFFSET}`)
    }
    const utcOffset = offset === undefined ? DEFAULT_SETTINGS.office.utcOffsetMinutes : Number(offset)
    response.json(await reports.report({ month, utcOffset }))
  }
