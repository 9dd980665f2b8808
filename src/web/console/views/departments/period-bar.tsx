import { useLanguage, useWords } from '../../../language.ts'
import { Link, useRouter } from '../../router.tsx'
import { daysOf, isMonth, monthBeside, type Period, showMonth, showStep, stepsOf } from './period.ts'
import { usePlace } from './place.ts'

const words = {
  month: { en: 'Month', zh: '月份' },
  charts: { en: 'Charts of', zh: '图表范围' },
  whole: { en: 'the whole month', zh: '整月' },
  zone: { en: 'Months and days are those of UTC+8.', zh: '月份和日期按东八区（UTC+8）计。' },
  periods: { en: 'Period', zh: '时间范围' },
}

/** Which month, and which of its days. */
export function PeriodBar({ period }: { period: Period }) {
  const say = useWords(words)
  const language = useLanguage()
  const { go } = useRouter()
  const place = usePlace()
  const { month, day } = period
  const { starts } = stepsOf({ month, day: undefined })
  const beside = (by: number) => monthBeside(month, by)
  return (
    <section aria-label={say.periods}>
      <div class="filters">
        <Link to={place({ month: beside(-1), day: undefined })} class="button">
          {`‹ ${showMonth(beside(-1), language)}`}
        </Link>
        <label>
          {`${say.month} `}
          <input
            type="month"
            value={month}
            onChange={({ currentTarget: { value } }) => {
              if (isMonth(value)) go(place({ month: value, day: undefined }))
            }}
          />
        </label>
        <Link to={place({ month: beside(1), day: undefined })} class="button">
          {`${showMonth(beside(1), language)} ›`}
        </Link>
        <label>
          {`${say.charts} `}
          <select
            value={String(day ?? '')}
            onChange={({ currentTarget: { value } }) => go(place({ month, day: value || undefined }))}
          >
            <option value="">{say.whole}</option>
            {Array.from({ length: daysOf(month) }, (_, i) => (
              <option key={i} value={String(i + 1)}>
                {showStep(starts[i] ?? 0, { month, day: undefined }, language)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <p class="soft">{say.zone}</p>
    </section>
  )
}
