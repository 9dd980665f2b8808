import type { MonthlyReport } from '../../../../audit/monthly-report.ts'
import type { Loaded } from '../../load.tsx'
import type { Period } from './period.ts'
import type { Stats } from './volume.ts'

/** What is shown of a month. */
export interface Asked {
  period: Period
  report: MonthlyReport
  pairs: Loaded<Stats>
}
