import type { MonthlyReport } from '../../../audit/monthly-report.ts'
import { useWords } from '../../language.ts'
import { Shown, useJson } from '../load.tsx'
import { useRouter } from '../router.tsx'
import { All } from './departments/all.tsx'
import './departments/departments.css'
import { One } from './departments/one.tsx'
import { daysOf, isMonth, monthOf, type Period, rangeOf, UTC_OFFSET } from './departments/period.ts'
import { PeriodBar } from './departments/period-bar.tsx'
import type { Stats } from './departments/volume.ts'

const words = {
  empty: { en: 'Nothing was recorded for this month.', zh: '本月没有任何记录。' },
  emptyHint: {
    en: 'Calls appear here once their batches are final on the chain and verified.',
    zh: '批次在链上最终确认并通过验证后，其中的调用会出现在这里。',
  },
}

const DAY_MS = 24 * 3_600_000

/** What departments did in a month, and who called whom. */
export default function Departments() {
  const { search } = useRouter()
  const asked = search.get('month')
  return isMonth(asked) ? <Month month={asked} /> : <LatestMonth />
}

/** The last month with a call. */
function LatestMonth() {
  const dateOf = (timeMs: number) => new Date(timeMs).toISOString().slice(0, 10)
  const now = Date.now()
  const range = `from=${dateOf(now)}&to=${dateOf(now + DAY_MS)}`
  const found = useJson<Stats>(`/v1/stats?by=provider&step=day&${range}`)
  return (
    <Shown of={found}>
      {({ latest }) => <Month month={monthOf(latest === null ? Date.now() : Date.parse(latest))} />}
    </Shown>
  )
}

function Month({ month }: { month: string }) {
  const say = useWords(words)
  const { search } = useRouter()
  const department = search.get('department') ?? undefined
  const day = Number(search.get('day'))
  const period: Period = { month, day: day >= 1 && day <= daysOf(month) ? Math.trunc(day) : undefined }
  const report = useJson<MonthlyReport>(`/v1/kpis?month=${month}&utcOffset=${UTC_OFFSET}`)
  const pairs = useJson<Stats>(`/v1/stats?by=pair&step=whole&${rangeOf(period)}`)
  return (
    <div class="departments">
      <PeriodBar period={period} />
      <Shown of={report}>
        {(shown) => {
          if (shown.departments.length === 0)
            return (
              <div class="card">
                <p>{say.empty}</p>
                <p class="soft">{say.emptyHint}</p>
              </div>
            )
          const parts = { period, report: shown, pairs }
          return department === undefined ? <All {...parts} /> : <One name={department} {...parts} />
        }}
      </Shown>
    </div>
  )
}
