import type { FlowRecord, RecordFacts } from '../record/index.ts'
import { type AlertFigures, alertFigures, Incidents } from './incidents.ts'
import { ReviewTimes, reviewFigures } from './review-times.ts'
import { Volume, type VolumeFigures } from './volume.ts'

/** Milliseconds since 1970, [fromMs, toMs) on the records' own times. */
export interface Period {
  fromMs: number
  toMs: number
}

/** A text member of a record's `data`, if it has it. */
export type TextOf = (name: 'requestId' | 'reason') => string | undefined

/** A resource that a department shares, as a registry has it. */
export interface SharedResource {
  resource: string
  owner: string
}

type Role = 'provider' | 'consumer'

/** The figures of a period (docs/format.md, section 19.2). */
export interface Figures {
  total: {
    asProvider: VolumeFigures
    asConsumer: VolumeFigures
    resources: { shared: number; used: number }
    applications: number
    review: { given: number; called: number; medianMs: number | null }
    alerts: AlertFigures[]
  }
  /** ordered by name */
  departments: DepartmentFigures[]
}

export interface DepartmentFigures {
  department: string
  asProvider: VolumeFigures
  asConsumer: VolumeFigures
  resources: { shared: number; used: number }
  /** distinct requests that it answered with success */
  applications: number
  /** by role and reason, in their order */
  refusals: { role: Role; reason: string; count: number }[]
  /** grants whose first call, after the grant, it answered */
  review: { called: number; medianMs: number | null }
  alerts: AlertFigures[]
}

interface Department {
  provider: Volume
  consumer: Volume
  /** by role and reason */
  refusals: Map<string, DepartmentFigures['refusals'][number]>
}

/**
 * Counts what departments did in a period, from records in any order, those from before and after it among them.
 *
 * Grows with departments, resources, reasons, grants and incidents, and not with calls.
 */
export class DepartmentCounts {
  readonly #period: Period
  readonly #onServed: (department: string, requestId: string) => void
  readonly #departments = new Map<string, Department>()
  /** of every provider, whether each of its resources was used in the period */
  readonly #resources = new Map<string, Map<string, boolean>>()
  readonly #reviews = new ReviewTimes()
  readonly #incidents = new Incidents()

  /** @param onServed told of every request that was answered with success in the period, of some again */
  constructor(period: Period, onServed: (department: string, requestId: string) => void) {
    this.#period = period
    this.#onServed = onServed
  }

