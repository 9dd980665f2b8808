import type { ComponentChildren } from 'preact'
import { createContext } from 'preact'
import { useContext, useEffect, useMemo, useState } from 'preact/hooks'
import { type ApiProblem, ask } from './api.ts'

/** Who reads, as the server knows the token. */
interface Reader {
  role: string
  /** the tag of a data subject */
  person?: string
}

interface Session {
  token: string | undefined
  reader: Reader
  /** Takes another token, or none; kept until the tab is closed. */
  setToken(token: string | undefined): void
}

const PUBLIC: Reader = { role: 'public' }
const TOKEN = 'tidemark-token'
const SessionContext = createContext<Session>({ token: undefined, reader: PUBLIC, setToken: () => undefined })

export const useSession = (): Session => useContext(SessionContext)

export function SessionProvider({ children }: { children: ComponentChildren }) {
  const [token, keepToken] = useState(() => sessionStorage.getItem(TOKEN) ?? undefined)
  const [reader, setReader] = useState(PUBLIC)
  useEffect(() => {
    setReader(PUBLIC)
    if (token === undefined) return
    const asking = new AbortController()
    ask('/v1/me', { token, signal: asking.signal })
      .then(async (response) => setReader((await response.json()) as Reader))
      .catch((problem: ApiProblem) => {
        if (asking.signal.aborted) return
        // A token that is no longer known is not worth keeping.
        if (problem.status === 401) setToken(undefined)
      })
    return () => asking.abort()
  }, [token])
  const setToken = (next: string | undefined) => {
    if (next === undefined) sessionStorage.removeItem(TOKEN)
    else sessionStorage.setItem(TOKEN, next)
    keepToken(next)
  }
  const session = useMemo(() => ({ token, reader, setToken }), [token, reader])
  return <SessionContext.Provider value={session}>{children}</SessionContext.Provider>
}
