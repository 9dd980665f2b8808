import { useRef, useState } from 'preact/hooks'
import { useWords } from '../../../language.ts'
import { ApiProblem, ask } from '../../api.ts'
import { useSession } from '../../session.tsx'
import { type ShownAlert, stateOf } from './alert.ts'

const words = {
  handle: { en: 'Handle', zh: '处置' },
  note: { en: 'Note, kept sealed in the ledger', zh: '处置说明（封存在账本中）' },
  report: { en: 'It has been reported', zh: '标记为已上报' },
  close: { en: 'Close it', zh: '关闭告警' },
  who: {
    en: 'Who has a token that handles alerts can say here that it was reported, and close it. Sign in with one.',
    zh: '持有告警处置令牌的人员可在此标记上报并关闭告警，请先登录。',
  },
  wrong: {
    en: 'The token that you are signed in with does not handle alerts.',
    zh: '当前登录的令牌无权处置告警。',
  },
  unknown: {
    en: 'Your token is not known here any more. Sign in again.',
    zh: '令牌已失效，请重新登录。',
  },
  forbidden: { en: 'Your token may not handle alerts.', zh: '该令牌无权处置告警。' },
  closed: {
    en: 'Somebody has closed this alert in the meantime.',
    zh: '该告警已被他人关闭。',
  },
  away: {
    en: 'The server does not answer. Nothing was changed as far as is known here.',
    zh: '服务器没有响应，目前未见任何变更。',
  },
  failed: { en: 'This could not be done.', zh: '操作未能完成。' },
}

interface HandlingProps {
  of: ShownAlert
  onHandled: () => void
}

/** What who may can say about an alert: that it was reported, or is closed, with a note. */
export function Handling({ of, onHandled }: HandlingProps) {
  const say = useWords(words)
  const { token, reader } = useSession()
  const note = useRef<HTMLTextAreaElement>(null)
  const [refused, setRefused] = useState<string>()
  const [isBusy, setBusy] = useState(false)
  const state = stateOf(of)
  if (state === 'closed') return null

  const handle = async (next: 'reported' | 'closed') => {
    setBusy(true)
    setRefused(undefined)
    const text = note.current?.value.trim() ?? ''
    try {
      await ask(`/v1/alerts/${of.id}`, {
        method: 'POST',
        token,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ state: next, ...(text !== '' && { note: text }) }),
      })
      onHandled()
    } catch (problem) {
      setRefused(reasonOf(problem, say))
    } finally {
      setBusy(false)
    }
  }
  return (
    <details class="handling">
      <summary>{say.handle}</summary>
      {reader.role !== 'handler' ? (
        <p class="soft">{token === undefined ? say.who : say.wrong}</p>
      ) : (
        <form onSubmit={(event) => event.preventDefault()}>
          <label>
            {say.note}
            <textarea ref={note} rows={2} maxLength={4_096} />
          </label>
          {state === 'open' && (
            <button type="button" class="primary" disabled={isBusy} onClick={() => handle('reported')}>
              {say.report}
            </button>
          )}{' '}
          <button type="button" disabled={isBusy} onClick={() => handle('closed')}>
            {say.close}
          </button>
        </form>
      )}
      {refused !== undefined && (
        <p class="bad" role="alert">
          {refused}
        </p>
      )}
    </details>
  )
}

function reasonOf(
  problem: unknown,
  say: Record<'unknown' | 'forbidden' | 'closed' | 'away' | 'failed', string>,
) {
  if (!(problem instanceof ApiProblem)) return say.failed
  if (problem.status === 401) return say.unknown
  if (problem.status === 403) return say.forbidden
  if (problem.code === 'ALERT_CLOSED') return say.closed
  return problem.status === 0 ? say.away : say.failed
}
