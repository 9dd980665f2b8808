import { useEffect, useState } from 'preact/hooks'

/** Changes whenever the server says that there is another number of alerts, or another clock. */
export function usePulse(): string {
  const [pulse, setPulse] = useState('')
  useEffect(() => {
    const source = new EventSource('/v1/events')
    source.addEventListener('overview', ({ data }: MessageEvent<string>) => {
      const { alerts, ledger } = JSON.parse(data) as Record<'alerts' | 'ledger', unknown>
      setPulse(JSON.stringify([alerts, ledger]))
    })
    return () => source.close()
  }, [])
  return pulse
}
