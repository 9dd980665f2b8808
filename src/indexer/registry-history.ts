import type { Hex } from '../bytes/hex.ts'
import type { BreakerTarget, ResourceEntry } from '../chain/registry.ts'
import { decodeRightsEvent, type RightsEvent } from '../chain/rights-events.ts'
import type { GrantState, Grants } from '../store/grants.ts'
import type { RightsBlock, RightsKey, RightsLogEntry } from '../store/rights-log.ts'

/** An event and the block that it is in. */
export interface PlacedEvent {
  event: RightsEvent
  block: RightsBlock
}

/** @throws {Error} only if the catalogue holds what was never put there */
export function placed({ topics, data, contract, block }: RightsLogEntry): PlacedEvent {
  const event = decodeRightsEvent({ topics, data }, contract)
  if (event === undefined) throw new Error('an event of the catalogue says nothing of rights')
  return { event, block }
}

/** A source of the registry. */
export interface RegisteredSource {
  id: Hex
  name: string
  added: RightsBlock
  /** at times `from <= t < until`, in seconds since 1970 */
  keys: { key: Hex; from: bigint; until: bigint }[]
}

/** A resource of the registry, with all its versions, the first first. */
export interface RegisteredResource {
  id: Hex
  name: string
  versions: (ResourceEntry & { block: RightsBlock })[]
}

/** What a guardian stopped, and who ended it if anybody did. */
export interface Trip {
  target: BreakerTarget
  by: Hex
  reason: string
  block: RightsBlock
  reset?: { by: Hex; reason: string; block: RightsBlock }
}

/** What an event is about; undefined where it changes nothing that is decided by. */
export function keyOf(event: RightsEvent): RightsKey | undefined {
  switch (event.name) {
    case 'SourceAdded':
    case 'KeyAdded':
    case 'KeyEnded':
      return { kind: 'source', id: event.source }
    case 'ResourceSet':
      return { kind: 'resource', id: event.resource }
    case 'Tripped':
    case 'Reset':
      return event.target
    case 'Requested':
      return event.reason === 'Allowed' ? { kind: 'grant', id: event.grantId } : undefined
    default:
      return { kind: 'grant', id: event.grantId }
  }
}

/** @param events about the source, in the order of the chain */
export function foldSource(id: Hex, events: readonly PlacedEvent[]): RegisteredSource | undefined {
  let source: RegisteredSource | undefined
  for (const { event, block } of events) {
    if (event.name === 'SourceAdded') source = { id, name: event.uri, added: block, keys: [] }
    if (event.name === 'KeyAdded') source?.keys.push({ key: event.key, from: event.from, until: event.until })
    if (event.name === 'KeyEnded') {
      const ended = source?.keys.find(({ key }) => key === event.key)
      if (ended !== undefined) ended.until = block.time
      // Its beginning was left out: the contract has no key from so early on.
      else source?.keys.push({ key: event.key, from: 0n, until: block.time })
    }
  }
  return source
}

/** @param events about the resource, in the order of the chain */
export function foldResource(id: Hex, events: readonly PlacedEvent[]): RegisteredResource | undefined {
  const versions: RegisteredResource['versions'] = []
  let name: string | undefined
  for (const { event, block } of events) {
    if (event.name !== 'ResourceSet') continue
    name = event.resourceName
    versions.push({ ...event.entry, block })
  }
  return name === undefined ? undefined : { id, name, versions }
}

/** @param events about one target, in the order of the chain */
export function foldTrips(events: readonly PlacedEvent[]): Trip[] {
  const trips: Trip[] = []
  for (const { event, block } of events) {
    if (event.name === 'Tripped') {
      trips.push({ target: event.target, by: event.by, reason: event.reason, block })
    } else if (event.name === 'Reset') {
      const last = trips.at(-1)
      if (last !== undefined) last.reset = { by: event.by, reason: event.reason, block }
    }
  }
  return trips
}

/** Of a grant of which the chain says nothing. */
export const UNSAID: GrantState = { terms: undefined, revokedAt: 0n, paused: false, calls: 0n }

/** What the chain says of a grant after one more event about it. */
export function applyToGrant(state: GrantState, { event, block }: PlacedEvent): GrantState {
  switch (event.name) {
    case 'Granted':
      return { ...state, terms: event.grant }
    case 'Revoked':
      return { ...state, revokedAt: block.time }
    case 'Paused':
    case 'Resumed':
      return { ...state, paused: event.name === 'Paused' }
    case 'Requested':
      return { ...state, calls: state.calls + 1n }
    default:
      return state
  }
}

/** Applies events to what is kept of the grants that they are about. */
export function applyToGrants(grants: Grants, events: Iterable<PlacedEvent>): void {
  for (const placed of events) {
    const key = keyOf(placed.event)
    if (key?.kind === 'grant') grants.setState(key.id, applyToGrant(grants.state(key.id) ?? UNSAID, placed))
  }
}
