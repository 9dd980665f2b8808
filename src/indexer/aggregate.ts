import type { Hex } from '../bytes/hex.ts'
import type { RecordFacts } from '../record/index.ts'
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
  /** by facet, key and hour */
  readonly #volumes = new Map<Facet, Map<string, Map<number, Counted>>>()
  readonly #grants = new Map<Hex, Grant>()

  add(facts: RecordFacts): void {
    if (facts.type === 'tidemark.call.v1') this.#addCall(facts)
    addGrant(this.#grants, facts)
  }

  finish(): BatchAggregate {
    const volumes = [...this.#volumes.values()].flatMap((keys) =>
      [...keys.values()].flatMap((hours) => [...hours.values()]),
    )
    return { volumes, grants: [...this.#grants.values()] }
  }

  #addCall(facts: RecordFacts): void {
    const hour = Math.floor(facts.timeMs / HOUR_MS)
    for (const facet of facts.side === 'consumer' ? CONSUMER_FACETS : PROVIDER_FACETS) {
      const volume = this.#volumeOf(facet, keyOf(facet, facts), hour)
      volume.calls++
      if (facts.outcome === 'refused') volume.refused++
      if (facts.outcome === 'failed') volume.failed++
      volume.rows += Math.min(facts.rows, MOST)
      volume.requestBytes += Math.min(facts.requestBytes, MOST)
      volume.responseBytes += Math.min(facts.responseBytes, MOST)
    }
  }

  #volumeOf(facet: Facet, key: string, hour: number): Counted {
    const hours = at(at(this.#volumes, facet, newMap), key, newMap)
    return at(hours, hour, () => ({ facet, key, hour, ...NOTHING }))
  }
}

const newMap = () => new Map()

/** What a map has under a key, made where it has nothing yet. */
function at<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

const CONSUMER_FACETS: readonly Facet[] = ['consumer']
const PROVIDER_FACETS = FACETS.filter((facet) => facet !== 'consumer')

const NOTHING = { calls: 0, refused: 0, failed: 0, rows: 0, requestBytes: 0, responseBytes: 0 }

const keyOf = (facet: Facet, facts: RecordFacts): string => {
  if (facet === 'resource') return facts.subject ?? ''
  if (facet === 'pair') return JSON.stringify([facts.consumer ?? '', facts.provider ?? ''])
  if (facet === 'sharing') return facts.sharing ?? 'unstated'
  return facts[facet] ?? ''
}

/** The schema has checked that an authorization is hex of 32 bytes. */
function addGrant(grants: Map<Hex, Grant>, { type, authorization, timeMs }: RecordFacts): void {
  const id = authorization as Hex | undefined
  const member = MEMBERS[type]
  if (id === undefined || member === undefined) return
  const grant = grants.get(id) ?? { id }
  grants.set(id, grant)
  grant[member] = Math.min(grant[member] ?? timeMs, timeMs)
}

const MEMBERS: Partial<Record<RecordFacts['type'], 'authorizedAt' | 'firstCallAt'>> = {
  'tidemark.authorization.v1': 'authorizedAt',
  'tidemark.call.v1': 'firstCallAt',
}
