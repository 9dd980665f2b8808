import type { DepartmentFigures } from '../../../../rules/departments.ts'
import type { AlertFigures } from '../../../../rules/incidents.ts'
import { showCount, showDuration, showShare } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'

const words = {
  answered: { en: 'Calls answered', zh: '受理调用' },
  refused: {
    en: (refused: string, failed: string) => `${refused} refused, ${failed} failed`,
    zh: (refused: string, failed: string) => `拒绝 ${refused}，失败 ${failed}`,
  },
  asked: { en: 'Calls made', zh: '发起调用' },
  askedHint: { en: 'as the consumers tell it', zh: '以使用方记录为准' },
  utilisation: { en: 'Utilisation', zh: '资源使用率' },
  used: {
    en: (used: string, shared: string) => `${used} of ${shared} shared resources used`,
    zh: (used: string, shared: string) => `共享资源 ${shared} 项，已使用 ${used} 项`,
  },
  applications: { en: 'Applications served', zh: '办结申请' },
  applicationsHint: { en: 'requests answered with success', zh: '成功答复的请求' },
  review: { en: 'Median review time', zh: '审核时间中位数' },
  reviewHint: {
    en: (called: string) => `from ${called} grants to their first call`,
    zh: (called: string) => `${called} 项授权至首次调用`,
  },
  alerts: { en: 'Alerts', zh: '告警' },
  closed: {
    en: (closed: string) => `detected in this period, ${closed} closed`,
    zh: (closed: string) => `本期发现，已关闭 ${closed}`,
  },
}

type TileFigures = Pick<
  DepartmentFigures,
  'asProvider' | 'asConsumer' | 'resources' | 'applications' | 'review' | 'alerts'
>

/** The figures of one department, or of all, at a glance. */
export function Tiles({ of }: { of: TileFigures }) {
  const say = useWords(words)
  const language = useLanguage()
  const show = (count: number) => showCount(count, language)
  const { asProvider, asConsumer, resources, applications, review, alerts } = of
  const tiles: [name: string, value: string, hint: string][] = [
    [say.answered, show(asProvider.calls), say.refused(show(asProvider.refused), show(asProvider.failed))],
    [say.asked, show(asConsumer.calls), say.askedHint],
    [
      say.utilisation,
      resources.shared === 0 ? '–' : showShare(resources.used / resources.shared, language),
      say.used(show(resources.used), show(resources.shared)),
    ],
    [say.applications, show(applications), say.applicationsHint],
    [
      say.review,
      review.medianMs === null ? '–' : showDuration(review.medianMs, language),
      say.reviewHint(show(review.called)),
    ],
    [say.alerts, show(sumOf(alerts, 'detected')), say.closed(show(sumOf(alerts, 'closed')))],
  ]
  return (
    <dl class="tiles figures">
      {tiles.map(([name, value, hint]) => (
        <div key={name} class="card">
          <dt>{name}</dt>
          <dd class="figure">{value}</dd>
          <dd class="soft">{hint}</dd>
        </div>
      ))}
    </dl>
  )
}

export const sumOf = (alerts: readonly AlertFigures[], what: 'detected' | 'closed'): number =>
  alerts.reduce((sum, one) => sum + one[what], 0)
