import { useEffect, useState } from 'preact/hooks'
import { ApiProblem, ask } from '../../api.ts'
import type { Loaded } from '../../load.tsx'
import { useSession } from '../../session.tsx'
import type { ShownAlert } from './alert.ts'

export interface Feed {
  alerts: ShownAlert[]
  /** continues the list */
  next?: string
  /** how far the server's clock is ahead of the reader's, in milliseconds */
  aheadMs: number
}

/**
 * Alerts as the server has them, asked for again when `key` changes.
 *
 * @param search as `/v1/alerts` takes it
 */
export function useFeed(
  search: string,
  key: unknown,
): Loaded<Feed> & { replace: (alert: ShownAlert) => void } {
  const { token } = useSession()
  const [loaded, setLoaded] = useState<Loaded<Feed>>({ state: 'loading' })
  const [turn, setTurn] = useState(0)
  // `key` and `turn` say when to ask again.
  useEffect(() => {
    const asking = new AbortController()
    ask(`/v1/alerts?${search}`, { token, signal: asking.signal })
      .then(async (response) => {
        const told = Date.parse(response.headers.get('Date') ?? '')
        // The header has whole seconds.
        const aheadMs = Number.isNaN(told) ? 0 : told + 500 - Date.now()
        const page = (await response.json()) as Omit<Feed, 'aheadMs'>
        setLoaded({ state: 'there', value: { ...page, aheadMs } })
      })
      .catch((problem: unknown) => {
        if (asking.signal.aborted) return
        const known = problem instanceof ApiProblem ? problem : new ApiProblem(0, 'FAULT', String(problem))
        setLoaded({ state: 'failed', problem: known, again: () => setTurn((count) => count + 1) })
      })
    return () => asking.abort()
  }, [search, token, key, turn])
  const replace = (changed: ShownAlert) =>
    setLoaded((was) => {
      if (was.state !== 'there') return was
      const alerts = was.value.alerts.map((one) => (one.id === changed.id ? changed : one))
      return { ...was, value: { ...was.value, alerts } }
    })
  return { ...loaded, replace }
}
