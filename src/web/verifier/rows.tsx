import type { ComponentChildren } from 'preact'
import type { Hex } from '../../bytes/hex.ts'
import { showTime } from '../format.ts'
import { useLanguage } from '../language.ts'

/** A name and what it names, as a description list; what is undefined is left out. */
export function Rows({ of: rows }: { of: readonly (readonly [string, ComponentChildren] | undefined)[] }) {
  return (
    <dl class="verdict-rows">
      {rows
        .filter((row) => row !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

export const Address = ({ of }: { of: Hex }) => <code translate={false}>{of}</code>

/** The last second that a calendar reaches. */
const LAST_SECOND = 8_640_000_000_000

/** A time in the reader's zone; the exact one in UTC beside it, for whoever points at it. */
export function Time({ seconds, ms }: { seconds?: bigint; ms?: number | bigint }) {
  const language = useLanguage()
  const time = ms === undefined ? 1_000 * Number(seconds) : Number(ms)
  if (!(Math.abs(time) <= 1_000 * LAST_SECOND)) return <>{`${time / 1_000} s`}</>
  const exact = new Date(time).toISOString()
  return (
    <time dateTime={exact} title={exact}>
      {showTime(time, language)}
    </time>
  )
}
