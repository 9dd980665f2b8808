import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useWords } from '../language.ts'
import './chart.css'
import type { EChartsCoreOption, EChartsType } from 'echarts/core'

/** The colours of the page as they are now, for what is painted and not styled. */
export interface Colours {
  ink: string
  soft: string
  line: string
  surface: string
  /** of series, each told from the others */
  series: string[]
}

const words = {
  figures: { en: 'The figures as a table', zh: '以表格查看数据' },
  broken: {
    en: 'The chart could not be loaded. Its figures are in the table.',
    zh: '图表未能加载，数据见表格。',
  },
}

const SERIES = 8

interface ChartProps {
  /** what it shows, for who cannot see it */
  label: string
  heightRem: number
  option: (colours: Colours) => EChartsCoreOption
  /** a table of the same figures */
  children: ComponentChildren
}

/** A chart that follows the size and the colours of the page, with its figures as a table behind it. */
export function Chart({ label, heightRem, option, children }: ChartProps) {
  const say = useWords(words)
  const host = useRef<HTMLDivElement>(null)
  const [chart, setChart] = useState<EChartsType>()
  const [isBroken, setBroken] = useState(false)
  const scheme = useScheme()

  useEffect(() => {
    const element = host.current
    if (element === null) return
    let started: EChartsType | undefined
    let isGone = false
    const watch = new ResizeObserver(() => started?.resize())
    import('./echarts.ts').then(
      ({ startChart }) => {
        if (isGone) return
        started = startChart(element)
        watch.observe(element)
        setChart(started)
      },
      () => setBroken(true),
    )
    return () => {
      isGone = true
      watch.disconnect()
      started?.dispose()
    }
  }, [])

  // `scheme` says that the colours are others.
  useEffect(() => {
    const element = host.current
    if (chart === undefined || element === null || chart.isDisposed()) return
    const colours = coloursOf(element)
    chart.setOption(
      {
        animation: !matchMedia('(prefers-reduced-motion: reduce)').matches,
        color: colours.series,
        textStyle: { color: colours.ink, fontFamily: getComputedStyle(element).fontFamily },
        ...option(colours),
      },
      true,
    )
  }, [chart, option, scheme])

  return (
    <figure class="chart-figure">
      {isBroken && <p role="alert">{say.broken}</p>}
      <div
        ref={host}
        class="chart"
        role="img"
        aria-label={label}
        style={{ height: `${heightRem}rem` }}
        hidden={isBroken}
      />
      <details open={isBroken}>
        <summary>{say.figures}</summary>
        {children}
      </details>
    </figure>
  )
}

/** Changes whenever the page's colours do. */
function useScheme(): number {
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    const changed = () => setTurn((count) => count + 1)
    const themes = new MutationObserver(changed)
    themes.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
    const system = matchMedia('(prefers-color-scheme: dark)')
    system.addEventListener('change', changed)
    return () => {
      themes.disconnect()
      system.removeEventListener('change', changed)
    }
  }, [])
  return turn
}

function coloursOf(element: HTMLElement): Colours {
  const probe = document.createElement('span')
  element.append(probe)
  const colour = (name: string) => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const found = {
    ink: colour('ink'),
    soft: colour('ink-soft'),
    line: colour('line'),
    surface: colour('surface'),
    series: Array.from({ length: SERIES }, (_, i) => colour(`chart-${i + 1}`)),
  }
  probe.remove()
  return found
}
