import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useWords } from '../language.ts'
import { ApiProblem, ask } from './api.ts'
import { useSession } from './session.tsx'

export type Loaded<T> =
  | { state: 'loading' }
  | { state: 'there'; value: T }
  | { state: 'failed'; problem: ApiProblem; again: () => void }

/**
 * What the server answers, as JSON, asked again when the path, the reader or `key` changes.
 *
 * @param path undefined while there is nothing to ask
 */
export function useJson<T>(path: string | undefined, key: unknown = 0): Loaded<T> {
  const { token } = useSession()
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: 'loading' })
  const [turn, setTurn] = useState(0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` and `turn` say when to ask again
  useEffect(() => {
    if (path === undefined) return
    const asking = new AbortController()
    ask(path, { token, signal: asking.signal })
      .then(async (response) => setLoaded({ state: 'there', value: (await response.json()) as T }))
      .catch((problem: unknown) => {
        if (asking.signal.aborted) return
        const known = problem instanceof ApiProblem ? problem : new ApiProblem(0, 'FAULT', String(problem))
        setLoaded({ state: 'failed', problem: known, again: () => setTurn((count) => count + 1) })
      })
    return () => asking.abort()
  }, [path, token, key, turn])
  return loaded
}

const words = {
  loading: { en: 'Loading…', zh: '正在加载……' },
  away: { en: 'The server does not answer.', zh: '服务器没有响应。' },
  failed: { en: 'This could not be shown:', zh: '无法显示：' },
  again: { en: 'Try again', zh: '重试' },
}

/** Shows what was loaded, or that it is on its way, or why it is not there and what can be done. */
export function Shown<T>({
  of: loaded,
  children,
}: {
  of: Loaded<T>
  children: (value: T) => ComponentChildren
}) {
  const say = useWords(words)
  if (loaded.state === 'there') return <>{children(loaded.value)}</>
  if (loaded.state === 'loading')
    return (
      <p class="soft loading" role="status">
        {say.loading}
      </p>
    )
  const { problem, again } = loaded
  return (
    <div class="card failed" role="alert">
      <p>{problem.status === 0 ? say.away : `${say.failed} ${problem.message}`}</p>
      <button type="button" onClick={again}>
        {say.again}
      </button>
    </div>
  )
}
