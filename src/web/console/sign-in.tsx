import { useRef, useState } from 'preact/hooks'
import { useWords } from '../language.ts'
import { ApiProblem, ask } from './api.ts'
import { useSession } from './session.tsx'

const words = {
  signIn: { en: 'Sign in', zh: '登录' },
  signOut: { en: 'Sign out', zh: '退出' },
  token: { en: 'Bearer token', zh: '访问令牌' },
  hint: {
    en: 'An operator makes one with “tidemark token create”. It stays in this tab.',
    zh: '由运营方用“tidemark token create”生成，只保存在本标签页。',
  },
  cancel: { en: 'Cancel', zh: '取消' },
  unknown: { en: 'This token is not known here.', zh: '此处不认识这个令牌。' },
  public: { en: 'Public view', zh: '公开视图' },
  auditor: { en: 'Auditor', zh: '审计员' },
  subject: { en: 'Data subject', zh: '数据主体' },
  service: { en: 'Service', zh: '服务' },
} as const

/** Who reads, and a way to read as somebody else. */
export function SignIn() {
  const say = useWords(words)
  const { token, reader, setToken } = useSession()
  const dialog = useRef<HTMLDialogElement>(null)
  const field = useRef<HTMLInputElement>(null)
  const [refused, setRefused] = useState<string>()
  const role =
    reader.role === 'public' || reader.role === 'auditor' || reader.role === 'subject'
      ? say[reader.role]
      : say.service

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const entered = field.current?.value.trim() ?? ''
    try {
      await ask('/v1/me', { token: entered })
      setToken(entered)
      dialog.current?.close()
    } catch (problem) {
      setRefused(problem instanceof ApiProblem && problem.status === 401 ? say.unknown : String(problem))
    }
  }
  return (
    <>
      <span class="role soft">{role}</span>
      {token === undefined ? (
        <button type="button" onClick={() => dialog.current?.showModal()}>
          {say.signIn}
        </button>
      ) : (
        <button type="button" onClick={() => setToken(undefined)}>
          {say.signOut}
        </button>
      )}
      <dialog ref={dialog} aria-label={say.signIn} onClose={() => setRefused(undefined)}>
        <form onSubmit={submit}>
          <label>
            {say.token}
            <input ref={field} type="password" autocomplete="off" required />
          </label>
          <p class="soft">{say.hint}</p>
          {refused !== undefined && (
            <p class="bad" role="alert">
              {refused}
            </p>
          )}
          <button class="primary" type="submit">
            {say.signIn}
          </button>{' '}
          <button type="button" onClick={() => dialog.current?.close()}>
            {say.cancel}
          </button>
        </form>
      </dialog>
    </>
  )
}
