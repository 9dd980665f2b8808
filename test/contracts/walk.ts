import { type BaseContract, type HDNodeWallet, ZeroHash } from 'ethers'
import { expect } from 'vitest'
import { call, deploy, eventsOf, now, provider, revertOf, send, setNextTime, wallet } from './chain.ts'
import { KINDS, SHARING } from './decision.ts'
import { domainOf, type Grant, signRevoke } from './grant.ts'
import { digest } from './header.ts'
import { Model, type Outcome, ROLES, reasonOf, type Step, targetIdOf, targetOf, type Use } from './model.ts'

/** Steps are this far apart, and what grants and keys hold until lies between two of them. */
export const STEP_SECONDS = 1000n
const FOREVER = 2n ** 64n - 1n

export const SOURCES = ['tax', 'bank', 'civil']
/** One has the name of a source: their ids are the same. */
export const RESOURCES = ['births', 'deaths', 'tax']
export const PURPOSES = ['school', 'loan']

export const PEOPLE = [0, 1, 2, 3, 4, 5].map(wallet)
const [governance, registrar, guardian, key, subject] = PEOPLE as [
  HDNodeWallet,
  HDNodeWallet,
  HDNodeWallet,
  HDNodeWallet,
  HDNodeWallet,
]

export { governance, guardian, key, registrar, subject }

const personOf = (address: string): HDNodeWallet => {
  const person = PEOPLE.find((person) => person.address === address)
  if (person === undefined) throw new Error(`${address} is nobody`)
  return person
}
const scopeOf = ({ consumer, resource, purpose }: Use) => [consumer, resource, purpose].map(digest)
/** What a grant is for, by name. */
export const useOf = (grant: Grant): Use => {
  const nameOf = (names: string[], id: string) => names.find((name) => digest(name) === id) ?? ''
  return {
    consumer: nameOf(SOURCES, grant.consumer),
    resource: nameOf(RESOURCES, grant.resource),
    purpose: nameOf(PURPOSES, grant.purpose),
  }
}

/** A pair of contracts and their model, which take the same steps. */
export class Walk {
  readonly #registry: BaseContract
  readonly #authorizations: BaseContract
  readonly #domain: ReturnType<typeof domainOf>
  readonly #model: Model
  readonly #grants: Grant[]
  readonly #past: { source: string; time: bigint; answer: boolean }[] = []
  readonly #revoked = new Map<string, bigint>()
  #time: bigint

