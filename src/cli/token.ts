import { randomBytes } from 'node:crypto'
import { Command, Option } from 'commander'
import { toBase64url } from '../bytes/base64url.ts'
import { InputError } from '../errors.ts'
import type { Role } from '../store/roles.ts'
import { dataOption, showTime, table, withSources } from './catalogue.ts'
import { jsonOption, parseSource, parseTag } from './options.ts'

interface TokenOptions {
  data: string
  label: string
  read?: boolean
  handle?: boolean
  auditor?: boolean
  subject?: string
  json?: boolean
}

const SECRET_BYTES = 32

/** `tidemark token`: bearer tokens of sources that do not sign, and of whoever may see or do more than everybody. */
export const tokenCommand = () => {
  const verb = (name: string, description: string) =>
    new Command(name).description(description).addOption(dataOption())
  return new Command('token')
    .description(
      'bearer tokens of sources that do not sign, and of other roles; also while "tidemark up" runs',
    )
    .addCommand(
      verb('create', 'print a new token; it is shown this once, only its hash is kept')
        .argument('[source]', 'who submits with it, as the records name it', parseSource)
        .option('--read', 'for whoever fetches batch files, instead of a source')
        .option('--handle', 'for whoever reports and closes alerts, instead of a source')
        .option('--auditor', 'for whoever may see whom records are about, and what the vault holds')
        .addOption(
          new Option(
            '--subject <tag>',
            'for the person with this tag, who may see what is about her',
          ).argParser(parseTag),
        )
        .addOption(new Option('--label <text>', 'what it is for').default(''))
        .addOption(jsonOption())
        .action(create),
    )
    .addCommand(verb('list', 'list all tokens').addOption(jsonOption()).action(list))
    .addCommand(verb('revoke', 'revoke a token').argument('<id>', 'as list shows it').action(revoke))
}

async function create(source: string | undefined, options: TokenOptions): Promise<void> {
  const { data, label, read, handle, auditor, subject, json } = options
  const [role, ...more]: Role[] = [
    ...(source === undefined ? [] : [{ role: 'source', source } as const]),
    ...(read === true ? [{ role: 'reader' } as const] : []),
    ...(handle === true ? [{ role: 'handler' } as const] : []),
    ...(auditor === true ? [{ role: 'auditor' } as const] : []),
    ...(subject === undefined ? [] : [{ role: 'subject', person: subject } as const]),
  ]
  if (role === undefined || more.length > 0) {
    throw new InputError(
      'BAD_ARGUMENT',
      'name the source that the token is of, or else --read, --handle, --auditor or --subject',
    )
  }
  const secret = `tidemark_${toBase64url(randomBytes(SECRET_BYTES))}`
  const { id } = await withSources(data, 'new', (sources) =>
    sources.addToken(secret, role, label, Date.now()),
  )
  // The token alone on standard output, so that a script can keep it.
  if (json === true) process.stdout.write(`${JSON.stringify({ id, ...role, label, token: secret })}\n`)
  else {
    process.stderr.write(`token ${id} of ${describeRole(role)}; it is not shown again\n`)
    process.stdout.write(`${secret}\n`)
  }
}

function describeRole(role: Role): string {
  if (role.role === 'source') return role.source
  return role.role === 'subject' ? `(subject) ${role.person}` : `(${role.role})`
}

async function list({ data, json }: TokenOptions): Promise<void> {
  const tokens = await withSources(data, 'existing', (sources) => sources.tokens())
  const rows = tokens.map(({ id, role, label, since, revokedAt }) => ({
    token: { id, ...role, label, since: showTime(since), revoked: showTime(revokedAt) },
    cells: [id, describeRole(role), label, showTime(since), showTime(revokedAt)],
  }))
  process.stdout.write(
    json === true
      ? `${JSON.stringify(rows.map(({ token }) => ({ ...token, revoked: token.revoked || null })))}\n`
      : table(
          ['ID', 'OF', 'LABEL', 'SINCE', 'REVOKED'],
          rows.map(({ cells }) => cells),
        ),
  )
}

async function revoke(id: string, { data }: TokenOptions): Promise<void> {
  const revoked = await withSources(data, 'existing', (sources) => sources.revokeToken(id, Date.now()))
  if (!revoked) throw new InputError('BAD_ARGUMENT', `there is no token ${id} that could be revoked`)
  process.stdout.write(`token ${id} is revoked\n`)
}
