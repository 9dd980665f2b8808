import { showEnds, showTime } from '../format.ts'
import { useLanguage } from '../language.ts'

/** A text out of the ledger: in no language, and in whichever direction it is written. */
export const Data = ({ of: text }: { of: string }) => (
  <bdi class="data" translate={false}>
    {text}
  </bdi>
)

/** A hash or an address, shortened to its ends; the whole of it for whoever points at it. */
export const Short = ({ of: hex }: { of: string }) => (
  <code class="mono" translate={false} title={hex}>
    {showEnds(hex)}
  </code>
)

/** A time in the reader's own zone; the exact one in UTC for whoever points at it. */
export function Time({ of: time }: { of: string | number }) {
  const language = useLanguage()
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return <Data of={String(time)} />
  const exact = date.toISOString()
  return (
    <time dateTime={exact} title={exact}>
      {showTime(date, language)}
    </time>
  )
}