  private constructor(
    registry: BaseContract,
    authorizations: BaseContract,
    domain: ReturnType<typeof domainOf>,
    time: bigint,
  ) {
    this.#registry = registry
    this.#authorizations = authorizations
    this.#domain = domain
    const holders = {
      governance: governance.address,
      registrar: registrar.address,
      guardian: guardian.address,
    }
    this.#model = new Model(domain, holders)
    this.#time = time
    const base: Grant = {
      subject: subject.address,
      consumer: digest('tax'),
      resource: digest('births'),
      purpose: digest('school'),
      notBefore: 0n,
      notAfter: FOREVER,
      maxCalls: 0n,
      nonce: 0n,
    }
    const middle = STEP_SECONDS / 2n
    this.#grants = [
      base,
      { ...base, maxCalls: 1n, nonce: 1n },
      {
        ...base,
        notBefore: time + 20n * STEP_SECONDS + middle,
        notAfter: time + 35n * STEP_SECONDS + middle,
      },
      { ...base, subject: key.address, consumer: digest('bank'), resource: digest('deaths') },
      { ...base, resource: digest('tax'), purpose: digest('loan'), maxCalls: 1n },
    ]
  }

  static async begin(): Promise<Walk> {
    const registry = await deploy('Registry.sol', governance.address, registrar.address, guardian.address)
    const authorizations = await deploy('Authorizations.sol', await registry.getAddress())
    const { chainId } = await provider.getNetwork()
    return new Walk(
      registry,
      authorizations,
      domainOf(chainId, await authorizations.getAddress()),
      await now(),
    )
  }

  grant(index: number): Grant {
    const grant = this.#grants[index % this.#grants.length]
    if (grant === undefined) throw new Error('there are grants')
    return grant
  }

  /** Takes a step in the model, then tries it on the contracts, and compares what comes of it. */
  async take(step: Step, by: string): Promise<Outcome> {
    this.#time += STEP_SECONDS
    const expected = this.#model.take(step, by, this.#time)
    const [contract, args] = await this.#callOf(step, personOf(by))
    await setNextTime(this.#time)
    const outcome = await (isError(expected) ? refusal : transaction)(contract, step.method, args)
    expect(outcome, `${step.method} by ${by}`).toBe(expected)
    await Promise.all(this.#grants.map((grant) => this.#compareGrant(grant, useOf(grant))))
    this.#remember()
    return outcome
  }

  async #callOf(step: Step, by: HDNodeWallet): Promise<[BaseContract, unknown[]]> {
    const registry = this.#registry.connect(by) as BaseContract
    const authorizations = this.#authorizations.connect(by) as BaseContract
    switch (step.method) {
      case 'addSource':
        return [registry, [step.uri]]
      case 'addKey':
        return [registry, [digest(step.source), step.key, this.#time + step.untilSeconds]]
      case 'endKey':
        return [registry, [digest(step.source), step.key]]
      case 'setResource':
        return [registry, [step.name, digest(step.owner), SHARING.indexOf(step.sharing), 1, digest('entry')]]
      case 'trip':
      case 'reset':
        return [registry, [{ kind: KINDS.indexOf(step.kind), id: targetIdOf(step) }, 'because']]
      case 'grantRole':
      case 'revokeRole':
        return [registry, [ROLES[step.role], step.account]]
      case 'grant':
        return [authorizations, [step.grant, '0x']]
      case 'revokeBySignature': {
        const id = this.#model.idOf(step.grant)
        const signature = await signRevoke(personOf(step.signer), this.#domain, id, FOREVER)
        return [authorizations, [step.grant, FOREVER, signature]]
      }
      case 'request': {
        const { consumer, resource, purpose, grant } = step
        return [authorizations, [...[consumer, resource, purpose].map(digest), this.#model.idOf(grant)]]
      }
      default:
        return [authorizations, [step.grant]]
    }
  }

  /** A use is decided as the rules say, and what is revoked stays so. */
  async #compareGrant(grant: Grant, use: Use): Promise<void> {
    const id = this.#model.idOf(grant)
    const [revokedAt, [allowed, reason]] = await Promise.all([
      call(this.#authorizations, 'revokedAt', id),
      call(this.#authorizations, 'decide', ...scopeOf(use), id),
    ])
    expect(reasonOf(reason)).toBe(this.#model.decide({ ...use, grant }, this.#time))
    expect(allowed).toBe(['Allowed', 'Unconditional'].includes(reasonOf(reason)))
    expect(revokedAt).toBe(this.#revoked.get(id) ?? revokedAt)
    if (revokedAt === 0n) return
    this.#revoked.set(id, revokedAt)
    expect(reasonOf(reason)).not.toBe('Allowed')
  }

  /** Compares all that there is to ask: uses, grants, versions, breakers, roles, and whose key it was at past times. */
  async compareAll(): Promise<void> {
    const uses = SOURCES.flatMap((consumer) =>
      RESOURCES.flatMap((resource) => PURPOSES.map((purpose) => ({ consumer, resource, purpose }))),
    )
    await Promise.all([
      ...uses.map((use, i) => this.#compareGrant(this.grant(i), use)),
      ...this.#grants.map(async (grant) => {
        const id = this.#model.idOf(grant)
        const state = this.#model.grants.get(id)
        const expected = [state?.given ?? false, state?.paused ?? false, state?.calls ?? 0n]
        expect([...(await call(this.#authorizations, 'grantState', id))]).toEqual(expected)
      }),
      ...RESOURCES.map(async (name) => {
        const [version, owner, sharing] = await call(this.#registry, 'resource', digest(name))
        const expected = this.#model.resources.get(digest(name))
        expect({ version, owner, sharing: SHARING[Number(sharing)] }).toEqual(
          expected ?? { version: 0n, owner: ZeroHash, sharing: 'none' },
        )
      }),
      ...KINDS.map(async (kind) => {
        const target = { kind, name: kind === 'resource' ? 'births' : 'tax' }
        const asked = { kind: KINDS.indexOf(kind), id: targetIdOf(target) }
        const expected = this.#model.tripped.has(targetOf(target))
        expect(await call(this.#registry, 'isTripped', asked)).toBe(expected)
      }),
      ...PEOPLE.flatMap(({ address }) =>
        (['governance', 'registrar', 'guardian'] as const).map(async (role) => {
          const expected = this.#model.holds(role, address)
          expect(await call(this.#registry, 'hasRole', ROLES[role], address)).toBe(expected)
        }),
      ),
      ...this.#past.map(async ({ source, time, answer }) =>
        expect(await call(this.#registry, 'isKeyOf', source, key.address, time)).toBe(answer),
      ),
    ])
  }

  /** Notes whose key it was a moment ago, which must never be answered otherwise. */
  #remember(): void {
    const time = this.#time - 1n
    for (const source of ['tax', 'bank'].map(digest))
      this.#past.push({ source, time, answer: this.#model.isKeyOf(source, key.address, time) })
  }
}

/** Outcomes of a step that the contracts refuse have the names of their errors. */
const isError = (outcome: Outcome) => outcome.includes('_') || outcome.startsWith('AccessControl')

/** What a call in a block of the time that was set for the next one is refused with. */
async function refusal(contract: BaseContract, method: string, args: unknown[]): Promise<Outcome> {
  await provider.send('evm_mine', [])
  return (await revertOf(contract, call(contract, method, ...args))).replace(/\(.*/, '')
}

async function transaction(contract: BaseContract, method: string, args: unknown[]): Promise<Outcome> {
  // Limit and price spare the questions for them.
  const receipt = await send(contract, method, ...args, { gasLimit: 500_000, gasPrice: 10n ** 10n })
  if (method !== 'request') return 'done'
  return reasonOf(eventsOf(contract, receipt)[0]?.at(-1))
}
