import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useWords } from '../language.ts'
import { ApiProblem, ask } from './api.ts'
import { Fault } from './fault.tsx'
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
  const asking = async (signal: AbortSignal) => (await (await ask(path ?? '', { token, signal })).json()) as T
  return useLoaded(path === undefined ? undefined : asking, [path, token, key])
}

/**
 * What `load` gives, loaded again when one of `keys` changes.
 *
 * @param load undefined while there is nothing to load
 */
export function useLoaded<T>(
  load: ((signal: AbortSignal) => Promise<T>) | undefined,
  keys: readonly unknown[],
): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: 'loading' })
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    if (load === undefined) return
    const asking = new AbortController()
    load(asking.signal)
      .then((value) => {
        if (!asking.signal.aborted) setLoaded({ state: 'there', value })
      })
      .catch((problem: unknown) => {
        if (asking.signal.aborted) return
        const known = problem instanceof ApiProblem ? problem : new ApiProblem(0, 'FAULT', String(problem))
        setLoaded({ state: 'failed', problem: known, again: () => setTurn((count) => count + 1) })
      })
    return () => asking.abort()
  }, [...keys, turn])
  return loaded
}

const words = {
  loading: { en: 'Loading…', zh: '正在加载……' },
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
  return <Fault of={loaded.problem} again={loaded.again} />
}
