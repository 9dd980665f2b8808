import { useWords } from '../../../language.ts'
import { Link, useRouter } from '../../router.tsx'
import { urlOf } from '../explore/query.ts'

const words = {
  period: { en: 'Period', zh: '时间范围' },
  from: { en: 'From day', zh: '起始日期' },
  to: { en: 'To day', zh: '截止日期' },
  show: { en: 'Show', zh: '查看' },
  always: { en: 'All time', zh: '全部时间' },
} as const

/** Which days are asked for; kept in the URL. */
export function PeriodForm() {
  const say = useWords(words)
  const { search, go } = useRouter()
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (event.currentTarget instanceof HTMLFormElement)
      go(urlOf('/my-data', new FormData(event.currentTarget)))
  }
  return (
    <form key={search.toString()} class="card period" aria-label={say.period} onSubmit={submit}>
      {(['from', 'to'] as const).map((name) => (
        <label key={name}>
          {say[name]} <input name={name} type="date" defaultValue={search.get(name)?.slice(0, 10) ?? ''} />
        </label>
      ))}
      <button type="submit">{say.show}</button>
      {(search.has('from') || search.has('to')) && <Link to="/my-data">{say.always}</Link>}
    </form>
  )
}
