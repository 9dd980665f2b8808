import type { Hex } from '../bytes/hex.ts'
import { type FlowRecord, timeOf } from '../record/index.ts'
import { type BatchAggregate, FACETS, type Facet } from '../store/stats.ts'

type Counted = BatchAggregate['volumes'][number]
type Grant = BatchAggregate['grants'][number]

const HOUR_MS = 3_600_000
/** No count of one record adds more, so that a source that lies cannot make the sums overflow. */
const MOST = 2 ** 40

/**
 * What a batch adds to the counts by hour, and when its grants were given and first used.
 *
 * Both sides report a call. Consumers are counted from what the consumers say, everything else from what the providers
 * say, so each call counts once. Times are the records' own.
 */
export class Aggregate {
  readonly #volumes = new Map<string, Counted>()
  readonly #grants = new Map<Hex, Grant>()

  add(record: FlowRecord): void {
    if (record.type === 'tidemark.call.v1') addCall(this.#volumes, record)
    addGrant(this.#grants, record)
  }

  finish(): BatchAggregate {
    return { volumes: [...this.#volumes.values()], grants: [...this.#grants.values()] }
  }
}

function addCall(volumes: Map<string, Counted>, record: FlowRecord): void {
  const { data } = record
  const hour = Math.floor(timeOf(record) / HOUR_MS)
  for (const facet of FACETS) {
    if (data.side !== (facet === 'consumer' ? 'consumer' : 'provider')) continue
    const key = keyOf(facet, record)
    const name = `${facet} ${hour} ${key}`
    const volume = volumes.get(name) ?? { facet, key, hour, ...NOTHING }
    volumes.set(name, volume)
    volume.calls++
    if (data.outcome === 'refused') volume.refused++
    if (data.outcome === 'failed') volume.failed++
    volume.rows += countOf(data.rows)
    volume.requestBytes += countOf(data.requestBytes)
    volume.responseBytes += countOf(data.responseBytes)
  }
}

const NOTHING = { calls: 0, refused: 0, failed: 0, rows: 0, requestBytes: 0, responseBytes: 0 }

const keyOf = (facet: Facet, { subject, data }: FlowRecord): string => {
  if (facet === 'resource') return subject ?? ''
  if (facet === 'sharing') return String(data.sharing ?? 'unstated')
  return String(data[facet])
}

const countOf = (value: unknown): number => (typeof value === 'number' ? Math.min(value, MOST) : 0)

/** The schema has checked that an authorization is hex of 32 bytes. */
function addGrant(grants: Map<Hex, Grant>, record: FlowRecord): void {
  const id = record.data.authorization as Hex | undefined
  const member = MEMBERS[record.type]
  if (id === undefined || member === undefined) return
  const grant = grants.get(id) ?? { id }
  grants.set(id, grant)
  const time = timeOf(record)
  grant[member] = Math.min(grant[member] ?? time, time)
}

const MEMBERS: Partial<Record<FlowRecord['type'], 'authorizedAt' | 'firstCallAt'>> = {
  'tidemark.authorization.v1': 'authorizedAt',
  'tidemark.call.v1': 'firstCallAt',
}
