import { Wallet } from 'ethers'
import { type Hex, toHex } from '../../src/bytes/hex.ts'
import type { TypedDomain } from '../../src/bytes/typed-data.ts'
import { signGrant } from '../../src/chain/signing.ts'
import type { Chance } from '../../src/client/sample-chance.ts'
import { type Grant, grantId, nameId, type Sharing } from '../../src/record/index.ts'
import { addressOf } from '../indexer/rights-world.ts'

/** What becomes of a grant before the calls begin. */
const FATES = [
  'in force',
  'in force',
  'in force',
  'in force',
  'in force',
  'limited',
  'wrong signer',
  'expired',
  'not yet valid',
  'paused',
  'revoked',
  'exhausted',
  'account with code',
] as const
type Fate = (typeof FATES)[number]

export interface PlannedGrant {
  fate: Fate
  id: Hex
  grant: Grant
  signature: Hex
  /** by name, as calls spell them */
  consumer: string
  resource: string
  purpose: string
  /** put on the chain, rather than into a record */
  isOnChain: boolean
  /** whose transactions pause it */
  subject: Wallet
}

export interface PlannedResource {
  name: string
  owner: string
  sharing: Exclude<Sharing, 'none'>
}

/** A call as the API is asked about it; `grant` where it cites one that was given. */
export interface PlannedCall {
  consumer: string
  resource: string
  purpose: string
  authorization?: Hex
  grant?: PlannedGrant
}

export const DEPARTMENTS = ['urn:tax', 'urn:civil', 'urn:traffic'] as const
const PURPOSES = ['school', 'pension', 'licence'] as const
const DAY = 86_400n
/** Every so many-eth grant is put on the chain; those whose fate needs it always. */
const ON_CHAIN_EVERY = 40
/** Fates that cost transactions are rarer than others. */
const COSTLY: readonly Fate[] = ['paused', 'revoked', 'exhausted']

export function planResources(count: number): PlannedResource[] {
  const sharings = ['conditional', 'conditional', 'conditional', 'unconditional', 'prohibited'] as const
  return Array.from({ length: count }, (_, i) => ({
    name: `resource-${i}`,
    owner: DEPARTMENTS[i % DEPARTMENTS.length] ?? DEPARTMENTS[0],
    sharing: sharings[i % sharings.length] ?? 'conditional',
  }))
}

export interface GrantPlan {
  chance: Chance
  domain: TypedDomain
  resources: readonly PlannedResource[]
  count: number
  /** seconds since 1970 */
  now: bigint
  /** accounts with code, and who owns each */
  accounts: readonly { address: Hex; owner: Wallet }[]
}

export async function planGrants({ chance, domain, resources, count, now, accounts }: GrantPlan) {
  const conditional = resources.filter(({ sharing }) => sharing === 'conditional')
  const people = Array.from({ length: Math.min(count, 200) }, () => new Wallet(toHex(chance.bytes(32))))
  const grants: PlannedGrant[] = []
  for (let i = 0; i < count; i++) {
    let fate = FATES[i % FATES.length] ?? 'in force'
    if (COSTLY.includes(fate) && count > 1_000 && !chance.happens(20)) fate = 'in force'
    const subject = people[chance.below(people.length)] as Wallet // one of them
    const account = accounts[chance.below(accounts.length)]
    const consumer = chance.pick(DEPARTMENTS)
    const resource = conditional[chance.below(conditional.length)]?.name ?? ''
    const purpose = chance.pick(PURPOSES)
    const grant: Grant = {
      subject: (fate === 'account with code' && account?.address) || addressOf(subject),
      consumer: nameId(consumer),
      resource: nameId(resource),
      purpose: nameId(purpose),
      notBefore: fate === 'not yet valid' ? now + DAY : now - 30n * DAY,
      notAfter: fate === 'expired' ? now - DAY : now + 30n * DAY,
      maxCalls: fate === 'limited' || fate === 'exhausted' ? chance.between(1, 2) : 0,
      nonce: BigInt(i),
    }
    const stranger = people[(people.indexOf(subject) + 1) % people.length] as Wallet // one of them
    // Of an account's grants every fourth is signed by somebody who does not own it.
    const owner = account === undefined || i % 4 === 0 ? stranger : account.owner
    const signer = fate === 'account with code' ? owner : fate === 'wrong signer' ? stranger : subject
    grants.push({
      fate,
      id: grantId(domain, grant),
      grant,
      signature: await signGrant(signer, domain, grant),
      consumer,
      resource,
      purpose,
      isOnChain:
        fate === 'exhausted' ||
        (fate !== 'wrong signer' && fate !== 'account with code' && i % ON_CHAIN_EVERY === 0),
      subject,
    })
  }
  return grants
}

/** A call under a grant, most often as the grant means it; or without one, or of what is not registered. */
export function planCall(
  chance: Chance,
  grants: readonly PlannedGrant[],
  resources: readonly PlannedResource[],
): PlannedCall {
  const anyResource = () => resources[chance.below(resources.length)]?.name ?? ''
  if (chance.happens(15)) {
    const call = {
      consumer: chance.happens(10) ? 'urn:nobody' : chance.pick(DEPARTMENTS),
      resource: chance.happens(10) ? 'nothing' : anyResource(),
      purpose: chance.pick(PURPOSES),
    }
    return chance.happens(50) ? call : { ...call, authorization: toHex(chance.bytes(32)) }
  }
  const grant = grants[chance.below(grants.length)] as PlannedGrant // one of them
  const { consumer, resource, purpose, id } = grant
  return {
    consumer: chance.happens(5) ? chance.pick(DEPARTMENTS) : consumer,
    resource: chance.happens(5) ? anyResource() : resource,
    purpose: chance.happens(5) ? chance.pick(PURPOSES) : purpose,
    authorization: id,
    grant,
  }
}
