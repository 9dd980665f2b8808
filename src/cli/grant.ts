import { Command, Option } from 'commander'
import type { Hex } from '../bytes/hex.ts'
import { administerGrants, findGrant } from '../chain/administer-grants.ts'
import { createAuthorizations } from '../chain/authorizations.ts'
import { showSeconds } from '../chain/registration.ts'
import { readRegistry } from '../chain/registry-contents.ts'
import type { Grant } from '../record/index.ts'
import { answer, showMembers } from './answer.ts'
import { readGrant, readRevocation } from './grant-file.ts'
import { signCommands } from './grant-sign.ts'
import { jsonOption, parseHash } from './options.ts'
import { type ReachedRights, type RightsOptions, reachRights, withRights } from './rights.ts'
import { openSender, type SenderOptions, withSender } from './sender.ts'

interface ReadOptions extends RightsOptions {
  json?: boolean
}

type SendOptions = ReadOptions & SenderOptions

/** `tidemark grant`: what data subjects allow. */
export const grantCommand = () => {
  const send = (name: string) =>
    withSender(withRights(new Command(name)))
      .addOption(jsonOption())
      .argument('<file>', 'the record of the grant; - for standard input')
  const command = new Command('grant').description('grants of data subjects, as records and on the chain')
  for (const signing of signCommands()) command.addCommand(signing)
  return command
    .addCommand(
      send('submit').description('put a grant on the chain; anybody may, with any key').action(submit),
    )
    .addCommand(
      send('revoke')
        .description("revoke a grant, for ever, with the subject's key")
        .addOption(
          new Option(
            '--by-signature <file>',
            'what the subject signed with "grant sign-revocation"; then with any key',
          ),
        )
        .action(revoke),
    )
    .addCommand(
      send('pause')
        .description("keep a grant from being in force, with the subject's key")
        .action((file: string, options: SendOptions) => setPause(file, true, options)),
    )
    .addCommand(
      send('resume')
        .description("end a pause, with the subject's key")
        .action((file: string, options: SendOptions) => setPause(file, false, options)),
    )
    .addCommand(
      withRights(new Command('show'))
        .description('what the contract says of a grant')
        .argument('<id>', "the grant's", parseHash)
        .addOption(jsonOption())
        .action(show),
    )
}

async function submit(file: string, options: SendOptions): Promise<void> {
  const { reached, id, grant, signature } = await open(file, options)
  const isGiven = (await stateOf(reached, id)).given
  const block = isGiven ? undefined : await (await admin(reached, options)).grant(grant, signature)
  tell(options, id, 'on the chain', block)
}

async function revoke(file: string, options: SendOptions & { bySignature?: string }): Promise<void> {
  const { reached, id, grant } = await open(file, options)
  const { bySignature } = options
  const signed = bySignature === undefined ? undefined : await readRevocation(bySignature, id)
  let block: bigint | undefined
  if ((await createAuthorizations(reached.rpc, reached.authorizations).revokedAt(id)) === 0n) {
    const grants = await admin(reached, options)
    block = await (signed === undefined
      ? grants.revoke(grant)
      : grants.revokeBySignature(grant, signed.deadline, signed.signature))
  }
  tell(options, id, 'revoked', block)
}

async function setPause(file: string, paused: boolean, options: SendOptions): Promise<void> {
  const { reached, id, grant } = await open(file, options)
  const isSo = (await stateOf(reached, id)).paused === paused
  const block = isSo ? undefined : await (await admin(reached, options))[paused ? 'pause' : 'resume'](grant)
  tell(options, id, paused ? 'paused' : 'not paused', block)
}

async function open(file: string, options: SendOptions) {
  const reached = await reachRights(options)
  const domain = { chainId: reached.chainId, contract: reached.authorizations }
  return { reached, ...(await readGrant(file, domain)) }
}

const admin = async ({ authorizations }: ReachedRights, options: SendOptions) =>
  administerGrants(await openSender(options, 'subject'), authorizations)

const stateOf = ({ rpc, authorizations }: ReachedRights, id: Hex) =>
  createAuthorizations(rpc, authorizations).grantState(id)

/** @param block absent when it was so already */
function tell(options: SendOptions, id: Hex, state: string, block: bigint | undefined): void {
  const when = block === undefined ? 'already, nothing was sent' : `since block ${block}`
  const value = { authorization: id, state, block: block === undefined ? null : String(block) }
  answer(options, value, `grant ${id} is ${state}: ${when}\n`)
}

async function show(id: Hex, options: ReadOptions): Promise<void> {
  const reached = await reachRights(options)
  const { given, paused, calls } = await stateOf(reached, id)
  const revokedAt = await createAuthorizations(reached.rpc, reached.authorizations).revokedAt(id)
  const grant = given ? await findGrant(reached.rpc, reached, id) : undefined
  const members = {
    authorization: id,
    given,
    revoked: revokedAt === 0n ? null : showSeconds(revokedAt),
    paused,
    calls: String(calls),
    ...(grant !== undefined && (await showTerms(reached, grant))),
  }
  answer(options, members, showMembers(members))
}

/** The terms of a grant, with the names that the registry has for their ids. */
async function showTerms(reached: ReachedRights, grant: Grant) {
  const { sources, resources } = await readRegistry(reached.rpc, reached)
  return {
    subject: grant.subject,
    consumer: sources.get(grant.consumer)?.uri ?? grant.consumer,
    resource: resources.get(grant.resource)?.name ?? grant.resource,
    purpose: grant.purpose,
    notBefore: showSeconds(grant.notBefore),
    notAfter: showSeconds(grant.notAfter) ?? null,
    maxCalls: grant.maxCalls,
    nonce: String(grant.nonce),
  }
}
