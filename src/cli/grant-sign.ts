import { randomBytes } from 'node:crypto'
import { Command, InvalidArgumentError, Option } from 'commander'
import { toHex } from '../bytes/hex.ts'
import type { TypedDomain } from '../bytes/typed-data.ts'
import { parseBytes } from '../chain/answers.ts'
import { fetchChainId } from '../chain/facts.ts'
import { createRpc } from '../chain/rpc.ts'
import { signGrant, signRevoke } from '../chain/signing.ts'
import { InputError } from '../errors.ts'
import { type Grant, grantId, nameId, parseRecord } from '../record/index.ts'
import { readGrant, writeRevocation } from './grant-file.ts'
import { parseName, parseSeconds, parseSource, parseWhole } from './options.ts'
import { loadRights, type RightsOptions, withRights } from './rights.ts'
import { openSigner, type SignerOptions, withSigner } from './sender.ts'

type SignOptions = RightsOptions & SignerOptions & { chainId?: bigint }

interface GrantOptions extends SignOptions {
  consumer: string
  resource: string
  purpose: string
  from?: bigint
  until: bigint
  maxCalls: number
  nonce?: bigint
  person?: string
  source?: string
}

const DAY_SECONDS = 86_400n
const NONCE_BYTES = 16

/** No node is asked where `--data` or `--chain-id` names the chain: a subject's key may be kept away from networks. */
const withDomain = (command: Command) =>
  withSigner(withRights(command)).addOption(
    new Option('--chain-id <number>', 'of --authorizations, to sign without a node').argParser(parseUint),
  )

/** `tidemark grant sign` and `sign-revocation`: what a subject does without the chain. */
export const signCommands = () => [
  withDomain(new Command('sign'))
    .description("sign a grant with the subject's key, and print the record of it for tidemark send")
    .addOption(mandatory('--consumer <uri>', 'the source that may call', parseSource))
    .addOption(mandatory('--resource <name>', 'the catalogue id of what it may call', parseName))
    .addOption(mandatory('--purpose <text>', 'what for, as calls state it', parseName))
    .addOption(new Option('--from <time>', 'when it begins; otherwise now').argParser(parseSeconds))
    .addOption(mandatory('--until <time>', 'the last second at which it holds', parseSeconds))
    .addOption(
      new Option('--max-calls <number>', 'how many calls')
        .argParser(parseWhole(0, 0xffff_ffff))
        .default(0, 'any number'),
    )
    .addOption(
      new Option('--nonce <number>', 'tells it from others that are the same; otherwise random').argParser(
        parseUint,
      ),
    )
    .addOption(new Option('--person <tag>', "the subject's pseudonym in the ledger"))
    .addOption(
      new Option('--source <uri>', 'who hands the record over; otherwise the consumer').argParser(
        parseSource,
      ),
    )
    .action(signNewGrant),
  withDomain(new Command('sign-revocation'))
    .description(
      'sign that somebody else may revoke a grant, and print that for "grant revoke --by-signature"',
    )
    .argument('<file>', 'the record of the grant; - for standard input')
    .addOption(
      new Option('--deadline <time>', 'until when it may be sent; otherwise for a day').argParser(
        parseSeconds,
      ),
    )
    .action(signRevocation),
]

const mandatory = (flags: string, description: string, parse: (text: string) => unknown) =>
  new Option(flags, description).argParser(parse).makeOptionMandatory()

async function signNewGrant(options: GrantOptions): Promise<void> {
  const now = Date.now()
  const domain = await findDomain(options)
  const signer = await openSigner(options, 'subject', domain.chainId)
  const { consumer, resource, purpose, person, source = consumer } = options
  const grant: Grant = {
    subject: parseBytes(signer.address, 'address', 20),
    consumer: nameId(consumer),
    resource: nameId(resource),
    purpose: nameId(purpose),
    notBefore: options.from ?? BigInt(Math.floor(now / 1_000)),
    notAfter: options.until,
    maxCalls: options.maxCalls,
    nonce: options.nonce ?? BigInt(toHex(randomBytes(NONCE_BYTES))),
  }
  if (grant.notAfter < grant.notBefore) {
    throw new InputError('BAD_ARGUMENT', 'the grant would be over before it begins: name a later --until')
  }
  const id = grantId(domain, grant)
  const record = parseRecord({
    specversion: '1.0',
    id,
    source,
    type: 'tidemark.authorization.v1',
    time: new Date(now).toISOString(),
    subject: resource,
    data: {
      authorization: id,
      grant: {
        ...grant,
        notBefore: Number(grant.notBefore),
        notAfter: Number(grant.notAfter),
        nonce: String(grant.nonce),
      },
      signature: await signGrant(signer, domain, grant),
      ...(person !== undefined && { person }),
    },
  })
  process.stdout.write(`${JSON.stringify(record)}\n`)
}

async function signRevocation(file: string, options: SignOptions & { deadline?: bigint }): Promise<void> {
  const domain = await findDomain(options)
  const { id, grant } = await readGrant(file, domain)
  const signer = await openSigner(options, 'subject', domain.chainId)
  if (signer.address.toLowerCase() !== grant.subject) {
    throw new InputError(
      'BAD_CONFIG',
      `the key is of ${signer.address.toLowerCase()}, and the grant of ${grant.subject}`,
    )
  }
  const deadline = options.deadline ?? BigInt(Math.floor(Date.now() / 1_000)) + DAY_SECONDS
  const signature = await signRevoke(signer, domain, id, deadline)
  process.stdout.write(writeRevocation({ authorization: id, deadline, signature }))
}

async function findDomain({ data, rpc, authorizations, chainId }: SignOptions): Promise<TypedDomain> {
  if (authorizations === undefined) {
    if (chainId !== undefined) throw new InputError('BAD_ARGUMENT', '--chain-id needs --authorizations')
    const known = await loadRights(data)
    return { chainId: known.chainId, contract: known.rights.authorizations }
  }
  return { chainId: chainId ?? (await fetchChainId(createRpc(rpc))), contract: authorizations }
}

/** What a word of the EVM holds. */
function parseUint(text: string): bigint {
  if (/^\d{1,78}$/.test(text) && BigInt(text) < 2n ** 256n) return BigInt(text)
  throw new InvalidArgumentError('must be a whole number below 2^256')
}
