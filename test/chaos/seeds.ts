/** The options by which a run of seeds is chosen, for `parseArgs`. */
export const SEED_OPTIONS = {
  seed: { type: 'string' },
  seeds: { type: 'string' },
  count: { type: 'string' },
  jobs: { type: 'string', default: '3' },
} as const

/** The one that is named, those from A to B, or as many as are wanted from 1 on. */
export function seedsOf(values: { seed?: string; seeds?: string; count?: string }): number[] {
  if (values.seed !== undefined) return [whole(values.seed, 'seed')]
  const [first, last] = (values.seeds ?? `1..${values.count ?? 20}`).split('..')
  const from = whole(first, 'seeds')
  const to = whole(last, 'seeds')
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

/** A whole number of the command line; ends the program when it is none. */
export function whole(text: string | undefined, name: string): number {
  if (text !== undefined && /^\d{1,9}$/.test(text)) return Number(text)
  console.error(`--${name} takes whole numbers, not ${text}`)
  process.exit(2)
}
