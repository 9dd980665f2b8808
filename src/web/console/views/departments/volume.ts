import type { Period } from './period.ts'
import { stepsOf } from './period.ts'

/** What `/v1/stats` answers, as far as it is shown. */
export interface Stats {
  points: Point[]
  latest: string | null
}

export interface Point {
  key: string
  start: string
  calls: number
  refused: number
  failed: number
}

/** A row of bars: a number for each step of a period. */
export interface Series {
  name: string
  /** its place in the palette, where it means something */
  colour?: number
  values: number[]
}

/** Lays points out over the steps of a period; where nothing was counted there is 0. */
export function valuesOf(points: readonly Point[], period: Period, of: (point: Point) => number): number[] {
  const { starts } = stepsOf(period)
  const places = new Map(starts.map((start, place) => [start, place]))
  const values = starts.map(() => 0)
  for (const point of points) {
    const place = places.get(Date.parse(point.start))
    if (place !== undefined) values[place] = (values[place] ?? 0) + of(point)
  }
  return values
}

/** A series for each key, the largest first; those beyond `most` are added up under `rest`. */
export function seriesByKey(
  points: readonly Point[],
  period: Period,
  { most, rest }: { most: number; rest: string },
): Series[] {
  const byKey = [...Map.groupBy(points, ({ key }) => key)]
    .map(([name, its]) => ({ name, points: its, sum: sumOf(its) }))
    .sort((a, b) => b.sum - a.sum || (a.name < b.name ? -1 : 1))
  const shown = byKey.length <= most ? byKey : byKey.slice(0, most - 1)
  const others = byKey.slice(shown.length).flatMap((one) => one.points)
  return [...shown, ...(others.length > 0 ? [{ name: rest, points: others }] : [])].map((one) => ({
    name: one.name,
    values: valuesOf(one.points, period, ({ calls }) => calls),
  }))
}

const sumOf = (points: readonly Point[]): number => points.reduce((sum, { calls }) => sum + calls, 0)

/** Who calls whom, and how often. */
export interface Flow {
  consumer: string
  provider: string
  calls: number
  refused: number
}

/** The flows of points by pair, the largest first. */
export function flowsOf(points: readonly Point[]): Flow[] {
  return points
    .map(({ key, calls, refused }) => {
      // The server writes the keys of pairs.
      const [consumer, provider] = JSON.parse(key) as [string, string]
      return { consumer, provider, calls, refused }
    })
    .sort((a, b) => b.calls - a.calls || (a.consumer + a.provider < b.consumer + b.provider ? -1 : 1))
}

/** Names without what all of them begin with, up to a colon or a slash: a chart has little room. */
export function shortNames(names: Iterable<string>): (name: string) => string {
  const all = [...new Set(names)]
  const [first = ''] = all
  let shared = all.length < 2 ? 0 : first.length
  for (const name of all) {
    while (!name.startsWith(first.slice(0, shared))) shared--
  }
  const cut = Math.max(first.lastIndexOf(':', shared - 1), first.lastIndexOf('/', shared - 1)) + 1
  return (name) => name.slice(shared === 0 ? 0 : cut)
}
