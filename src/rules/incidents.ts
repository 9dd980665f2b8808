import { type FlowRecord, textOf, timeOf } from '../record/index.ts'
import { median } from './median.ts'

/** The incidents of one rule and severity that were detected within a period. */
export interface AlertFigures {
  /** empty where the incidents name none */
  rule: string
  severity: string
  detected: number
  reported: number
  closed: number
  /** milliseconds from the detection; null where none was, negative ones left out */
  medianToReportMs: number | null
  medianToCloseMs: number | null
  longestToCloseMs: number | null
}

interface Incident {
  source: string
  subject: string | undefined
  rule: string
  severity: string
  detectedMs: number
  /** the earliest that any of its records tells */
  reportedMs: number
  closedMs: number
}

/**
 * What the records of incidents say together (docs/format.md, section 19.2).
 *
 * Records with the same source, subject, rule, severity and time of detection are of one incident, unless their ids
 * name several.
 */
export class Incidents {
  readonly #incidents = new Map<string, Incident>()

  add(record: FlowRecord): void {
    const { source, subject } = record
    const [rule, severity, state] = ['rule', 'severity', 'state'].map((name) => textOf(record, name) ?? '')
    const [detectedMs, reportedMs] = ['detectedAt', 'reportedAt'].map((name) =>
      Date.parse(textOf(record, name) ?? ''),
    ) as [number, number]
    const key = JSON.stringify([source, subject, rule, severity, detectedMs, nameOf(record.id, state)])
    const incident = this.#incidents.get(key) ?? {
      ...{ source, subject, rule: rule ?? '', severity: severity ?? '', detectedMs },
      ...{ reportedMs: Number.POSITIVE_INFINITY, closedMs: Number.POSITIVE_INFINITY },
    }
    this.#incidents.set(key, incident)
    if (!Number.isNaN(reportedMs)) incident.reportedMs = Math.min(incident.reportedMs, reportedMs)
    else if (state === 'reported') incident.reportedMs = Math.min(incident.reportedMs, timeOf(record))
    if (state === 'closed') incident.closedMs = Math.min(incident.closedMs, timeOf(record))
  }

  /** Those detected in [fromMs, toMs). */
  detected(fromMs: number, toMs: number): Incident[] {
    return [...this.#incidents.values()].filter(({ detectedMs }) => detectedMs >= fromMs && detectedMs < toMs)
  }
}

/** What the id `incident-<name>-<state>` names; nothing of another id. */
const nameOf = (id: string, state = '') =>
  id.startsWith('incident-') && id.endsWith(`-${state}`) ? id.slice(9, -state.length - 1) : undefined

/** By rule and severity, in their order. */
export function alertFigures(incidents: readonly Incident[]): AlertFigures[] {
  const kinds = Map.groupBy(incidents, ({ rule, severity }) => `${rule} ${severity}`)
  return [...kinds]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, alike]) => {
      const [first] = alike
      if (first === undefined) return []
      const since = (end: 'reportedMs' | 'closedMs') =>
        alike.map((incident) => incident[end] - incident.detectedMs).filter(Number.isFinite)
      const [toReport, toClose] = [since('reportedMs'), since('closedMs')]
      const closed = toClose.filter((ms) => ms >= 0)
      return {
        rule: first.rule,
        severity: first.severity,
        detected: alike.length,
        reported: toReport.length,
        closed: toClose.length,
        medianToReportMs: median(toReport.filter((ms) => ms >= 0)),
        medianToCloseMs: median(closed),
        longestToCloseMs: closed.length === 0 ? null : closed.reduce((a, b) => Math.max(a, b)),
      }
    })
}
