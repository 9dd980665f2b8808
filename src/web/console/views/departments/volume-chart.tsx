import { useMemo } from 'preact/hooks'
import { showCount } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import { Chart } from '../../chart.tsx'
import { Data } from '../../data.tsx'
import { volumeOption } from './options.ts'
import { type Period, showStep, stepsOf } from './period.ts'
import { Table } from './table.tsx'
import type { Series } from './volume.ts'

const words = {
  day: { en: 'Day', zh: '日期' },
  hour: { en: 'Hour', zh: '时段' },
}

interface VolumeChartProps {
  label: string
  period: Period
  stacked: readonly Series[]
  line?: Series
  nameOf: (name: string) => string
}

/** Calls by day, or by hour of one day. */
export function VolumeChart({ label, period, stacked, line, nameOf }: VolumeChartProps) {
  const say = useWords(words)
  const language = useLanguage()
  const { month, day } = period
  const steps = useMemo(
    () => stepsOf({ month, day }).starts.map((start) => showStep(start, { month, day }, language)),
    [month, day, language],
  )
  const option = useMemo(
    () =>
      volumeOption({
        steps,
        stacked,
        ...(line !== undefined && { line }),
        show: (count) => showCount(count, language),
        nameOf,
      }),
    [steps, stacked, line, nameOf, language],
  )
  const all = [...stacked, ...(line === undefined ? [] : [line])]
  return (
    <Chart label={label} heightRem={22} option={option}>
      <Table
        caption={label}
        columns={[
          day === undefined ? say.day : say.hour,
          ...all.map(({ name }) => <Data key={name} of={name} />),
        ]}
        rows={steps.map((step, place) => ({
          key: step,
          cells: [step, ...all.map(({ values }) => showCount(values[place] ?? 0, language))],
        }))}
      />
    </Chart>
  )
}
