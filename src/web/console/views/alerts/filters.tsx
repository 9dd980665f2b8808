import { useLanguage, useWords } from '../../../language.ts'
import { useRouter } from '../../router.tsx'
import { SEVERITIES } from './alert.ts'
import { ABOUT } from './words.ts'

const words = {
  filters: { en: 'Filters', zh: '筛选' },
  state: { en: 'State', zh: '状态' },
  open: { en: 'not closed', zh: '未关闭' },
  closed: { en: 'closed', zh: '已关闭' },
  any: { en: 'any', zh: '不限' },
  severity: { en: 'Severity', zh: '严重程度' },
  high: { en: 'high', zh: '高' },
  medium: { en: 'medium', zh: '中' },
  low: { en: 'low', zh: '低' },
  rule: { en: 'Rule', zh: '规则' },
  department: { en: 'Department', zh: '部门' },
  apply: { en: 'Filter', zh: '筛选' },
}

/** Which alerts are shown, as the URL has it. */
export function Filters() {
  const say = useWords(words)
  const language = useLanguage()
  const { search, go } = useRouter()
  const chosen = (name: string) => search.get(name) ?? ''
  const choose = (name: string, value: string) => {
    const next = new URLSearchParams(search)
    next.delete('before')
    if (value === '') next.delete(name)
    else next.set(name, value)
    go(`/alerts?${next}`)
  }
  const select = (name: string, label: string, options: readonly (readonly [string, string])[]) => (
    <label>
      <span>{label}</span>
      <select value={chosen(name)} onChange={({ currentTarget }) => choose(name, currentTarget.value)}>
        <option value="">{say.any}</option>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
  return (
    <form
      class="filters"
      aria-label={say.filters}
      onSubmit={(event) => {
        event.preventDefault()
        choose('department', String(new FormData(event.currentTarget).get('department') ?? '').trim())
      }}
    >
      {select('open', say.state, [
        ['true', say.open],
        ['false', say.closed],
      ])}
      {select(
        'severity',
        say.severity,
        SEVERITIES.map((one) => [one, say[one]]),
      )}
      {select(
        'rule',
        say.rule,
        ABOUT.map(([name, title]) => [name, title[language]]),
      )}
      <label>
        <span>{say.department}</span>
        <input name="department" key={chosen('department')} defaultValue={chosen('department')} />
      </label>
      <button type="submit">{say.apply}</button>
    </form>
  )
}
