import { useLanguage, useWords } from '../../../language.ts'
import { Time } from '../../data.tsx'
import { type ShownAlert, stateOf } from './alert.ts'
import { Clock } from './clock.tsx'
import { BatchEvidence, RuleEvidence } from './evidence.tsx'
import { Handling } from './handling.tsx'
import { meaningOf } from './words.ts'

const words = {
  high: { en: 'High', zh: '高' },
  medium: { en: 'Medium', zh: '中' },
  low: { en: 'Low', zh: '低' },
  batch: { en: 'Batch', zh: '批次' },
  open: { en: 'Open', zh: '待处置' },
  reported: { en: 'Reported', zh: '已上报' },
  closed: { en: 'Closed', zh: '已关闭' },
  severity: { en: 'Severity', zh: '严重程度' },
  number: { en: (id: string) => `Alert ${id}`, zh: (id: string) => `告警 ${id}` },
  raised: { en: 'raised', zh: '发现于' },
  evidence: { en: 'What shows it', zh: '证据' },
  download: { en: 'Download as JSON', zh: '下载 JSON' },
}

interface CardProps {
  of: ShownAlert
  now: number
  onHandled: () => void
}

/** An alert: what was found, by when it is to be reported, what shows it, and what may be done. */
export function AlertCard({ of, now, onHandled }: CardProps) {
  const say = useWords(words)
  const language = useLanguage()
  const { id, raisedAt, alert } = of
  const { title, description } = meaningOf(of, language)
  const severity = alert.kind === 'rule' ? alert.severity : 'batch'
  return (
    <li class={`card alert ${severity} ${stateOf(of)}`}>
      <h2>{title}</h2>
      <p class="marks">
        <span class={`mark ${severity}`}>
          <span class="visually-hidden">{say.severity}</span> {say[severity]}
        </span>
        <span class="mark">{say[stateOf(of)]}</span>
        <span class="soft">
          {say.number(id)}, {say.raised} <Time of={Number(raisedAt)} />
        </span>
      </p>
      <Clock of={of} now={now} />
      <p>{description}</p>
      <details>
        <summary>{say.evidence}</summary>
        {alert.kind === 'rule' ? <RuleEvidence alert={alert} /> : <BatchEvidence alert={alert} />}
        <button type="button" onClick={() => download(of)}>
          {say.download}
        </button>
      </details>
      {alert.kind === 'rule' && <Handling of={of} onHandled={onHandled} />}
    </li>
  )
}

function download(of: ShownAlert): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(of, undefined, 2)], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = `tidemark-alert-${of.id}.json`
  link.click()
  URL.revokeObjectURL(url)
}
