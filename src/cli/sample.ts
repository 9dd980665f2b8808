import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { sampleRecords } from '../client/sample.ts'
import { SAMPLE_MONTH, type SampleLabel, sampleMonth } from '../client/sample-month.ts'
import type { SampleSubmission } from '../client/sample-month-delivery.ts'
import { InputError } from '../errors.ts'
import { parseTime, parseWhole } from './options.ts'

interface SampleCommandOptions {
  count: number
  seed: string
  from: Date
  month: boolean
  percent?: number
  labels?: string
  submissions?: string
}

/** `tidemark sample`: made-up records of every type on standard output, labelled so. */
export const sampleCommand = () =>
  new Command('sample')
    .description('print made-up records of several departments, one a line')
    .addOption(
      new Option('--count <number>', 'how many').argParser(parseWhole(0, 100_000_000)).default(1_000),
    )
    .addOption(new Option('--seed <text>', 'the same seed and start give the same records').default('1'))
    .addOption(
      new Option('--from <time>', 'start of the made-up period, RFC 3339')
        .argParser(parseTime)
        .default(new Date('2026-01-05T00:00:00.000Z'), '2026-01-05'),
    )
    .addOption(
      new Option(
        '--month',
        `all of ${SAMPLE_MONTH.month} instead, with misuse among it that "tidemark rules" finds`,
      )
        .default(false)
        .conflicts(['count', 'from']),
    )
    .addOption(
      new Option('--percent <number>', 'of a month: how much normal work, 100 if left out').argParser(
        parseWhole(1, 1_000),
      ),
    )
    .addOption(new Option('--labels <file>', 'of a month: write which of its records are misuse'))
    .addOption(new Option('--submissions <file>', 'of a month: write its submissions and their promises'))
    .action(sample)

async function sample(options: SampleCommandOptions): Promise<void> {
  if (options.month) return month(options)
  const { percent, labels, submissions } = options
  if (percent !== undefined || labels !== undefined || submissions !== undefined) {
    throw new InputError('BAD_ARGUMENT', 'only a --month has labels, submissions and a percentage')
  }
  for (const record of sampleRecords(options)) await printLine(record)
}

async function month({ seed, percent = 100, labels, submissions }: SampleCommandOptions): Promise<void> {
  const found: SampleLabel[] = []
  const handedOver: SampleSubmission[] = []
  for (const item of sampleMonth({ ...SAMPLE_MONTH, seed, percent })) {
    if (item.kind === 'record') await printLine(item.record)
    else if (item.kind === 'label') found.push(item.label)
    else handedOver.push(item.submission)
  }
  if (labels !== undefined) await writeLines(labels, found)
  if (submissions !== undefined) await writeLines(submissions, handedOver)
}

async function printLine(value: unknown): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(value)}\n`)) await once(process.stdout, 'drain')
}

async function writeLines(path: string, values: readonly unknown[]): Promise<void> {
  try {
    await writeFile(path, values.map((value) => `${JSON.stringify(value)}\n`).join(''))
  } catch (cause) {
    throw new InputError('BAD_ARGUMENT', `cannot write ${path}: ${(cause as Error).message}`, {}, { cause })
  }
}
