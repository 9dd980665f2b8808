import { useMemo } from 'preact/hooks'
import type { DepartmentFigures } from '../../../../rules/departments.ts'
import { RULES } from '../../../../rules/index.ts'
import { showCount, showDuration } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import { Data } from '../../data.tsx'
import { type Loaded, Shown, useJson } from '../../load.tsx'
import { Link } from '../../router.tsx'
import type { Asked } from './asked.ts'
import { FlowChart } from './flow-chart.tsx'
import { type Period, rangeOf, UTC_OFFSET } from './period.ts'
import { usePlace } from './place.ts'
import { Table } from './table.tsx'
import { Tiles } from './tiles.tsx'
import { flowsOf, type Point, type Stats, valuesOf } from './volume.ts'
import { VolumeChart } from './volume-chart.tsx'

const words = {
  back: { en: '‹ All departments', zh: '‹ 全部部门' },
  nothing: { en: 'It is in no record of this month.', zh: '本月没有涉及该部门的记录。' },
  volume: { en: 'Calls answered and made', zh: '受理与发起的调用' },
  answered: { en: 'Answered', zh: '受理成功' },
  refused: { en: 'Refused', zh: '拒绝' },
  failed: { en: 'Failed', zh: '失败' },
  made: { en: 'Made', zh: '发起' },
  refusals: { en: 'Refusals and their reasons', zh: '拒绝及理由' },
  reason: { en: 'Reason', zh: '理由' },
  role: { en: 'Told as', zh: '记录身份' },
  provider: { en: 'provider', zh: '提供方' },
  consumer: { en: 'consumer', zh: '使用方' },
  count: { en: 'Count', zh: '次数' },
  noRefusals: { en: 'No refusal was recorded.', zh: '没有拒绝记录。' },
  alerts: { en: 'Alerts by rule', zh: '各规则告警' },
  rule: { en: 'Rule', zh: '规则' },
  detected: { en: 'Detected', zh: '发现' },
  reported: { en: 'Reported', zh: '已上报' },
  closed: { en: 'Closed', zh: '已关闭' },
  toReport: { en: 'Median to report', zh: '上报用时中位数' },
  longest: { en: 'Longest open', zh: '最长处置用时' },
  noAlerts: { en: 'No alert was detected in this period.', zh: '本期未发现告警。' },
  open: { en: 'Alerts of this department', zh: '查看该部门的告警' },
}

/** One department: what it did in both of its roles, and what was found. */
export function One({ name, period, report, pairs }: Asked & { name: string }) {
  const say = useWords(words)
  const place = usePlace()
  const figures = report.departments.find(({ department }) => department === name)
  const step = period.day === undefined ? `day&utcOffset=${UTC_OFFSET}` : 'hour'
  const search = `step=${step}&${rangeOf(period)}&key=${encodeURIComponent(name)}`
  const answered = useJson<Stats>(`/v1/stats?by=provider&${search}`)
  const made = useJson<Stats>(`/v1/stats?by=consumer&${search}`)
  return (
    <>
      <p>
        <Link to={place({ department: undefined })}>{say.back}</Link>
      </p>
      <h2>
        <Data of={name} />
      </h2>
      {figures === undefined ? <p class="soft">{say.nothing}</p> : <Tiles of={figures} />}
      <section class="card">
        <h3>{say.volume}</h3>
        <Shown of={bothOf(answered, made)}>
          {([as, by]) => <BothRoles answered={as.points} made={by.points} period={period} />}
        </Shown>
      </section>
      <div class="card">
        <Shown of={pairs}>{({ points }) => <FlowsOf name={name} points={points} />}</Shown>
      </div>
      {figures !== undefined && (
        <>
          <section class="card">
            <h3>{say.refusals}</h3>
            <Refusals of={figures.refusals} />
          </section>
          <section class="card">
            <h3>{say.alerts}</h3>
            <AlertTable of={figures.alerts} />
            <p>
              <Link to={`/alerts?${new URLSearchParams({ department: name })}`}>{say.open}</Link>
            </p>
          </section>
        </>
      )}
    </>
  )
}

function bothOf<A, B>(one: Loaded<A>, other: Loaded<B>): Loaded<[A, B]> {
  if (one.state === 'failed') return one
  if (other.state === 'failed') return other
  if (one.state === 'loading' || other.state === 'loading') return { state: 'loading' }
  return { state: 'there', value: [one.value, other.value] }
}

/** Of the palette in chart.css. */
const [VIOLET, RED] = [3, 4]

function BothRoles({
  answered,
  made,
  period: { month, day },
}: {
  answered: Point[]
  made: Point[]
  period: Period
}) {
  const say = useWords(words)
  const language = useLanguage()
  const [stacked, line] = useMemo(() => {
    const period = { month, day }
    const series = (
      name: keyof typeof words & ('answered' | 'refused' | 'failed'),
      colour: number,
      of: (point: Point) => number,
    ) => ({
      name: words[name][language],
      colour,
      values: valuesOf(answered, period, of),
    })
    const outcomes = [
      series('answered', 0, ({ calls, refused, failed }) => calls - refused - failed),
      series('refused', 1, ({ refused }) => refused),
      series('failed', RED, ({ failed }) => failed),
    ]
    const asking = {
      name: words.made[language],
      colour: VIOLET,
      values: valuesOf(made, period, ({ calls }) => calls),
    }
    return [outcomes, asking] as const
  }, [answered, made, month, day, language])
  return (
    <VolumeChart label={say.volume} period={{ month, day }} stacked={stacked} line={line} nameOf={same} />
  )
}

const same = (name: string) => name

function FlowsOf({ name, points }: { name: string; points: Point[] }) {
  const flows = useMemo(
    () => flowsOf(points).filter(({ consumer, provider }) => consumer === name || provider === name),
    [name, points],
  )
  return <FlowChart flows={flows} />
}

function Refusals({ of }: { of: DepartmentFigures['refusals'] }) {
  const say = useWords(words)
  const language = useLanguage()
  if (of.length === 0) return <p class="soft">{say.noRefusals}</p>
  return (
    <Table
      caption={say.refusals}
      columns={[say.reason, say.role, say.count]}
      rows={of.map(({ role, reason, count }) => ({
        key: `${role} ${reason}`,
        cells: [<Data key="reason" of={reason} />, say[role], showCount(count, language)],
      }))}
    />
  )
}

function AlertTable({ of }: { of: DepartmentFigures['alerts'] }) {
  const say = useWords(words)
  const language = useLanguage()
  if (of.length === 0) return <p class="soft">{say.noAlerts}</p>
  const titleOf = (name: string) => RULES.find((rule) => rule.name === name)?.title[language] ?? name
  const took = (ms: number | null) => (ms === null ? '–' : showDuration(ms, language))
  return (
    <Table
      caption={say.alerts}
      columns={[say.rule, say.detected, say.reported, say.closed, say.toReport, say.longest]}
      rows={of.map((one) => ({
        key: `${one.rule} ${one.severity}`,
        cells: [
          titleOf(one.rule),
          ...[one.detected, one.reported, one.closed].map((count) => showCount(count, language)),
          took(one.medianToReportMs),
          took(one.longestToCloseMs),
        ],
      }))}
    />
  )
}
