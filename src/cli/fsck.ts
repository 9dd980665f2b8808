import { access } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { type FsckReport, fsck, type Trouble } from '../audit/fsck.ts'
import { InputError } from '../errors.ts'
import { openDatabase } from '../store/database.ts'
import { lockFolder } from '../store/folder-lock.ts'
import { dataOption } from './catalogue.ts'
import { EXIT } from './exit.ts'
import { identityPath, loadIdentity } from './identity.ts'
import { jsonOption, PROMISE_MS } from './options.ts'

interface FsckCommandOptions {
  data: string
  repair: boolean
  json?: boolean
}

/** `tidemark fsck`: whether the data folder of a gateway is whole, and what can be made whole. */
export const fsckCommand = () =>
  new Command('fsck')
    .description(
      'check the data folder of a gateway that is stopped; exit code 0 whole, 1 something is wrong, 2 no such folder, 3 could not check',
    )
    .addOption(dataOption())
    .option('--repair', 'rebuild what can be rebuilt', false)
    .addOption(jsonOption())
    .action(run)

async function run({ data, repair, json }: FsckCommandOptions): Promise<void> {
  await access(data).catch(() => {
    throw new InputError('BAD_ARGUMENT', `there is no folder ${data}: name that of "tidemark up" with --data`)
  })
  const free = await lockFolder(data)
  try {
    const domain = await loadIdentity(identityPath(data))
    if (domain === undefined)
      throw new InputError('BAD_ARGUMENT', `${data} is no data folder of "tidemark up"`)
    const database = openDatabase(join(data, 'catalogue.sqlite'))
    try {
      const report = await fsck({
        database,
        batchesPath: join(data, 'batches'),
        logPath: join(data, 'log'),
        domain,
        repair,
        promiseMs: PROMISE_MS,
        threads: availableParallelism(),
        now: Date.now(),
      })
      process.stdout.write(json === true ? `${JSON.stringify(report)}\n` : describe(report))
      process.exitCode = exitCodeOf(report)
    } finally {
      database.close()
    }
  } finally {
    free()
  }
}

function exitCodeOf({ troubles }: FsckReport): number {
  const left = troubles.filter(({ state }) => state !== 'repaired')
  if (left.length === 0) return EXIT.ok
  return left.every(({ state }) => state === 'unread') ? EXIT.couldNotCheck : EXIT.refuted
}

const WORDS: Readonly<Record<Trouble['state'], string>> = {
  repaired: 'repaired',
  repairable: 'run it with --repair',
  lost: 'cannot be rebuilt',
  unread: 'could not be checked',
}

const describe = ({ segments, batches, troubles }: FsckReport): string =>
  [
    `${batches} batches and ${segments} segments of the log checked; ${troubles.length} troubles`,
    ...troubles.map(({ where, what, state }) => `${where}: ${what} (${WORDS[state]})`),
    '',
  ].join('\n')
