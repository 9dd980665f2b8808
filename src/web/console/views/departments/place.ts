import { useRouter } from '../../router.tsx'

/** The link to this view with some of what it shows changed; undefined takes it out. */
export function usePlace(): (change: Record<string, string | undefined>) => string {
  const { search } = useRouter()
  return (change) => {
    const next = new URLSearchParams(search)
    for (const [name, value] of Object.entries(change)) {
      if (value === undefined) next.delete(name)
      else next.set(name, value)
    }
    return `/departments?${next}`
  }
}
