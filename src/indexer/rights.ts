import type { Hex } from '../bytes/hex.ts'
import type { Grant, Standing, Use } from '../record/index.ts'
import { type Database, inTransaction } from '../store/database.ts'
import { type GrantState, Grants } from '../store/grants.ts'
import {
  type RightsBlock,
  type RightsCursor,
  type RightsKey,
  RightsLog,
  type RightsLogEntry,
  rightsEvents,
} from '../store/rights-log.ts'
import {
  applyToGrant,
  applyToGrants,
  foldResource,
  foldSource,
  foldTrips,
  type PlacedEvent,
  placed,
  type RegisteredResource,
  type RegisteredSource,
  type Trip,
  UNSAID,
} from './registry-history.ts'

/** All that is known of one grant. */
export interface KnownGrant {
  id: Hex
  terms: Grant
  /** the subject's; absent where only the chain has the grant, which has checked it */
  signature: Hex | undefined
  /** whether the contract holds it, or its subject's key signed it; a subject that is a contract is to be asked */
  signed: boolean
  /** where it was given: a record of the ledger, or on the chain */
  given: { by: 'record'; source: string; id: string; logIndex: bigint; position: number } | { by: 'chain' }
  /** seconds since 1970; 0 while it is not */
  revokedAt: bigint
  paused: boolean
  /** that the contract allowed */
  calls: bigint
}

/** A resource as others ask for it. */
export interface KnownResource extends RegisteredResource {
  /** as it is now */
  sharing: RegisteredResource['versions'][number]['sharing']
  owner: { id: Hex; name: string | undefined }
}

/** What the events about one thing say of it; of a grant, also what it was where nothing was said. */
export interface SaidOf {
  source: RegisteredSource | undefined
  resource: RegisteredResource | undefined
  trips: Trip[]
  grant: GrantState
}

/**
 * What the registry and the authorisations say, and the grants that came as records.
 *
 * The registry is small and kept in memory, folded from its events; of grants there may be millions. Whatever is asked
 * in one turn of the event loop is answered as of one block.
 */
export class Rights {
  readonly #database: Database
  readonly #log: RightsLog
  readonly #events: ReturnType<typeof rightsEvents>
  readonly grants: Grants
  readonly authorizations: Hex
  readonly #sources = new Map<Hex, RegisteredSource>()
  readonly #resources = new Map<Hex, RegisteredResource>()
  /** by the words of their target */
  readonly #trips = new Map<string, Trip[]>()
  #cursor: RightsCursor | undefined

