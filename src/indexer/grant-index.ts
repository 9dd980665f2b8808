import { isHex } from '../bytes/hex.ts'
import type { Grant as GrantTerms } from '../record/index.ts'
import type { GrantFromIndex } from '../rules/known.ts'
import type { RecordRef } from '../rules/rule.ts'
import type { Database } from '../store/database.ts'
import { Grants } from '../store/grants.ts'

/** What the catalogue knows of grants, for the rules: from verified records, and from the chain. */
export function grantIndex(database: Database): GrantFromIndex {
  const grants = new Grants(database)
  return (authorization) => {
    if (!isHex(authorization, 32)) return undefined
    const [recorded] = grants.recorded(authorization, 1)
    const state = grants.state(authorization)
    const terms = recorded?.terms ?? state?.terms
    if (terms === undefined) return undefined
    const record = recorded && { source: recorded.source, id: recorded.record }
    const revokedAt = state?.revokedAt ?? 0n
    return {
      ...toGrant(terms, record),
      ...(revokedAt !== 0n && { revoked: { effectiveMs: 1_000 * Number(revokedAt) } }),
    }
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
