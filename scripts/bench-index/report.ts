import type { HistoryFigures } from './histories.ts'
import type { Latency } from './lookups.ts'

/** What a ledger of one size has shown. */
export interface SizeReport {
  /** records */
  size: number
  batches: number
  /** of an item's line, its line feed included */
  lineBytes: number
  /** load average of one minute after each part */
  load: number[]
  rounds: Record<'lines' | 'frames' | 'catchUp' | 'audit', { seconds: number; cpuSeconds: number }>[]
  /** most memory, bytes */
  peaks: { catchUp: number; audit: number; answering: number }
  /** of lookups, milliseconds by kind */
  cold: Record<string, Latency>
  warm: Record<string, Latency>
  histories: Record<string, { first: HistoryFigures; again: HistoryFigures }>
}

const whole = (value: number) => Math.round(value).toLocaleString('en')
const ms = (value: number) => value.toFixed(value < 10 ? 1 : 0)
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

type Row = [title: string, cell: (report: SizeReport) => string]

type Part = keyof SizeReport['rounds'][number]

const rate = (part: Part): Row[1] => {
  return ({ size, rounds }) => whole(median(rounds.map((round) => size / round[part].seconds)))
}

/** Time and processor time in those of the faster bare, of each round: what slows the machine down slows down both. */
const times = (part: Part): Row[1] => {
  return ({ rounds }) =>
    (['seconds', 'cpuSeconds'] as const)
      .map((kind) =>
        rounds.map((round) => round[part][kind] / Math.min(round.lines[kind], round.frames[kind])),
      )
      .map((ratios) => median(ratios).toFixed(1))
      .join(' / ')
}

const processor: Row[1] = ({ size, rounds }) =>
  (['lines', 'frames', 'catchUp', 'audit'] as const)
    .map((part) => ms(median(rounds.map((round) => (1e6 * round[part].cpuSeconds) / size))))
    .join(' / ')

const ROWS: readonly Row[] = [
  ['batches', ({ batches }) => whole(batches)],
  ['bytes a line', ({ lineBytes }) => whole(lineBytes)],
  ['load average', ({ load }) => `${Math.min(...load).toFixed(1)} to ${Math.max(...load).toFixed(1)}`],
  ['bare by line, records/s', rate('lines')],
  ['bare by frame, records/s', rate('frames')],
  ['catch-up, records/s', rate('catchUp')],
  ['  times the faster bare, CPU', times('catchUp')],
  ['audit, records/s', rate('audit')],
  ['  times the faster bare, CPU', times('audit')],
  ['CPU of the four, us/record', processor],
  ['most memory, catch-up', ({ peaks }) => megabytes(peaks.catchUp)],
  ['  audit', ({ peaks }) => megabytes(peaks.audit)],
  ['  answering', ({ peaks }) => megabytes(peaks.answering)],
]

/** As a table for people, a column for each size. */
export function printReport(reports: readonly SizeReport[]): void {
  const line = (title: string, cells: readonly string[]) =>
    console.log(title.padEnd(34) + cells.map((cell) => cell.padStart(32)).join(''))
  line(
    '\nrecords',
    reports.map(({ size }) => whole(size)),
  )
  for (const [title, cell] of ROWS) line(title, reports.map(cell))
  for (const part of ['cold', 'warm'] as const) {
    line(
      `\nlookups, ${part}`,
      reports.map(() => 'p50 / p99 / max ms, records'),
    )
    for (const kind of Object.keys(reports[0]?.[part] ?? {})) {
      line(
        kind,
        reports.map((report) => latency(report[part][kind])),
      )
    }
  }
  line(
    '\nhistories, first / again',
    reports.map(() => 'ms, verify ms, size, records'),
  )
  for (const kind of Object.keys(reports[0]?.histories ?? {})) {
    line(
      kind,
      reports.map((report) => history(report.histories[kind])),
    )
  }
}

const latency = (found: Latency | undefined) =>
  found === undefined
    ? ''
    : `${ms(found.p50)} / ${ms(found.p99)} / ${ms(found.max)}, ${found.records.toFixed(1)}`

const history = (found: SizeReport['histories'][string] | undefined) =>
  found === undefined
    ? ''
    : `${ms(found.first.ms)} / ${ms(found.again.ms)}, ${ms(found.again.verifyMs)}, ${megabytes(found.again.bytes)}, ${found.again.records}`
