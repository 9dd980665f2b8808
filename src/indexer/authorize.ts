import type { Hex } from '../bytes/hex.ts'
import type { AuthorizationSource } from '../chain/authorization-source.ts'
import type { Authorization } from '../proof/index.ts'
import { type FlowRecord, nameId, timeOf } from '../record/index.ts'
import type { Grants } from '../store/grants.ts'

/** What authorised a call; or why that cannot be shown, in ASCII. */
export type FoundAuthorization = { authorization: Authorization } | { missing: string }

/** Whether a record is a use of data under a grant: one that was refused used nothing. */
export const isUnderGrant = ({ type, data }: FlowRecord): boolean =>
  type === 'tidemark.call.v1' && data.authorization !== undefined && data.outcome !== 'refused'

/** Each may be asked of the chain. Those of a key come first, so that only accounts with code share them with junk. */
const MOST_SIGNATURES = 8

/**
 * What authorised a call, as far as the ledger and the chain tell; whether it holds is for a verifier to say.
 *
 * @param call see `isUnderGrant`
 * @throws {OperationError} when the chain cannot be asked
 */
export async function findAuthorization(
  call: FlowRecord,
  grants: Grants,
  source: AuthorizationSource,
): Promise<FoundAuthorization> {
  const id = call.data.authorization as Hex // the schema of the type has checked it
  const consent = (await recordedConsent(id, grants, source)) ?? (await givenConsent(id, source))
  if (consent === undefined) {
    return { missing: `no signed record and no event gives grant ${id} under ${source.domain.contract}` }
  }
  const seconds = BigInt(Math.floor(timeOf(call) / 1_000))
  const resource = await source.resourceAt(nameId(call.subject ?? ''), seconds)
  if (resource === undefined) {
    return { missing: 'the resource was not in the registry at the time of the call' }
  }
  const revocation = await source.revocation(id)
  return { authorization: { contract: source.domain.contract, ...consent, resource, revocation } }
}

type Consent = Pick<Authorization, 'grant' | 'consent'>

/** A grant that came as a record, and that its subject has signed: anyone may record one. */
async function recordedConsent(
  id: Hex,
  grants: Grants,
  source: AuthorizationSource,
): Promise<Consent | undefined> {
  for (const { terms, signature } of grants.recorded(id, MOST_SIGNATURES)) {
    if (await source.isSigned(terms, signature)) return { grant: terms, consent: { signature } }
  }
  return undefined
}

async function givenConsent(id: Hex, source: AuthorizationSource): Promise<Consent | undefined> {
  const found = await source.givenGrant(id)
  return found && { grant: found.grant, consent: { given: found.given } }
}
