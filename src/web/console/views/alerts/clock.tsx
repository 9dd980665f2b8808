import { useEffect, useState } from 'preact/hooks'
import { useWords } from '../../../language.ts'
import { Time } from '../../data.tsx'
import { type ShownAlert, stateOf } from './alert.ts'

const words = {
  left: { en: (time: string) => `${time} left to report it`, zh: (time: string) => `距上报时限还有 ${time}` },
  soon: {
    en: (time: string) => `Only ${time} left to report it`,
    zh: (time: string) => `即将超时：距上报时限仅剩 ${time}`,
  },
  over: { en: (time: string) => `Overdue by ${time}`, zh: (time: string) => `已超时 ${time}` },
  due: { en: 'to be reported by', zh: '上报时限' },
  reported: { en: 'Reported', zh: '已上报' },
  late: { en: 'Reported after its deadline', zh: '逾期上报' },
  closed: { en: 'Closed', zh: '已关闭' },
}

/**
 * The time of the server, every second.
 *
 * @param aheadMs how far its clock is ahead of the reader's
 */
export function useServerNow(aheadMs: number): number {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const ticking = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(ticking)
  }, [])
  return now + aheadMs
}

/** By when an alert has to be reported and how long that still is, or when it was. */
export function Clock({ of, now }: { of: ShownAlert; now: number }) {
  const say = useWords(words)
  const { deadline, reportedAt, closedAt, raisedAt } = of
  if (stateOf(of) === 'closed' && closedAt !== undefined) {
    return (
      <p class="clock good">
        {say.closed} <Time of={Number(closedAt)} />
      </p>
    )
  }
  if (deadline === undefined) return null
  if (reportedAt !== undefined) {
    const isLate = Number(reportedAt) > Number(deadline)
    return (
      <p class={`clock ${isLate ? 'warn' : 'good'}`}>
        {isLate ? say.late : say.reported} <Time of={Number(reportedAt)} />
      </p>
    )
  }
  const leftMs = Number(deadline) - now
  // As the server warns: when a quarter of the time is left.
  const isSoon = leftMs * 4 <= Number(deadline) - Number(raisedAt)
  const text = leftMs < 0 ? say.over : isSoon ? say.soon : say.left
  return (
    <p class={`clock ${leftMs < 0 ? 'bad' : isSoon ? 'warn' : ''}`}>
      <strong role="timer">{text(showClock(Math.abs(leftMs)))}</strong>{' '}
      <span class="soft">
        {say.due} <Time of={Number(deadline)} />
      </span>
    </p>
  )
}

/** Hours, minutes and seconds. */
function showClock(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1_000)
  const two = (number: number) => String(number).padStart(2, '0')
  return `${Math.floor(seconds / 3_600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}
