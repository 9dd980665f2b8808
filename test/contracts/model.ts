import { id, type TypedDataDomain, ZeroHash } from 'ethers'
import {
  decisionOn,
  type GrantState,
  type KINDS,
  REASONS,
  type Reason,
  type Sharing,
  type World,
} from './decision.ts'
import { type Grant, idOf } from './grant.ts'
import { digest } from './header.ts'

export const ROLES = { governance: ZeroHash, registrar: id('REGISTRAR_ROLE'), guardian: id('GUARDIAN_ROLE') }
export type Role = keyof typeof ROLES

/** What somebody tries: a function of one of the contracts, with names instead of ids. */
export type Step =
  | { method: 'addSource'; uri: string }
  | { method: 'addKey'; source: string; key: string; untilSeconds: bigint }
  | { method: 'endKey'; source: string; key: string }
  | { method: 'setResource'; name: string; owner: string; sharing: Sharing }
  | { method: 'trip' | 'reset'; kind: (typeof KINDS)[number]; name: string }
  | { method: 'grantRole' | 'revokeRole'; role: Role; account: string }
  | { method: 'grant' | 'revoke' | 'pause' | 'resume'; grant: Grant }
  | { method: 'revokeBySignature'; grant: Grant; signer: string }
  | { method: 'request'; consumer: string; resource: string; purpose: string; grant: Grant }

/** A use of a resource, by names. */
export type Use = Pick<Extract<Step, { method: 'request' }>, 'consumer' | 'resource' | 'purpose'>

/** What comes of a step: the name of the error, or `done`, or the reason that a request is answered with. */
export type Outcome = string

/** The two contracts as they are meant, in a few maps; written from docs/format.md and not from their code. */
export class Model implements World {
  readonly sources = new Set<string>()
  readonly resources: World['resources'] = new Map()
  readonly tripped = new Set<string>()
  readonly grants = new Map<string, GrantState>()
  readonly #holders: Record<Role, Set<string>>
  readonly #keys = new Map<string, { from: bigint; until: bigint }>()
  readonly #domain: TypedDataDomain

