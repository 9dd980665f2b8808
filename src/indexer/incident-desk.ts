import { setImmediate as nextTurn } from 'node:timers/promises'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { InputError } from '../errors.ts'
import type { RulePolicy } from '../rules/policy.ts'
import type { Finding } from '../rules/rule.ts'
import type { IncidentState, StoredAlert } from '../store/alerts.ts'
import { type Database, inTransaction } from '../store/database.ts'
import type { Clocks, Incidents } from '../store/incidents.ts'
import type { JudgedBatches } from '../store/judged-batches.ts'
import type { OwnRecords } from '../store/own-records.ts'
import type { Trips } from '../store/trips.ts'
import { incidentId, type JsonRuleAlert, toJsonRuleAlert } from './rule-alert.ts'

interface DeskParts {
  database: Database
  incidents: Incidents
  judged: JudgedBatches
  /** where records wait that say what happens to incidents, and the source that says so; nobody does without it */
  records?: { own: OwnRecords; source: string }
  policy: Pick<RulePolicy, 'deadlineMinutes' | 'trip'>
  trips: Trips
  identity: LedgerIdentity
  /** milliseconds since 1970 */
  now: () => number
  /** told what somebody should know of */
  onTrouble: (message: string) => void
}

/** What somebody does about an incident. */
export interface Handling {
  state: 'reported' | 'closed'
  note?: string
  /** who */
  agent?: string
}

/** More of one rule are not raised while nobody closes any: they say that it does not fit, or nobody looks. */
const MOST_OPEN = 10_000

/** Findings that are written down in one turn of the event loop. */
const AT_ONCE = 50

/** Warnings that are given at a time. */
const MOST_WARNED = 1_000

/** Raises an incident for what a rule finds, keeps its clock, and writes down how it is handled. */
export class IncidentDesk {
  readonly #parts: DeskParts
  readonly #warned = new Map<bigint, 'soon' | 'over'>()
  /** rules of which more was found than is raised */
  readonly #full = new Set<string>()

  constructor(parts: DeskParts) {
    this.#parts = parts
  }

