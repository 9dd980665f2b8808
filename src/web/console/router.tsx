import type { ComponentChildren } from 'preact'
import { createContext } from 'preact'
import { useCallback, useContext, useEffect, useState } from 'preact/hooks'

/** Where the reader is: the path names the view, the search its filters, so that a link says it all. */
interface Place {
  path: string
  search: URLSearchParams
}

interface Router extends Place {
  go(url: string, options?: { replace?: boolean }): void
}

const RouterContext = createContext<Router | undefined>(undefined)

const placeNow = (): Place => ({ path: location.pathname, search: new URLSearchParams(location.search) })

export function RouterProvider({ children }: { children: ComponentChildren }) {
  const [place, setPlace] = useState(placeNow)
  useEffect(() => {
    const moved = () => setPlace(placeNow())
    addEventListener('popstate', moved)
    return () => removeEventListener('popstate', moved)
  }, [])
  const go = useCallback((url: string, { replace = false } = {}) => {
    history[replace ? 'replaceState' : 'pushState'](null, '', url)
    setPlace(placeNow())
  }, [])
  return <RouterContext.Provider value={{ ...place, go }}>{children}</RouterContext.Provider>
}

export function useRouter(): Router {
  const router = useContext(RouterContext)
  if (router === undefined) throw new Error('there is no RouterProvider around this')
  return router
}

interface LinkProps {
  to: string
  current?: boolean
  class?: string
  children: ComponentChildren
}

/** A link within the console, which a reader may open elsewhere as any other link. */
export function Link({ to, current = false, children, ...rest }: LinkProps) {
  const { go } = useRouter()
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    go(to)
  }
  return (
    <a href={to} onClick={follow} {...(current && { 'aria-current': 'page' })} {...rest}>
      {children}
    </a>
  )
}
