import { type Hex, isHex } from '../bytes/hex.ts'
import { type Grant as GrantTerms, nameId, type Sharing } from '../record/index.ts'
import type { Grant, RecordRef } from '../rules/rule.ts'
import type { Database } from '../store/database.ts'
import { Grants } from '../store/grants.ts'
import { type RightsLogEntry, rightsEvents } from '../store/rights-log.ts'
import { foldResource, placed, type RegisteredResource } from './registry-history.ts'

/** What the catalogue knows of grants and resources, for the rules: from verified records, and from the chain. */
export class RightsIndex {
  readonly #grants: Grants
  readonly #events: (key: RightsLogEntry['key']) => Iterable<RightsLogEntry>
  readonly #resources = new Map<string, RegisteredResource['versions']>()

  constructor(database: Database) {
    this.#grants = new Grants(database)
    this.#events = rightsEvents(database)
  }

  /** Looks again for resources: they may have changed. */
  refresh(): void {
    this.#resources.clear()
  }

  grantOf(authorization: string): Grant | undefined {
    if (!isHex(authorization, 32)) return undefined
    const [recorded] = this.#grants.recorded(authorization, 1)
    const state = this.#grants.state(authorization)
    const terms = recorded?.terms ?? state?.terms
    if (terms === undefined) return undefined
    const record = recorded && { source: recorded.source, id: recorded.record }
    const revokedAt = state?.revokedAt ?? 0n
    return {
      ...toGrant(terms, record),
      ...(revokedAt !== 0n && { revoked: { effectiveMs: 1_000 * Number(revokedAt) } }),
    }
  }

  sharingOf(resource: string, timeMs: number): Sharing | undefined {
    const versions = this.#resources.get(resource) ?? this.#versionsOf(nameId(resource))
    this.#resources.set(resource, versions)
    return versions.findLast(({ block }) => 1_000 * Number(block.time) <= timeMs)?.sharing
  }

  #versionsOf(id: Hex): RegisteredResource['versions'] {
    return foldResource(id, [...this.#events({ kind: 'resource', id })].map(placed))?.versions ?? []
  }
}

const toGrant = (
  { consumer, resource, purpose, notBefore, notAfter, maxCalls }: GrantTerms,
  record: RecordRef | undefined,
) => ({
  ...record,
  consumer,
  resource,
  purpose,
  person: undefined,
  notBeforeMs: 1_000 * Number(notBefore),
  notAfterMs: 1_000 * Number(notAfter),
  maxCalls,
})
