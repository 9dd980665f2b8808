import { useEffect, useState } from 'preact/hooks'

/** What the event `overview` of GET /v1/events says, as far as it is shown. */
export interface OverviewState {
  /** absent at an indexer, which takes no records */
  gateway?: {
    accepted: { submissions: number; records: number; bytes: number }
    waiting: { records: number; bytes: number }
    sealed: number
    anchored: number
    notAnchored: { batches: number; oldestSeconds: number }
  }
  /** records of each of the last 60 seconds, oldest first */
  rate: number[]
  ledger: {
    size: number
    /** absent while they are still being counted */
    records?: number
    announced: number
    verified: number
    fraud: number
    withheld: number
    final: number
  }
  chain: { head: string; scanned: string; final: string }
  alerts: {
    open: number
    high: number
    medium: number
    low: number
    overdue?: number
    /** milliseconds since 1970 */
    nearestDeadline?: string
  }
  problems: string[]
}

export type Line = 'opening' | 'live' | 'lost'

/** The server says something every 15 seconds at least. */
const SILENCE_MS = 40_000
/** A browser comes again by itself when a line breaks, but not when it was refused. */
const AGAIN_MS = 5_000

/** How it is now, for as long as this is shown and its tab is seen, and whether that is how it is. */
export function useOverview(): { overview: OverviewState | undefined; line: Line; heardAt: number } {
  const [told, setTold] = useState<{ overview: OverviewState; heardAt: number }>()
  const [line, setLine] = useState<Line>('opening')
  useEffect(() => {
    let source: EventSource | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    const close = () => {
      clearTimeout(timer)
      source?.close()
      source = undefined
    }
    const lose = () => {
      setLine('lost')
      close()
      timer = setTimeout(open, AGAIN_MS)
    }
    const hear = () => {
      setLine('live')
      clearTimeout(timer)
      timer = setTimeout(lose, SILENCE_MS)
    }
    const open = () => {
      close()
      source = new EventSource('/v1/events')
      source.addEventListener('overview', ({ data }: MessageEvent<string>) => {
        hear()
        setTold({ overview: JSON.parse(data) as OverviewState, heardAt: Date.now() })
      })
      source.addEventListener('heartbeat', hear)
      source.addEventListener('error', () => {
        setLine('lost')
        if (source?.readyState === EventSource.CLOSED) lose()
      })
      timer = setTimeout(lose, SILENCE_MS)
    }
    // A browser has few lines to one server: tabs that nobody sees leave them to others.
    const turn = () => (document.hidden ? close() : open())
    turn()
    document.addEventListener('visibilitychange', turn)
    return () => {
      document.removeEventListener('visibilitychange', turn)
      close()
    }
  }, [])
  return { overview: told?.overview, line, heardAt: told?.heardAt ?? 0 }
}
