import { randomBytes } from 'node:crypto'
import { Command, Option } from 'commander'
import { toBase64url } from '../bytes/base64url.ts'
import { InputError } from '../errors.ts'
import { HANDLER, READER } from '../store/sources.ts'
import { dataOption, showTime, table, withSources } from './catalogue.ts'
import { jsonOption, parseSource } from './options.ts'

interface TokenOptions {
  data: string
  label: string
  read?: boolean
  handle?: boolean
  json?: boolean
}

const SECRET_BYTES = 32

const PURPOSES: Readonly<Record<string, string>> = {
  [READER]: 'to fetch batch files',
  [HANDLER]: 'to report and close alerts',
}

/** `tidemark token`: bearer tokens of sources that do not sign. */
export const tokenCommand = () => {
  const verb = (name: string, description: string) =>
    new Command(name).description(description).addOption(dataOption())
  return new Command('token')
    .description('bearer tokens of sources that do not sign; also while "tidemark up" runs')
    .addCommand(
      verb('create', 'print a new token of a source; it is shown this once, only its hash is kept')
        .argument('[source]', 'as the records name it', parseSource)
        .option('--read', 'for whoever fetches batch files, instead of a source')
        .option('--handle', 'for whoever reports and closes alerts, instead of a source')
        .addOption(new Option('--label <text>', 'what it is for').default(''))
        .addOption(jsonOption())
        .action(create),
    )
    .addCommand(verb('list', 'list all tokens').addOption(jsonOption()).action(list))
    .addCommand(verb('revoke', 'revoke a token').argument('<id>', 'as list shows it').action(revoke))
}

async function create(
  named: string | undefined,
  { data, label, read, handle, json }: TokenOptions,
): Promise<void> {
  const [source, ...more] = [
    ...(named === undefined ? [] : [named]),
    ...(read === true ? [READER] : []),
    ...(handle === true ? [HANDLER] : []),
  ]
  if (source === undefined || more.length > 0) {
    throw new InputError('BAD_ARGUMENT', 'name the source that the token is of, or else --read or --handle')
  }
  const secret = `tidemark_${toBase64url(randomBytes(SECRET_BYTES))}`
  const { id } = await withSources(data, 'new', (sources) =>
    sources.addToken(secret, source, label, Date.now()),
  )
  // The token alone on standard output, so that a script can keep it.
  if (json === true) process.stdout.write(`${JSON.stringify({ id, source, label, token: secret })}\n`)
  else {
    process.stderr.write(`token ${id} ${PURPOSES[source] ?? `of ${source}`}; it is not shown again\n`)
    process.stdout.write(`${secret}\n`)
  }
}

async function list({ data, json }: TokenOptions): Promise<void> {
  const tokens = await withSources(data, 'existing', (sources) => sources.tokens())
  const rows = tokens.map(({ id, source, label, since, revokedAt }) => ({
    id,
    source: source === READER ? '(reads)' : source === HANDLER ? '(handles alerts)' : source,
    label,
    since: showTime(since),
    revoked: showTime(revokedAt),
  }))
  process.stdout.write(
    json === true
      ? `${JSON.stringify(rows.map(({ revoked, ...row }) => ({ ...row, revoked: revoked || null })))}\n`
      : table(
          ['ID', 'SOURCE', 'LABEL', 'SINCE', 'REVOKED'],
          rows.map((row) => Object.values(row)),
        ),
  )
}

async function revoke(id: string, { data }: TokenOptions): Promise<void> {
  const revoked = await withSources(data, 'existing', (sources) => sources.revokeToken(id, Date.now()))
  if (!revoked) throw new InputError('BAD_ARGUMENT', `there is no token ${id} that could be revoked`)
  process.stdout.write(`token ${id} is revoked\n`)
}
