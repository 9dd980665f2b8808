/** What records are found by, besides their source and id. */
export const KEYS = ['resource', 'consumer', 'provider', 'request', 'authorization', 'person'] as const

/** The page of one record. */
export const recordUrl = ({ source, id }: { source: string; id: string }): string =>
  `/explore?${new URLSearchParams({ source, id })}`

/** The record that a URL names. */
export function namedRecord(search: URLSearchParams): { source: string; id: string } | undefined {
  const [source, id] = [search.get('source'), search.get('id')]
  return source === null || id === null || source === '' || id === '' ? undefined : { source, id }
}

/** What the API is asked for a search; undefined where the URL holds none. */
export function recordsQuery(search: URLSearchParams, limit: number): string | undefined {
  const query = new URLSearchParams()
  for (const key of KEYS) {
    const value = search.get(key)
    if (value !== null && value !== '') query.set(key, value)
  }
  if (query.size === 0) return undefined
  for (const [name, value] of periodOf(search)) query.set(name, value)
  const cursor = search.get('cursor')
  if (cursor !== null) query.set('cursor', cursor)
  query.set('limit', String(limit))
  return `/v1/records?${query}`
}

const DATE = /^\d{4}-\d\d-\d\d$/

/**
 * The bounds of time that a URL names, as the API takes them.
 *
 * A day is the reader's own, from midnight to midnight; the last one belongs to it. A full time stands as it is.
 */
export function periodOf(search: URLSearchParams): [name: 'from' | 'to', time: string][] {
  return (['from', 'to'] as const).flatMap((name) => {
    const text = search.get(name)
    if (text === null || text === '') return []
    if (!DATE.test(text)) return [[name, text]]
    const midnight = new Date(`${text}T00:00:00`)
    if (name === 'to') midnight.setDate(midnight.getDate() + 1)
    return Number.isNaN(midnight.getTime()) ? [[name, text]] : [[name, midnight.toISOString()]]
  })
}

/** A URL of a form: what is filled in, and nothing else. */
export function urlOf(path: string, fields: Iterable<[name: string, value: unknown]>): string {
  const search = new URLSearchParams()
  for (const [name, value] of fields) {
    const text = typeof value === 'string' ? value.trim() : ''
    if (text !== '') search.set(name, text)
  }
  return search.size === 0 ? path : `${path}?${search}`
}
