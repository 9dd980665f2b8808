import type { RecordFacts } from '../record/index.ts'
import type { TextOf } from './departments.ts'
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
 * Records with the same source, subject, rule, severity and time of detection are of one incident.
 */
export class Incidents {
  readonly #incidents = new Map<string, Incident>()

  add({ source, subject, timeMs }: RecordFacts, textOf: TextOf): void {
    const [rule, severity, detectedAt] = [
      textOf('rule') ?? '',
      textOf('severity') ?? '',
      textOf('detectedAt'),
    ]
    const detectedMs = Date.parse(detectedAt ?? '')
    const key = JSON.stringify([source, subject, rule, severity, detectedMs])
    const incident = this.#incidents.get(key) ?? {
      ...{ source, subject, rule, severity, detectedMs },
      ...{ reportedMs: Number.POSITIVE_INFINITY, closedMs: Number.POSITIVE_INFINITY },
    }
    this.#incidents.set(key, incident)
    const [state, reportedAt] = [textOf('state'), textOf('reportedAt')]
    if (reportedAt !== undefined) incident.reportedMs = Math.min(incident.reportedMs, Date.parse(reportedAt))
    else if (state === 'reported') incident.reportedMs = Math.min(incident.reportedMs, timeMs)
    if (state === 'closed') incident.closedMs = Math.min(incident.closedMs, timeMs)
  }

  /** Those detected in [fromMs, toMs). */
  detected(fromMs: number, toMs: number): Incident[] {
    return [...this.#incidents.values()].filter(({ detectedMs }) => detectedMs >= fromMs && detectedMs < toMs)
  }
}

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
