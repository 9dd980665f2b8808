import { useId, useState } from 'preact/hooks'
import { useLanguage, useWords } from '../../../language.ts'
import { MEMBER_WORDS, type Text } from '../../record-words.ts'
import { useRouter } from '../../router.tsx'
import { useSession } from '../../session.tsx'
import { KEYS, namedRecord, urlOf } from './query.ts'

const words = {
  search: { en: 'Search', zh: '检索' },
  clear: { en: 'Clear', zh: '清空' },
  from: { en: 'From day', zh: '起始日期' },
  to: { en: 'To day', zh: '截止日期' },
  hint: {
    en: 'Fill in one field or several: what is found is under all of them. A record by its name takes both its source and its number.',
    zh: '可填写一项或多项，结果须同时符合各项。按名称查找单条记录时，来源与记录编号须一并填写。',
  },
  missing: { en: 'Fill in at least one field besides the days.', zh: '除日期外，请至少填写一项。' },
  half: {
    en: 'A record is named by its source and its number together: fill in both.',
    zh: '记录由来源与编号共同确定，请两项都填写。',
  },
} as const

const LABELS: Readonly<Record<string, Text>> = {
  ...MEMBER_WORDS,
  id: { en: 'Record number', zh: '记录编号' },
  request: { en: 'Request', zh: '请求编号' },
}

/** A form over every key; what it asks for goes into the URL. */
export function SearchForm() {
  const say = useWords(words)
  const language = useLanguage()
  const { search, go } = useRouter()
  const { reader } = useSession()
  const [fault, setFault] = useState<'missing' | 'half'>()
  const faultId = useId()
  const keys = KEYS.filter((key) => key !== 'person' || reader.role === 'auditor' || search.has('person'))

  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (!(event.currentTarget instanceof HTMLFormElement)) return
    const url = new URL(urlOf('/explore', new FormData(event.currentTarget)), location.href)
    const given = url.searchParams
    if (given.has('source') !== given.has('id')) return setFault('half')
    if (!given.has('source') && !KEYS.some((key) => given.has(key))) return setFault('missing')
    setFault(undefined)
    const named = namedRecord(given)
    go(named === undefined ? `${url.pathname}${url.search}` : urlOf('/explore', Object.entries(named)))
  }

  return (
    <form
      key={search.toString()}
      class="card search"
      aria-label={say.search}
      onSubmit={submit}
      {...(fault !== undefined && { 'aria-describedby': faultId })}
    >
      <p class="soft">{say.hint}</p>
      <div class="search-fields">
        {['source', 'id', ...keys].map((name) => (
          <label key={name}>
            <span>{LABELS[name]?.[language]}</span>
            <input
              name={name}
              type="text"
              autocomplete="off"
              spellcheck={false}
              defaultValue={search.get(name) ?? ''}
            />
          </label>
        ))}
        {(['from', 'to'] as const).map((name) => (
          <label key={name}>
            <span>{say[name]}</span>
            <input name={name} type="date" defaultValue={search.get(name)?.slice(0, 10) ?? ''} />
          </label>
        ))}
      </div>
      {fault !== undefined && (
        <p id={faultId} class="bad" role="alert">
          {say[fault]}
        </p>
      )}
      <p class="actions">
        <button class="primary" type="submit">
          {say.search}
        </button>
        <button type="button" onClick={() => go('/explore')}>
          {say.clear}
        </button>
      </p>
    </form>
  )
}
