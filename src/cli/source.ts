import { Command, Option } from 'commander'
import type { Hex } from '../bytes/hex.ts'
import { InputError } from '../errors.ts'
import { dataOption, showTime, table, withSources } from './catalogue.ts'
import { jsonOption, parseAddress, parseSource } from './options.ts'

interface SourceOptions {
  data: string
  key: Hex
  json?: boolean
}

/** `tidemark source`: who signs for which source. */
export const sourceCommand = () => {
  const verb = (name: string, description: string) =>
    new Command(name).description(description).addOption(dataOption())
  const source = ['<source>', 'as the records name it', parseSource] as const
  return new Command('source')
    .description('the keys that sources sign with; also while "tidemark up" runs')
    .addCommand(
      verb('add', 'let a source sign with a key')
        .argument(...source)
        .addOption(keyOption(true))
        .action(add),
    )
    .addCommand(verb('list', 'list all keys').addOption(jsonOption()).action(list))
    .addCommand(
      verb('rotate', 'revoke the keys of a source and add another')
        .argument(...source)
        .addOption(keyOption(true))
        .action(rotate),
    )
    .addCommand(
      verb('revoke', 'revoke a key of a source, or without --key all its keys and tokens')
        .argument(...source)
        .addOption(keyOption(false))
        .action(revoke),
    )
}

const keyOption = (mandatory: boolean) =>
  new Option('--key <address>', 'the address of the key')
    .argParser(parseAddress)
    .makeOptionMandatory(mandatory)

async function add(source: string, { data, key }: SourceOptions): Promise<void> {
  const added = await withSources(data, 'new', (sources) => sources.addKey(source, key, Date.now()))
  if (!added) throw hasAlready(source, key)
  process.stdout.write(`${source} signs with ${key} from now on\n`)
}

async function rotate(source: string, { data, key }: SourceOptions): Promise<void> {
  const revoked = await withSources(data, 'new', (sources) => sources.rotateKey(source, key, Date.now()))
  if (revoked === undefined) throw hasAlready(source, key)
  process.stdout.write(
    `${source} signs with ${key} from now on; ${revoked} keys are revoked, and what they signed stays good\n`,
  )
}

async function revoke(
  source: string,
  { data, key }: Partial<SourceOptions> & { data: string },
): Promise<void> {
  const { keys, tokens } = await withSources(data, 'existing', (sources) =>
    key === undefined
      ? sources.revokeSource(source, Date.now())
      : { keys: sources.revokeKey(source, key, Date.now()), tokens: 0 },
  )
  if (keys + tokens === 0) {
    throw new InputError('BAD_ARGUMENT', `${source} has no ${key ?? 'key or token'} that could be revoked`)
  }
  process.stdout.write(`${keys} keys and ${tokens} tokens of ${source} are revoked\n`)
}

async function list({ data, json }: SourceOptions): Promise<void> {
  const keys = await withSources(data, 'existing', (sources) => sources.keys())
  const rows = keys.map(({ source, address, since, revokedAt }) => ({
    source,
    key: address,
    since: showTime(since),
    revoked: showTime(revokedAt),
  }))
  process.stdout.write(
    json === true
      ? `${JSON.stringify(rows.map(({ revoked, ...row }) => ({ ...row, revoked: revoked || null })))}\n`
      : table(
          ['SOURCE', 'KEY', 'SINCE', 'REVOKED'],
          rows.map((row) => Object.values(row)),
        ),
  )
}

const hasAlready = (source: string, key: Hex) =>
  new InputError('BAD_ARGUMENT', `${source} signs with ${key} already`)