  constructor(database: Database, authorizations: Hex) {
    this.#database = database
    this.#log = new RightsLog(database, authorizations)
    this.#events = rightsEvents(database)
    this.grants = new Grants(database)
    this.authorizations = authorizations
    this.#cursor = this.#log.cursor()
    for (const kind of ['everything', 'source', 'resource'] as const) {
      for (const id of this.#log.idsOf(kind)) this.#refold({ kind, id })
    }
  }

  /** How far the two contracts were read; undefined before the first block. */
  get cursor(): RightsCursor | undefined {
    return this.#cursor
  }

  /** The newest block below `number` in which anything was announced. */
  blockBefore(number: bigint): RightsBlock | undefined {
    return this.#log.blockBefore(number)
  }

  /** What would be known of all that these events are about, if they were taken in. */
  foretell(entries: readonly RightsLogEntry[]): { key: RightsKey; said: SaidOf }[] {
    const fresh = new Map<string, { key: RightsKey; events: PlacedEvent[] }>()
    for (const entry of entries) {
      const name = `${entry.key.kind} ${entry.key.id}`
      const { key, events } = fresh.get(name) ?? { key: entry.key, events: [] }
      fresh.set(name, { key, events: [...events, placed(entry)] })
    }
    return [...fresh.values()].map(({ key, events }) => {
      const { id } = key
      if (key.kind === 'grant') {
        const grant = events.reduce(applyToGrant, this.grants.state(id) ?? UNSAID)
        return { key, said: { source: undefined, resource: undefined, trips: [], grant } }
      }
      const all = [...this.#eventsOf(key), ...events]
      const [source, resource] = [foldSource(id, all), foldResource(id, all)]
      return { key, said: { source, resource, trips: foldTrips(all), grant: UNSAID } }
    })
  }

  /** Takes in what follows on the cursor, all or nothing. */
  extend(entries: readonly RightsLogEntry[], cursor: RightsCursor): void {
    inTransaction(this.#database, () => {
      for (const entry of entries) this.#log.add(entry)
      applyToGrants(this.grants, entries.map(placed))
      this.#log.saveCursor(cursor)
    })
    for (const { key } of entries) this.#refold(key)
    this.#cursor = cursor
  }

  /** Takes back everything after a block that the chain still has; everything when there is none. */
  takeBackTo(cursor: RightsCursor | undefined): void {
    const keys = inTransaction(this.#database, () => {
      const gone = this.#log.truncateAfter(cursor?.block.number ?? -1n)
      for (const key of gone) {
        if (key.kind !== 'grant') continue
        this.grants.setState(key.id, undefined)
        applyToGrants(this.grants, this.#eventsOf(key))
      }
      this.#log.saveCursor(cursor)
      return gone
    })
    for (const key of keys) this.#refold(key)
    this.#cursor = cursor
  }

  /** What the registry says of a use. */
  standing({ consumer, resource }: Pick<Use, 'consumer' | 'resource'>): Standing {
    const entry = this.#resources.get(resource)?.versions.at(-1)
    return {
      known: this.#sources.has(consumer),
      sharing: entry?.sharing ?? 'none',
      tripped:
        this.#isTripped('everything', NO_ID) ||
        this.#isTripped('source', consumer) ||
        this.#isTripped('resource', resource) ||
        (entry !== undefined && this.#isTripped('source', entry.owner)),
    }
  }

  /**
   * All that is known of a grant that was given, one that its subject's key signed before others; undefined where nobody
   * gave it.
   */
  grant(id: Hex): KnownGrant | undefined {
    return this.candidates(id, 1)[0]
  }

  /** As `grant`, with several records of it, where their signatures are to be asked for. */
  candidates(id: Hex, limit: number): KnownGrant[] {
    const state = this.grants.state(id)
    const { revokedAt = 0n, paused = false, calls = 0n } = state ?? {}
    const said = { id, revokedAt, paused, calls }
    const recorded = this.grants.recorded(id, limit).map(
      ({ terms, signature, signed, source, record, logIndex, position }): KnownGrant => ({
        ...said,
        terms,
        signature,
        signed: signed || state?.terms !== undefined,
        given: { by: 'record', source, id: record, logIndex, position },
      }),
    )
    const terms = state?.terms
    if (terms === undefined || recorded[0]?.signed === true) return recorded
    return [{ ...said, terms, signature: undefined, signed: true, given: { by: 'chain' } }]
  }

  source(id: Hex): RegisteredSource | undefined {
    return this.#sources.get(id)
  }

  resource(id: Hex): RegisteredResource | undefined {
    return this.#resources.get(id)
  }

  /** Each as it is now and as it was, in no order. */
  resources(): KnownResource[] {
    return [...this.#resources.values()].flatMap((resource) => {
      const now = resource.versions.at(-1)
      if (now === undefined) return []
      const owner = { id: now.owner, name: this.#sources.get(now.owner)?.name }
      return [{ ...resource, sharing: now.sharing, owner }]
    })
  }

  /** All trips, those that are over too, the oldest first. */
  trips(): Trip[] {
    const nameOf = ({ target }: Trip) => `${target.kind} ${target.id}`
    return [...this.#trips.values()]
      .flat()
      .sort((a, b) => Number(a.block.number - b.block.number) || (nameOf(a) < nameOf(b) ? -1 : 1))
  }

  #isTripped(kind: RightsKey['kind'], id: Hex): boolean {
    const last = this.#trips.get(`${kind} ${id}`)?.at(-1)
    return last !== undefined && last.reset === undefined
  }

  #eventsOf(key: RightsKey): PlacedEvent[] {
    return [...this.#events(key)].map(placed)
  }

  #refold(key: RightsKey): void {
    const { kind, id } = key
    if (kind === 'grant') return
    const events = this.#eventsOf(key)
    if (kind === 'source') setOrDelete(this.#sources, id, foldSource(id, events))
    if (kind === 'resource') setOrDelete(this.#resources, id, foldResource(id, events))
    this.#trips.set(`${kind} ${id}`, foldTrips(events))
  }
}

const NO_ID: Hex = `0x${'00'.repeat(32)}`

function setOrDelete<Key, Value>(map: Map<Key, Value>, key: Key, value: Value | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}