  constructor(domain: TypedDataDomain, holders: Record<Role, string>) {
    this.#domain = domain
    this.#holders = {
      governance: new Set([holders.governance]),
      registrar: new Set([holders.registrar]),
      guardian: new Set([holders.guardian]),
    }
  }

  isKeyOf(source: string, key: string, time: bigint): boolean {
    const period = this.#keys.get(`${source}/${key}`)
    return period !== undefined && period.from <= time && time < period.until
  }

  holds(role: Role, account: string): boolean {
    return this.#holders[role].has(account)
  }

  /** Takes a step in a block of this time, or refuses it and stays as it is. */
  take(step: Step, by: string, time: bigint): Outcome {
    switch (step.method) {
      case 'addSource':
      case 'addKey':
      case 'endKey':
      case 'setResource':
      case 'reset':
        return this.holds('registrar', by) ? this.#register(step, time) : 'AccessControlUnauthorizedAccount'
      case 'trip':
        return this.holds('guardian', by) ? this.#trip(step) : 'AccessControlUnauthorizedAccount'
      case 'grantRole':
      case 'revokeRole':
        if (!this.holds('governance', by)) return 'AccessControlUnauthorizedAccount'
        if (step.method === 'grantRole') this.#holders[step.role].add(step.account)
        else this.#holders[step.role].delete(step.account)
        return 'done'
      case 'request':
        return this.#request(step, by, time)
      case 'revokeBySignature':
        if (step.signer !== step.grant.subject) return 'Authorizations_SignatureInvalid'
        return this.#revoke(this.#stateOf(step.grant), time)
      default:
        return this.#own(step, by, time)
    }
  }

  #register(
    step: Extract<Step, { method: 'addSource' | 'addKey' | 'endKey' | 'setResource' | 'trip' | 'reset' }>,
    time: bigint,
  ): Outcome {
    if (step.method === 'addSource') {
      const source = digest(step.uri)
      if (this.sources.has(source)) return 'Registry_SourceKnown'
      this.sources.add(source)
    } else if (step.method === 'addKey') {
      const [source, from, until] = [digest(step.source), time, time + step.untilSeconds]
      if (!this.sources.has(source)) return 'Registry_SourceUnknown'
      if (this.#keys.has(`${source}/${step.key}`)) return 'Registry_KeyKnown'
      this.#keys.set(`${source}/${step.key}`, { from, until })
    } else if (step.method === 'endKey') {
      const source = digest(step.source)
      const period = this.#keys.get(`${source}/${step.key}`)
      if (period === undefined || !this.isKeyOf(source, step.key, time)) return 'Registry_KeyInvalid'
      period.until = time
    } else if (step.method === 'setResource') {
      const [resource, owner] = [digest(step.name), digest(step.owner)]
      if (!this.sources.has(owner)) return 'Registry_SourceUnknown'
      if (step.sharing === 'none') return 'Registry_SharingMissing'
      const version = (this.resources.get(resource)?.version ?? 0n) + 1n
      this.resources.set(resource, { version, owner, sharing: step.sharing })
    } else if (!this.tripped.delete(targetOf(step))) return 'Registry_TargetNotTripped'
    return 'done'
  }

  #trip(step: Extract<Step, { method: 'trip' | 'reset' }>): Outcome {
    const known = {
      everything: true,
      source: this.sources.has(digest(step.name)),
      resource: this.resources.has(digest(step.name)),
    }
    if (!known[step.kind]) return 'Registry_TargetUnknown'
    if (this.tripped.has(targetOf(step))) return 'Registry_TargetTripped'
    this.tripped.add(targetOf(step))
    return 'done'
  }

  #request(step: Extract<Step, { method: 'request' }>, by: string, time: bigint): Outcome {
    const consumer = digest(step.consumer)
    if (!this.isKeyOf(consumer, by, time)) return 'Authorizations_NotConsumer'
    const reason = this.decide(step, time)
    if (reason === 'Allowed') this.#stateOf(step.grant).calls++
    return reason
  }

  decide(use: Use & { grant: Grant }, time: bigint): Reason {
    const [consumer, resource, purpose] = [use.consumer, use.resource, use.purpose].map(digest) as [
      string,
      string,
      string,
    ]
    return decisionOn(this, { consumer, resource, purpose, grantId: this.idOf(use.grant) }, time)
  }

  /** The steps that only the grant's subject takes. */
  #own(
    step: Extract<Step, { method: 'grant' | 'revoke' | 'pause' | 'resume' }>,
    by: string,
    time: bigint,
  ): Outcome {
    const state = this.#stateOf(step.grant)
    // Without a signature a grant is given by its subject only.
    if (step.method === 'grant') {
      if (state.revokedAt !== 0n) return 'Authorizations_GrantRevoked'
      if (state.given) return 'Authorizations_GrantKnown'
      if (by !== step.grant.subject) return 'Authorizations_SignatureInvalid'
      state.given = true
      return 'done'
    }
    if (by !== step.grant.subject) return 'Authorizations_NotSubject'
    if (step.method === 'revoke') return this.#revoke(state, time)
    if (state.revokedAt !== 0n) return 'Authorizations_GrantRevoked'
    const paused = step.method === 'pause'
    if (state.paused === paused) return `Authorizations_Grant${paused ? '' : 'Not'}Paused`
    state.paused = paused
    return 'done'
  }

  #revoke(state: GrantState, time: bigint): Outcome {
    if (state.revokedAt !== 0n) return 'Authorizations_GrantRevoked'
    state.revokedAt = time
    return 'done'
  }

  idOf(grant: Grant): string {
    return idOf(this.#domain, grant)
  }

  #stateOf(grant: Grant): GrantState {
    const key = this.idOf(grant)
    const state = this.grants.get(key) ?? {
      terms: grant,
      given: false,
      paused: false,
      revokedAt: 0n,
      calls: 0n,
    }
    this.grants.set(key, state)
    return state
  }
}

/** What World calls the target of a breaker. */
export const targetOf = ({ kind, name }: { kind: (typeof KINDS)[number]; name: string }): string =>
  kind === 'everything' ? kind : `${kind}:${digest(name)}`

/** The id of the target of a breaker. */
export const targetIdOf = ({ kind, name }: { kind: (typeof KINDS)[number]; name: string }): string =>
  kind === 'everything' ? ZeroHash : digest(name)

export const reasonOf = (number: unknown): Outcome => REASONS[Number(number)] ?? `reason ${number}`
