import { tmpdir } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import { MonthCounts } from '../audit/month-counts.ts'
import {
  batchesOf,
  logRoot,
  MOST_OFFSET,
  type MonthlyReport,
  parseReportScope,
  parseShared,
  periodOf,
  type ReportScope,
  reportOf,
  runsOf,
} from '../audit/monthly-report.ts'
import { type Difference, differencesOf } from '../audit/report-differences.ts'
import type { Header } from '../batch/index.ts'
import { createGatewayApi } from '../client/gateway-api.ts'
import { InputError } from '../errors.ts'
import { DEFAULT_SETTINGS } from '../rules/settings.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { EXIT } from './exit.ts'
import { apiOption, jsonOption } from './options.ts'
import { type FoundBatch, listBatches } from './read-any.ts'
import { readBundle } from './read-lines.ts'
import { describeReport, printable } from './report-text.ts'

interface ReportOptions {
  month?: string
  batches?: string
  api: string
  utcOffset?: number
  shared?: string
  compare?: string
  json?: boolean
}

/** `tidemark report`: what each department did in a month, and whether a report says so. */
export const reportCommand = () =>
  new Command('report')
    .description(
      'tell what each department did in a month; with --compare compute a report again: exit code 0 when it is right, 1 when anything differs, 2 when it cannot be read, 3 when the batches cannot',
    )
    .option('--month <month>', 'such as 2026-05; with --compare that of the report if left out')
    .option('--batches <folder>', 'compute it from the batches in a folder, such as .tidemark/batches')
    .addOption(apiOption())
    .addOption(
      new Option(
        '--utc-offset <minutes>',
        `of the local time, ${DEFAULT_SETTINGS.office.utcOffsetMinutes} if left out`,
      ).argParser(parseOffset),
    )
    .option('--shared <file>', 'with --batches: what departments share, a JSON list of {"resource", "owner"}')
    .option('--compare <file>', 'with --batches: a report as JSON, to be computed again')
    .addOption(jsonOption())
    .action(report)

function parseOffset(text: string): number {
  const offset = Number(text)
  if (/^-?\d+$/.test(text) && Math.abs(offset) <= MOST_OFFSET) return offset
  throw new InvalidArgumentError(`must be whole minutes, at most ${MOST_OFFSET}`)
}

async function report(options: ReportOptions): Promise<void> {
  const { batches, compare, shared, json } = options
  if (batches === undefined && (compare !== undefined || shared !== undefined)) {
    throw new InputError(
      'BAD_ARGUMENT',
      '--compare and --shared take the batches of a folder: name it with --batches',
    )
  }
  if (batches !== undefined && compare !== undefined) return check(batches, compare, options)
  const made = batches === undefined ? await fetchReport(options) : await makeReport(batches, options)
  process.stdout.write(json === true ? `${JSON.stringify(made, null, 2)}\n` : describeReport(made))
}

function monthOf({ month, utcOffset = DEFAULT_SETTINGS.office.utcOffsetMinutes }: ReportOptions) {
  if (month === undefined) throw new InputError('BAD_ARGUMENT', 'say of which month with --month')
  periodOf({ month, utcOffset })
  return { month, utcOffset }
}

async function fetchReport(options: ReportOptions): Promise<MonthlyReport> {
  const { month, utcOffset } = monthOf(options)
  const value = await createGatewayApi(options.api).monthlyReport(month, utcOffset)
  parseReportScope(value)
  // Its figures are printed as they come, and nothing rests on them.
  return value as MonthlyReport
}

async function makeReport(root: string, options: ReportOptions): Promise<MonthlyReport> {
  const month = monthOf(options)
  const shared = options.shared === undefined ? null : await readShared(options.shared)
  const batches: FoundBatch[] = []
  for await (const batch of listBatches(root)) batches.push(batch)
  const scope: ReportScope = { ...month, ledger: null, batches: runsOf(batches), leftOut: [], shared }
  return (await compute(root, scope)).report
}

async function readShared(file: string) {
  const value = await readBundle(file)
  if (!Array.isArray(value)) throw new InputError('BAD_BUNDLE', `${file} is no list of shared resources`)
  return value.map(parseShared)
}

/** Computes what a report is about, from the records of its batches in a folder, which are held against their headers. */
async function compute(root: string, scope: ReportScope) {
  const folder = new BatchFolder(root)
  const leftOut = new Set(scope.leftOut.map(({ entry }) => Number(entry)))
  const headers = new Map<number, Header>()
  const counts = new MonthCounts(periodOf(scope), { folder: tmpdir() })
  try {
    for (const { place, publisher, sequence } of batchesOf(scope.batches)) {
      if (leftOut.has(place)) continue
      const header = await folder.loadHeader(publisher, sequence)
      await counts.add(folder, header)
      headers.set(place, header)
    }
    return { report: reportOf(scope, await counts.figures(scope.shared ?? undefined)), headers }
  } finally {
    await counts.close()
  }
}

async function check(root: string, file: string, options: ReportOptions): Promise<void> {
  const claimed = await readBundle(file)
  const scope = parseReportScope(claimed)
  const wanted = {
    ...scope,
    ...(options.month !== undefined && { month: options.month }),
    ...(options.utcOffset !== undefined && { utcOffset: options.utcOffset }),
  }
  const { report, headers } = await compute(root, wanted)
  const ledger = scope.ledger && { ...scope.ledger, root: logRoot(headers, scope) }
  const differences = [...differencesOf(claimed, { ...report, ledger })]
  if (differences.length > 0) process.exitCode = EXIT.refuted
  const verdict = differences.length === 0 ? 'equal' : 'different'
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ verdict, differences })}\n`
      : describeCheck(report, differences),
  )
}

function describeCheck(
  { month, ledger, leftOut }: MonthlyReport,
  differences: readonly Difference[],
): string {
  const about =
    ledger === null
      ? 'the batches of the folder'
      : `ledger ${ledger.ledger} on chain ${ledger.chainId}, entries 0 to before ${ledger.size}, root ${ledger.root}`
  const lines =
    differences.length === 0
      ? [`EQUAL: the report of ${month} is what ${about} give`]
      : [
          `DIFFERENT: the report is not what ${about} give`,
          ...differences.map(
            ({ place, claimed, found }) =>
              `  ${place}: the report says ${show(claimed)}, it is ${show(found)}`,
          ),
        ]
  const unread =
    leftOut.length === 0
      ? []
      : [`  ${leftOut.length} entries were left out of it: ${leftOut.map(({ entry }) => entry).join(', ')}`]
  return `${[...lines, ...unread].map(printable).join('\n')}\n`
}

const show = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value))