  /**
   * Raises what is new, each together with the record that says so, a little at a time so that others get their turn.
   *
   * The batch counts as judged at the end: after a crash halfway it is judged again, and what was raised stays so.
   *
   * @param logIndex of the batch that has been judged
   */
  async raise(findings: readonly Finding[], logIndex: bigint | undefined): Promise<void> {
    const { database, judged, onTrouble } = this.#parts
    for (let first = 0; first < findings.length; first += AT_ONCE) {
      const some = findings.slice(first, first + AT_ONCE)
      const raised = inTransaction(database, () => this.#raiseAll(some))
      for (const { id, document } of raised) onTrouble(`alert ${id}: ${describe(parse(document))}`)
      await nextTurn()
    }
    if (logIndex !== undefined) judged.mark(logIndex)
  }

  /**
   * Writes down what somebody did; doing it once more changes nothing.
   *
   * @throws {InputError} `NOT_FOUND`, or `ALERT_CLOSED` when it is too late for that
   */
  handle(id: bigint, { state, note, agent }: Handling): StoredAlert {
    const { database, incidents, now } = this.#parts
    return inTransaction(database, () => {
      const alert = incidents.get(id)
      const was = alert?.incident?.state
      if (alert === undefined || was === undefined)
        throw new InputError('NOT_FOUND', `no rule has raised an alert ${id}`)
      if (was === state) return alert
      if (was === 'closed') throw new InputError('ALERT_CLOSED', `alert ${id} is closed`)
      if (state === 'reported') incidents.report(id, now())
      else incidents.close(id, now())
      const handled = incidents.get(id) ?? alert
      this.#record(handled, now(), {
        ...(note !== undefined && { note }),
        ...(agent !== undefined && { agent }),
      })
      return handled
    })
  }

  /** Says once of each clock that it runs out, and once that it has. */
  watch(): void {
    const { incidents, now, onTrouble } = this.#parts
    const running = incidents.runningOut(now(), MOST_WARNED)
    const known = new Set(running.map(({ id }) => id))
    for (const id of this.#warned.keys()) if (!known.has(id)) this.#warned.delete(id)
    for (const { id, incident } of running) {
      if (incident === undefined) continue
      const { deadline, rule, severity } = incident
      const state = deadline < now() ? 'over' : 'soon'
      if (this.#warned.get(id) === state) continue
      this.#warned.set(id, state)
      const at = new Date(deadline).toISOString()
      const what = `alert ${id} (${rule}, ${severity})`
      onTrouble(state === 'over' ? `${what} was not reported by ${at}` : `${what} is to be reported by ${at}`)
    }
  }

  clocks(): Clocks {
    return this.#parts.incidents.clocks(this.#parts.now())
  }

  /** What somebody has to do, a sentence each. */
  troubles(): string[] {
    const states = [...this.#warned.values()]
    const over = states.filter((state) => state === 'over').length
    const soon = states.length - over
    return [
      ...(over > 0 ? [`${over} alerts of rules were not reported in time`] : []),
      ...(soon > 0 ? [`${soon} alerts of rules are to be reported soon`] : []),
      ...[...this.#full]
        .sort()
        .map((rule) => `${MOST_OPEN} alerts of ${rule} are open: no more are raised until some are closed`),
    ]
  }

  #raiseAll(findings: readonly Finding[]): StoredAlert[] {
    const open = new Map<string, number>()
    const raised: StoredAlert[] = []
    for (const finding of findings) {
      const { rule } = finding
      const count = open.get(rule) ?? this.#parts.incidents.countOpen(rule)
      open.set(rule, count)
      if (count >= MOST_OPEN) {
        this.#full.add(rule)
        continue
      }
      this.#full.delete(rule)
      const alert = this.#raise(finding)
      if (alert === undefined) continue
      raised.push(alert)
      open.set(rule, count + 1)
    }
    return raised
  }

  #raise(finding: Finding): StoredAlert | undefined {
    const { incidents, policy, identity, now } = this.#parts
    const { rule, severity } = finding
    const json = toJsonRuleAlert(finding, identity)
    const raisedAt = now()
    const alert = incidents.raise({
      rule,
      severity,
      subject: incidentId(json),
      document: JSON.stringify(json),
      records: finding.records,
      raisedAt,
      deadline: raisedAt + 60_000 * policy.deadlineMinutes[severity],
    })
    if (alert === undefined) return undefined
    this.#record(alert, raisedAt, {})
    this.#trip(finding)
    return alert
  }

  #trip({ rule, values }: Finding): void {
    const { policy, trips } = this.#parts
    const target = policy.trip.get(rule)
    if (target === undefined) return
    const kind = target === 'everything' || target === 'resource' ? target : 'source'
    trips.add({ kind, name: target === 'everything' ? '' : String(values[target]), reason: rule })
  }

  #record({ document, raisedAt, incident }: StoredAlert, at: number, privates: Record<string, string>): void {
    const { records } = this.#parts
    if (records === undefined || incident === undefined) return
    const { rule, severity, deadline, reportedAt, state } = incident
    const json = parse(document)
    records.own.add(
      JSON.stringify({
        specversion: '1.0',
        id: incidentRecordId(json, state),
        source: records.source,
        type: 'tidemark.incident.v1',
        time: timeOf(at),
        subject: subjectOf(json),
        data: {
          severity,
          detectedAt: timeOf(raisedAt),
          ...(reportedAt !== undefined && { reportedAt: timeOf(reportedAt) }),
          deadline: timeOf(deadline),
          rule,
          affected: json.affected,
          state,
          ...privates,
        },
      }),
    )
  }
}

/** The id of the record that says that an incident has come into a state: there is one for each. */
const incidentRecordId = (alert: Pick<JsonRuleAlert, 'rule' | 'records'>, state: IncidentState) =>
  `incident-${incidentId(alert)}-${state}`

/** Whom an incident is about: the first that the rule names, or who wrote the record. */
function subjectOf({ values, records: [first] }: JsonRuleAlert): string {
  const { resource, provider, consumer } = values
  return String(resource ?? provider ?? consumer ?? first?.source)
}

const timeOf = (ms: number) => new Date(ms).toISOString()

/** What this program has written itself. */
const parse = (document: string) => JSON.parse(document) as JsonRuleAlert

function describe({ rule, severity, affected, records: [first] }: JsonRuleAlert): string {
  const more = affected > 1 ? ` and ${affected - 1} more` : ''
  return `${rule} (${severity}): record ${first?.id} of ${first?.source}${more}`
}
