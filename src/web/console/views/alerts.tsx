import { useState } from 'preact/hooks'
import { useWords } from '../../language.ts'
import { Shown } from '../load.tsx'
import { useOverview } from '../overview-events.ts'
import { Link, useRouter } from '../router.tsx'
import './alerts/alerts.css'
import { Breaker } from './alerts/breaker.tsx'
import { AlertCard } from './alerts/card.tsx'
import { useServerNow } from './alerts/clock.tsx'
import { type Feed, useFeed } from './alerts/feed.ts'
import { Filters } from './alerts/filters.tsx'

const words = {
  none: { en: 'There is no alert.', zh: '没有告警。' },
  noneHint: {
    en: 'What is wrong with a batch and what the rules find in records appears here by itself.',
    zh: '批次异常以及规则在记录中发现的问题会自动出现在这里。',
  },
  noneSuch: { en: 'No alert is like that.', zh: '没有符合条件的告警。' },
  all: { en: 'Show all', zh: '显示全部' },
  more: { en: 'Show more', zh: '显示更多' },
  older: { en: 'Older alerts', zh: '更早的告警' },
  newest: { en: 'Newest alerts', zh: '最新的告警' },
}

const FIRST_PAGE = 25
const LARGEST_PAGE = 400
const FILTERS = ['open', 'severity', 'rule', 'department', 'before'] as const

/** What is or was wrong, the newest first, with its clock, and what was done about it. */
export default function Alerts() {
  const { search } = useRouter()
  const [limit, setLimit] = useState(FIRST_PAGE)
  const wanted = new URLSearchParams({ limit: String(limit) })
  for (const name of FILTERS) {
    const value = search.get(name)
    if (value !== null && value !== '') wanted.set(name, value)
  }
  const [handled, setHandled] = useState(0)
  const { overview } = useOverview()
  const told = JSON.stringify([overview?.alerts, overview?.ledger])
  const feed = useFeed(String(wanted), `${told} ${handled}`)
  return (
    <div class="alerts">
      <Breaker turn={told} />
      <Filters />
      <Shown of={feed}>
        {(value) => (
          <List
            feed={value}
            isFiltered={wanted.size > 1}
            onHandled={() => setHandled((count) => count + 1)}
            {...(limit < LARGEST_PAGE && { onMore: () => setLimit(2 * limit) })}
          />
        )}
      </Shown>
    </div>
  )
}

interface ListProps {
  feed: Feed
  isFiltered: boolean
  onHandled: () => void
  /** absent when the page is as large as pages become */
  onMore?: () => void
}

function List({ feed: { alerts, next, aheadMs }, isFiltered, onHandled, onMore }: ListProps) {
  const say = useWords(words)
  const { search } = useRouter()
  const now = useServerNow(aheadMs)
  const older = new URLSearchParams(search)
  older.set('before', next ?? '')
  const newest = new URLSearchParams(search)
  newest.delete('before')
  return (
    <>
      {search.has('before') && <Link to={`/alerts?${newest}`}>{say.newest}</Link>}
      {alerts.length === 0 && (
        <div class="card">
          <p>{isFiltered ? say.noneSuch : say.none}</p>
          {isFiltered ? <Link to="/alerts">{say.all}</Link> : <p class="soft">{say.noneHint}</p>}
        </div>
      )}
      <ol class="alert-list">
        {alerts.map((one) => (
          <AlertCard key={one.id} of={one} now={now} onHandled={onHandled} />
        ))}
      </ol>
      {next !== undefined &&
        (onMore !== undefined && alerts.length > 0 ? (
          <button type="button" onClick={onMore}>
            {say.more}
          </button>
        ) : (
          <Link to={`/alerts?${older}`}>{say.older}</Link>
        ))}
    </>
  )
}
