import { ask } from '../../api.ts'
import { type Loaded, useLoaded } from '../../load.tsx'
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
export function useFeed(search: string, key: unknown): Loaded<Feed> {
  const { token } = useSession()
  const load = async (signal: AbortSignal): Promise<Feed> => {
    const response = await ask(`/v1/alerts?${search}`, { token, signal })
    const told = Date.parse(response.headers.get('Date') ?? '')
    // The header has whole seconds.
    const aheadMs = Number.isNaN(told) ? 0 : told + 500 - Date.now()
    return { ...((await response.json()) as Omit<Feed, 'aheadMs'>), aheadMs }
  }
  return useLoaded(load, [search, token, key])
}
