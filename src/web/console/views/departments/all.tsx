import { useMemo } from 'preact/hooks'
import type { DepartmentFigures } from '../../../../rules/departments.ts'
import { showCount, showDuration, showShare } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import { Chart } from '../../chart.tsx'
import { Data } from '../../data.tsx'
import { Shown, useJson } from '../../load.tsx'
import { Link } from '../../router.tsx'
import type { Asked } from './asked.ts'
import { FlowChart } from './flow-chart.tsx'
import { utilisationOption } from './options.ts'
import { type Period, rangeOf, UTC_OFFSET } from './period.ts'
import { usePlace } from './place.ts'
import { Table } from './table.tsx'
import { sumOf, Tiles } from './tiles.tsx'
import { flowsOf, type Stats, seriesByKey, shortNames } from './volume.ts'
import { VolumeChart } from './volume-chart.tsx'

const words = {
  title: { en: 'All departments', zh: '全部部门' },
  volume: { en: 'Calls answered, by provider', zh: '各提供方受理的调用' },
  rest: { en: 'others', zh: '其他' },
  utilisation: { en: 'Shared resources and their use', zh: '共享资源及使用情况' },
  shared: { en: 'Shared', zh: '共享' },
  used: { en: 'Used', zh: '已使用' },
  share: { en: 'Utilisation', zh: '使用率' },
  departments: { en: 'Departments', zh: '部门一览' },
  department: { en: 'Department', zh: '部门' },
  answered: { en: 'Answered', zh: '受理' },
  refused: { en: 'Refused', zh: '拒绝' },
  failed: { en: 'Failed', zh: '失败' },
  made: { en: 'Made', zh: '发起' },
  applications: { en: 'Applications', zh: '办结申请' },
  review: { en: 'Median review', zh: '审核中位数' },
  alerts: { en: 'Alerts', zh: '告警' },
}

/** All departments together, and a line for each. */
export function All({ period, report, pairs }: Asked) {
  const say = useWords(words)
  const { departments, total } = report
  const step = period.day === undefined ? `day&utcOffset=${UTC_OFFSET}` : 'hour'
  const volume = useJson<Stats>(`/v1/stats?by=provider&step=${step}&${rangeOf(period)}`)
  return (
    <>
      <h2>{say.title}</h2>
      <Tiles of={total} />
      <section class="card">
        <h3>{say.volume}</h3>
        <Shown of={volume}>
          {({ points }) => <ByProvider label={say.volume} points={points} period={period} rest={say.rest} />}
        </Shown>
      </section>
      <div class="card">
        <Shown of={pairs}>{({ points }) => <Flows points={points} />}</Shown>
      </div>
      <section class="card">
        <h3>{say.utilisation}</h3>
        <Utilisation departments={departments} />
      </section>
      <section class="card">
        <h3>{say.departments}</h3>
        <DepartmentTable departments={departments} />
      </section>
    </>
  )
}

const MOST_SERIES = 8

function ByProvider({
  label,
  points,
  period: { month, day },
  rest,
}: {
  label: string
  points: Stats['points']
  period: Period
  rest: string
}) {
  const stacked = useMemo(
    () => seriesByKey(points, { month, day }, { most: MOST_SERIES, rest }),
    [points, month, day, rest],
  )
  const nameOf = useMemo(() => {
    const short = shortNames(points.map(({ key }) => key))
    return (name: string) => (name === rest ? name : short(name))
  }, [points, rest])
  return <VolumeChart label={label} period={{ month, day }} stacked={stacked} nameOf={nameOf} />
}

function Flows({ points }: { points: Stats['points'] }) {
  const flows = useMemo(() => flowsOf(points), [points])
  return <FlowChart flows={flows} />
}

function Utilisation({ departments }: { departments: DepartmentFigures[] }) {
  const say = useWords(words)
  const language = useLanguage()
  const sharing = useMemo(() => departments.filter(({ resources }) => resources.shared > 0), [departments])
  const option = useMemo(() => {
    const nameOf = shortNames(sharing.map(({ department }) => department))
    return utilisationOption({
      departments: sharing.map(({ department, resources }) => ({ name: nameOf(department), ...resources })),
      names: { shared: words.shared[language], used: words.used[language] },
      show: (count) => showCount(count, language),
    })
  }, [sharing, language])
  return (
    <Chart label={say.utilisation} heightRem={5 + 2.2 * sharing.length} option={option}>
      <Table
        caption={say.utilisation}
        columns={[say.department, say.shared, say.used, say.share]}
        rows={sharing.map(({ department, resources: { shared, used } }) => ({
          key: department,
          cells: [
            <Data key="name" of={department} />,
            showCount(shared, language),
            showCount(used, language),
            showShare(used / shared, language),
          ],
        }))}
      />
    </Chart>
  )
}

function DepartmentTable({ departments }: { departments: DepartmentFigures[] }) {
  const say = useWords(words)
  const language = useLanguage()
  const place = usePlace()
  const show = (count: number) => showCount(count, language)
  return (
    <Table
      caption={say.departments}
      columns={[
        say.department,
        say.answered,
        say.refused,
        say.failed,
        say.made,
        say.share,
        say.applications,
        say.review,
        say.alerts,
      ]}
      rows={departments.map(
        ({ department, asProvider, asConsumer, resources, applications, review, alerts }) => ({
          key: department,
          cells: [
            <Link key="name" to={place({ department })}>
              <Data of={department} />
            </Link>,
            show(asProvider.calls),
            show(asProvider.refused),
            show(asProvider.failed),
            show(asConsumer.calls),
            resources.shared === 0 ? '–' : showShare(resources.used / resources.shared, language),
            show(applications),
            review.medianMs === null ? '–' : showDuration(review.medianMs, language),
            show(sumOf(alerts, 'detected')),
          ],
        }),
      )}
    />
  )
}
