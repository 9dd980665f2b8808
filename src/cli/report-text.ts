import type { MonthlyReport } from '../audit/monthly-report.ts'
import type { DepartmentFigures } from '../rules/departments.ts'
import { table } from './catalogue.ts'

/** The report of a month as tables for people. */
export function describeReport({
  month,
  utcOffset,
  ledger,
  leftOut,
  shared,
  total,
  departments,
}: MonthlyReport) {
  const { given, called, medianMs } = total.review
  const head = [
    `${month}, local time ${offsetOf(utcOffset)}`,
    ledger === null
      ? 'from the batches of a folder; the chain was not asked'
      : `ledger ${ledger.ledger} on chain ${ledger.chainId}, entries 0 to before ${ledger.size}, root ${ledger.root}`,
    ...(leftOut.length > 0 ? [`${leftOut.length} entries were not verified and are left out`] : []),
    `${total.asProvider.calls} calls answered, ${total.asProvider.refused} of them refused and ${total.asProvider.failed} failed; ${total.applications} applications served`,
    `${total.resources.used} of ${total.resources.shared} shared resources used (${shared === null ? 'those that were ever called' : 'by the registry'})`,
    `${given} grants given, ${called} of them used, ${showMs(medianMs)} later in the median`,
  ]
  const parts = [
    head.map((line) => `${printable(line)}\n`).join(''),
    table(VOLUME_TITLES, departments.map(volumeRow)),
    listOf(
      ['DEPARTMENT', 'AS', 'REFUSALS', 'REASON'],
      departments.flatMap(({ department, refusals }) =>
        refusals.map(({ role, count, reason }) => [department, role, String(count), reason]),
      ),
    ),
    listOf(
      ['DEPARTMENT', 'RULE', 'SEVERITY', 'ALERTS', 'REPORTED', 'CLOSED', 'OPEN FOR (MEDIAN)', 'LONGEST'],
      departments.flatMap(({ department, alerts }) =>
        alerts.map((alert) => [
          ...[department, alert.rule, alert.severity],
          ...[alert.detected, alert.reported, alert.closed].map(String),
          ...[showMs(alert.medianToCloseMs), showMs(alert.longestToCloseMs)],
        ]),
      ),
    ),
  ]
  return parts.filter((part) => part !== '').join('\n')
}

const VOLUME_TITLES = [
  ...['DEPARTMENT', 'ANSWERED', 'REFUSED', 'FAILED', 'ROWS', 'BYTES', 'APPLICATIONS'],
  ...['USED', 'OF', 'ASKED', 'ONLY OTHERS TELL', 'REVIEW (MEDIAN)'],
]

function volumeRow({ department, asProvider, asConsumer, ...figures }: DepartmentFigures): string[] {
  const { calls, refused, failed, rows, responseBytes } = asProvider
  const missing = [asProvider, asConsumer].map((one) => Math.max(0, one.toldByOthers - one.calls))
  return [
    ...[department, calls, refused, failed, rows, responseBytes, figures.applications].map(String),
    ...[figures.resources.used, figures.resources.shared, asConsumer.calls].map(String),
    String(missing.reduce((a, b) => a + b)),
    showMs(figures.review.medianMs),
  ].map(printable)
}

const listOf = (titles: readonly string[], rows: readonly (readonly string[])[]) =>
  rows.length === 0
    ? ''
    : table(
        titles,
        rows.map((row) => row.map(printable)),
      )

const offsetOf = (minutes: number) => {
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  return `UTC${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`
}

/** A length of time to two places. */
function showMs(ms: number | null): string {
  if (ms === null) return '-'
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return `${(ms / 1_000).toFixed(1)} s`
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** A name may hold what would steer a terminal. */
export const printable = (text: string) => text.replaceAll(/\p{C}/gu, '?')
