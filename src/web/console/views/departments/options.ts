import type { EChartsCoreOption } from 'echarts/core'
import type { Colours } from '../../chart.tsx'
import type { Flow, Series } from './volume.ts'

type Show = (count: number) => string

/**
 * A name out of records as it may be drawn: braces would be markup, and what measures text keeps each line as a member
 * of an object, where a line `__proto__` would change every object of the page.
 */
const drawn = (name: string) => `\u200b${name.replaceAll(/\p{Cc}/gu, ' ').replaceAll('{', '{\u200b')}`

const tooltipOf = ({ surface, line, ink }: Colours) => ({
  renderMode: 'richText',
  confine: true,
  backgroundColor: surface,
  borderColor: line,
  textStyle: { color: ink },
})

const axesOf = ({ soft, line }: Colours) => ({
  axisLabel: { color: soft },
  axisLine: { lineStyle: { color: line } },
  splitLine: { lineStyle: { color: line } },
})

const legendOf = ({ ink, soft }: Colours) => ({
  type: 'plain' as const,
  bottom: 0,
  textStyle: { color: ink },
  inactiveColor: soft,
})

const inColour = (colour: number | undefined, { series }: Colours) =>
  colour !== undefined && { itemStyle: { color: series[colour] } }

interface Bars {
  steps: string[]
  stacked: readonly Series[]
  /** beside the stack, as a line */
  line?: Series
  show: Show
  nameOf: (name: string) => string
}

/** Bars over time, on top of each other. */
export const volumeOption =
  ({ steps, stacked, line, show, nameOf }: Bars) =>
  (colours: Colours): EChartsCoreOption => ({
    grid: { left: 8, right: 16, top: 16, bottom: 64, containLabel: true },
    tooltip: {
      ...tooltipOf(colours),
      trigger: 'axis',
      formatter: (params: unknown) => tooltipText(params, show),
    },
    legend: legendOf(colours),
    xAxis: { type: 'category', data: steps, ...axesOf(colours) },
    yAxis: { type: 'value', minInterval: 1, ...axesOf(colours) },
    series: [
      ...stacked.map(({ name, values, colour }) => ({
        type: 'bar',
        stack: 'calls',
        name: drawn(nameOf(name)),
        data: values,
        ...inColour(colour, colours),
      })),
      ...(line === undefined
        ? []
        : [
            {
              ...{ type: 'line', name: drawn(line.name), data: line.values, symbolSize: 6 },
              ...inColour(line.colour, colours),
            },
          ]),
    ],
  })

interface Utilisation {
  departments: { name: string; shared: number; used: number }[]
  names: { shared: string; used: string }
  show: Show
}

/** What departments share, and how much of it was used. */
export const utilisationOption =
  ({ departments, names, show }: Utilisation) =>
  (colours: Colours): EChartsCoreOption => ({
    grid: { left: 8, right: 24, top: 8, bottom: 40, containLabel: true },
    tooltip: {
      ...tooltipOf(colours),
      trigger: 'axis',
      formatter: (params: unknown) => tooltipText(params, show),
    },
    legend: legendOf(colours),
    xAxis: { type: 'value', minInterval: 1, ...axesOf(colours) },
    yAxis: {
      type: 'category',
      inverse: true,
      data: departments.map(({ name }) => drawn(name)),
      ...axesOf(colours),
      axisLabel: { color: colours.soft, width: 120, overflow: 'truncate' },
    },
    series: [
      {
        type: 'bar',
        name: names.shared,
        data: departments.map(({ shared }) => shared),
        itemStyle: { color: colours.line },
      },
      {
        type: 'bar',
        name: names.used,
        data: departments.map(({ used }) => used),
        itemStyle: { color: colours.series[0] },
      },
    ],
  })

interface Flows {
  flows: Flow[]
  show: Show
  nameOf: (name: string) => string
}

/**
 * Consumers on the left, providers on the right.
 *
 * A department that calls and is called stands on both sides, so that no way leads back.
 */
export const flowOption =
  ({ flows, show, nameOf }: Flows) =>
  (colours: Colours): EChartsCoreOption => {
    const consumers = [...new Set(flows.map(({ consumer }) => consumer))]
    const providers = [...new Set(flows.map(({ provider }) => provider))]
    const departments = [...new Set([...consumers, ...providers])]
    const colourOf = (of: string) => colours.series[departments.indexOf(of) % colours.series.length]
    const label = (name: string, position: 'left' | 'right') => ({
      position,
      color: colours.ink,
      textBorderColor: colours.surface,
      textBorderWidth: 2,
      width: 130,
      overflow: 'truncate',
      formatter: () => drawn(nameOf(name)),
    })
    return {
      tooltip: {
        ...tooltipOf(colours),
        trigger: 'item',
        formatter: (params: unknown) => {
          const { dataType, data, value } = params as {
            dataType?: string
            data: { of?: string; consumer?: string; provider?: string }
            value: number
          }
          const what = dataType === 'edge' ? [data.consumer, data.provider] : [data.of]
          return `${what.map((name = '') => drawn(name)).join(' → ')}\n${show(value)}`
        },
      },
      series: {
        type: 'sankey',
        left: 8,
        right: 8,
        top: 8,
        bottom: 8,
        nodeWidth: 14,
        nodeGap: 8,
        draggable: false,
        emphasis: { focus: 'adjacency' },
        lineStyle: { color: 'source', opacity: 0.35 },
        data: [
          ...consumers.map((of) => ({
            name: `consumer ${of}`,
            of,
            depth: 0,
            itemStyle: { color: colourOf(of) },
            label: label(of, 'right'),
          })),
          ...providers.map((of) => ({
            name: `provider ${of}`,
            of,
            depth: 1,
            itemStyle: { color: colourOf(of) },
            label: label(of, 'left'),
          })),
        ],
        links: flows.map(({ consumer, provider, calls }) => ({
          source: `consumer ${consumer}`,
          target: `provider ${provider}`,
          value: calls,
          consumer,
          provider,
        })),
      },
    }
  }

/** What an axis shows at one place: its name, and each series that has something there. */
function tooltipText(params: unknown, show: Show): string {
  const items = params as { axisValueLabel: string; seriesName: string; value: number }[]
  const lines = items
    .filter(({ value }) => value > 0)
    .map(({ seriesName, value }) => `${seriesName}: ${show(value)}`)
  return [items[0]?.axisValueLabel ?? '', ...lines].join('\n')
}
