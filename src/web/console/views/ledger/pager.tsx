import { useWords } from '../../../language.ts'
import { Link, useRouter } from '../../router.tsx'

const words = {
  newest: { en: 'Newest', zh: '最新' },
  older: { en: 'Older', zh: '更早' },
} as const

/** Links to the first page of a list and to the next, in the URL as `name`. */
export function Pager({ name, next, label }: { name: string; next: string | undefined; label: string }) {
  const say = useWords(words)
  const { search } = useRouter()
  const isFirst = !search.has(name)
  if (isFirst && next === undefined) return null
  const to = (value: string | undefined) => {
    const changed = new URLSearchParams(search)
    if (value === undefined) changed.delete(name)
    else changed.set(name, value)
    return changed.size === 0 ? '/ledger' : `/ledger?${changed}`
  }
  return (
    <nav class="pager" aria-label={label}>
      {!isFirst && <Link to={to(undefined)}>{say.newest}</Link>}
      {next !== undefined && <Link to={to(next)}>{say.older}</Link>}
    </nav>
  )
}
