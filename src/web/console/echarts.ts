import { BarChart, LineChart, SankeyChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import { type EChartsType, init, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'

use([BarChart, LineChart, SankeyChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer])

/** Begins a chart in an element that holds nothing else. */
export function startChart(host: HTMLElement): EChartsType {
  // The page's policy takes no text as HTML, and ECharts empties its element with one.
  Object.defineProperty(host, 'innerHTML', { configurable: true, set: () => host.replaceChildren() })
  return init(host)
}