  /** @param record itself, which of calls and refusals is not needed */
  add(facts: RecordFacts, textOf: TextOf, record?: FlowRecord): void {
    this.#reviews.add(facts)
    if (record?.type === 'tidemark.incident.v1') this.#incidents.add(record)
    else if (facts.type === 'tidemark.call.v1') {
      this.#addResource(facts)
      if (this.#isWithin(facts)) this.#addCall(facts, textOf)
    } else if (facts.type === 'tidemark.refusal.v1' && this.#isWithin(facts)) {
      this.#addRefusal(facts, textOf('reason') ?? '')
    }
  }

  /**
   * @param served how many distinct requests of each department `onServed` was told of
   * @param shared all that is shared; without it, what calls before the end of the period name
   */
  finish(served: ReadonlyMap<string, number>, shared?: readonly SharedResource[]): Figures {
    const { fromMs, toMs } = this.#period
    const { given, times } = this.#reviews.given(fromMs, toMs)
    const reviews = Map.groupBy(times, ({ provider }) => provider)
    const resources = this.#sharedBy(shared)
    const incidents = this.#incidents.detected(fromMs, toMs)
    const parties = new Set([...this.#departments.keys(), ...resources.keys(), ...reviews.keys()])
    const owners = new Map(shared?.map(({ resource, owner }) => [resource, owner]))
    const alerts = Map.groupBy(incidents, ({ source, subject = '' }) => {
      const department = owners.get(subject) ?? subject
      return parties.has(department) ? department : (this.#providerOf(subject) ?? source)
    })
    const total = { ...emptyDepartment(), resources: { shared: 0, used: 0 }, applications: 0 }
    const departments = [...new Set([...parties, ...alerts.keys()])].sort().map((department) => {
      const { provider, consumer, refusals } = this.#departments.get(department) ?? emptyDepartment()
      const uses = [...(resources.get(department) ?? [])]
      const figures: DepartmentFigures = {
        department,
        asProvider: provider.figures(),
        asConsumer: consumer.figures(),
        resources: { shared: uses.length, used: uses.filter(([, isUsed]) => isUsed).length },
        applications: served.get(department) ?? 0,
        refusals: [...refusals].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, refusal]) => refusal),
        review: reviewFigures(reviews.get(department) ?? []),
        alerts: alertFigures(alerts.get(department) ?? []),
      }
      total.provider.addAll(provider)
      total.consumer.addAll(consumer)
      total.resources.shared += figures.resources.shared
      total.resources.used += figures.resources.used
      total.applications += figures.applications
      return figures
    })
    return {
      total: {
        asProvider: total.provider.figures(),
        asConsumer: total.consumer.figures(),
        resources: total.resources,
        applications: total.applications,
        review: { given, ...reviewFigures(times) },
        alerts: alertFigures(incidents),
      },
      departments,
    }
  }

  /** Both sides may tell a call: in each role it counts for the side that tells it, and so once a pair. */
  #addCall(facts: RecordFacts, textOf: TextOf): void {
    const [role, other] = rolesOf(facts)
    this.#departmentOf(facts[role])[role].add(facts)
    this.#departmentOf(facts[other])[other].addToldByOther()
    if (role === 'provider' && facts.outcome === 'success') {
      this.#onServed(facts.provider ?? '', textOf('requestId') ?? '')
    }
  }

  #addRefusal(facts: RecordFacts, reason: string): void {
    const [role] = rolesOf(facts)
    const { refusals } = this.#departmentOf(facts[role])
    const refusal = refusals.get(`${role} ${reason}`) ?? { role, reason, count: 0 }
    refusals.set(`${role} ${reason}`, refusal)
    refusal.count++
  }

  #addResource(facts: RecordFacts): void {
    const { side, timeMs, provider = '', subject = '', outcome } = facts
    if (side !== 'provider' || timeMs >= this.#period.toMs) return
    const uses = this.#resources.get(provider) ?? new Map<string, boolean>()
    this.#resources.set(provider, uses)
    if (outcome === 'success' && this.#isWithin(facts)) uses.set(subject, true)
    else if (!uses.has(subject)) uses.set(subject, false)
  }

  /** What each department shares, and whether it was used. */
  #sharedBy(shared: readonly SharedResource[] | undefined): Map<string, Map<string, boolean>> {
    if (shared === undefined) return this.#resources
    const owned = new Map<string, Map<string, boolean>>()
    for (const { resource, owner } of shared) {
      const uses = owned.get(owner) ?? new Map<string, boolean>()
      owned.set(owner, uses)
      uses.set(resource, this.#resources.get(owner)?.get(resource) === true)
    }
    return owned
  }

  /** The first department that has answered a call to a resource. */
  #providerOf(resource: string): string | undefined {
    const providers = [...this.#resources].filter(([, uses]) => uses.has(resource))
    return providers.map(([provider]) => provider).sort()[0]
  }

  #isWithin({ timeMs }: RecordFacts): boolean {
    return timeMs >= this.#period.fromMs && timeMs < this.#period.toMs
  }

  #departmentOf(name = ''): Department {
    const department = this.#departments.get(name) ?? emptyDepartment()
    this.#departments.set(name, department)
    return department
  }
}

/** The role of who tells it, and the other one. */
const rolesOf = ({ side }: RecordFacts): readonly [Role, Role] =>
  side === 'consumer' ? ['consumer', 'provider'] : ['provider', 'consumer']

const emptyDepartment = (): Department => ({
  provider: new Volume(),
  consumer: new Volume(),
  refusals: new Map(),
})
