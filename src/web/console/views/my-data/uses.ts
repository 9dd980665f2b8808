import { type FlowRecord, textOf } from '../../../../record/index.ts'

/** One use of somebody's data, or an attempt: what one side recorded of it, or both. */
export interface Use {
  /** as whoever recorded it first states it */
  time: string
  consumer: string
  provider: string
  resource: string
  operation: string
  requestId: string
  outcome: 'success' | 'refused' | 'failed'
  /** of a refusal */
  reason?: string
  purpose?: string
  legalBasis?: string
  /** the grant that it cites */
  authorization?: string
  rows?: number
  told: { side: string; source: string; id: string }[]
}

const OUTCOMES = ['success', 'refused', 'failed'] as const

/** The uses among records, the newest first: two records are one use where they tell the two sides of one request. */
export function usesOf(records: readonly FlowRecord[]): Use[] {
  const uses: Use[] = []
  const latest = new Map<string, Use>()
  for (const record of records) {
    const use = useOf(record)
    if (use === undefined) continue
    const key = JSON.stringify([use.requestId, use.consumer, use.provider, use.resource])
    const known = latest.get(key)
    const [own] = use.told
    if (known !== undefined && own !== undefined && known.told.every(({ side }) => side !== own.side)) {
      join(known, use)
      continue
    }
    latest.set(key, use)
    uses.push(use)
  }
  return uses.sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0))
}

function useOf(record: FlowRecord): Use | undefined {
  const { type, source, id, time, subject = '', data } = record
  if (type !== 'tidemark.call.v1' && type !== 'tidemark.refusal.v1') return undefined
  const text = (name: string) => textOf(record, name) ?? ''
  const optional = Object.fromEntries(
    ['purpose', 'legalBasis', 'authorization', 'reason'].flatMap((name) => {
      const value = textOf(record, name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
  return {
    time,
    consumer: text('consumer'),
    provider: text('provider'),
    resource: subject,
    operation: text('operation'),
    requestId: text('requestId'),
    outcome:
      type === 'tidemark.refusal.v1'
        ? 'refused'
        : (OUTCOMES.find((known) => known === data.outcome) ?? 'failed'),
    ...optional,
    ...(typeof data.rows === 'number' && { rows: data.rows }),
    told: [{ side: text('side'), source, id }],
  }
}

/** Takes in what the other side says: of two outcomes the one that gave more away, of two times the earlier. */
function join(use: Use, other: Use): void {
  const { told, time, outcome, ...more } = other
  Object.assign(use, { ...more, ...use })
  use.told.push(...told)
  if (time < use.time) use.time = time
  if (outcome === 'success') use.outcome = 'success'
}

/** Uses by who used the data, whoever did so last first. */
export function byConsumer(uses: readonly Use[]): Map<string, Use[]> {
  const groups = new Map<string, Use[]>()
  for (const use of uses) groups.set(use.consumer, [...(groups.get(use.consumer) ?? []), use])
  return groups
}
