import { once } from 'node:events'
import { Command, InvalidArgumentError, Option } from 'commander'
import { sampleRecords } from '../client/sample.ts'
import { parseWhole } from './options.ts'

interface SampleCommandOptions {
  count: number
  seed: string
  from: Date
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
    .action(sample)

async function sample(options: SampleCommandOptions): Promise<void> {
  for (const record of sampleRecords(options)) {
    if (!process.stdout.write(`${JSON.stringify(record)}\n`)) await once(process.stdout, 'drain')
  }
}

function parseTime(text: string): Date {
  const time = new Date(text)
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('must be a time such as 2026-01-05T00:00:00Z')
  return time
}
