import { showCount } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'

const words = {
  quiet: { en: 'No record in the last minute', zh: '最近一分钟没有新记录' },
  figures: {
    en: (now: string, most: string, all: string) =>
      `${now} records in the last second, at most ${most} in one, ${all} in the last minute`,
    zh: (now: string, most: string, all: string) =>
      `最近一秒 ${now} 条，单秒最多 ${most} 条，最近一分钟共 ${all} 条`,
  },
}

const WIDTH = 600
const HEIGHT = 96

/** Records of each second as a line, and the same in words. */
export function RateLine({ rate }: { rate: readonly number[] }) {
  const say = useWords(words)
  const language = useLanguage()
  const most = Math.max(...rate)
  const show = (value: number) => showCount(Math.round(value), language)
  const sum = rate.reduce((total, one) => total + one, 0)
  const points = rate.map((value, second) => {
    const x = (second * WIDTH) / (rate.length - 1)
    return `${x.toFixed(1)},${(HEIGHT - 2 - (value / Math.max(most, 1)) * (HEIGHT - 4)).toFixed(1)}`
  })
  return (
    <figure class="rate">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <polygon points={`0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`} />
        <polyline points={points.join(' ')} />
      </svg>
      <figcaption class="soft">
        {sum === 0 ? say.quiet : say.figures(show(rate.at(-1) ?? 0), show(most), show(sum))}
      </figcaption>
    </figure>
  )
}
