import { Argument, Command } from 'commander'
import { administerRegistry } from '../chain/administer-registry.ts'
import { type BreakerTarget, createRegistry, type Registry } from '../chain/registry.ts'
import { type RegistryContents, readRegistry } from '../chain/registry-contents.ts'
import { InputError } from '../errors.ts'
import { BREAKER_KINDS, type BreakerKind, nameId } from '../record/index.ts'
import { answer } from './answer.ts'
import { table } from './catalogue.ts'
import { jsonOption } from './options.ts'
import { showTrip } from './registry-show.ts'
import { type RightsOptions, reachRights, withRights } from './rights.ts'
import { openSender, type SenderOptions, withSender } from './sender.ts'

interface ReadOptions extends RightsOptions {
  json?: boolean
}

type ChangeOptions = ReadOptions & SenderOptions & { reason: string }

const EVERYTHING: BreakerTarget = { kind: 'everything', id: `0x${'00'.repeat(32)}` }

/** Who does it, where no keystore is named. */
const CHANGES = { trip: 'guardian', reset: 'admin' } as const

/** `tidemark breaker`: stops a source, a resource or everything, at once. */
export const breakerCommand = () => {
  const verb = (name: string, kind: '<kind>' | '[kind]') =>
    withRights(new Command(name))
      .addOption(jsonOption())
      .addArgument(new Argument(kind, 'what it stops').choices(BREAKER_KINDS))
      .argument('[name]', 'of the source or the resource')
  const change = (name: keyof typeof CHANGES, description: string) =>
    withSender(verb(name, '<kind>'))
      .description(description)
      .requiredOption('--reason <text>', 'why; it stays on the chain')
      .action((kind: BreakerKind, named: string | undefined, options: ChangeOptions) =>
        setBreaker(name, kind, named, options),
      )
  return new Command('breaker')
    .description('stop a source, a resource or everything, on the chain')
    .addCommand(change('trip', 'stop it at once; done by a guardian'))
    .addCommand(change('reset', 'let it go on; done by a registrar'))
    .addCommand(verb('status', '[kind]').description('whether it is stopped, or all that is').action(status))
}

async function setBreaker(
  change: keyof typeof CHANGES,
  kind: BreakerKind,
  named: string | undefined,
  options: ChangeOptions,
): Promise<void> {
  const { rpc, registry: address } = await reachRights(options)
  const registry = createRegistry(rpc, address)
  const target = await findTarget(registry, kind, named)
  const state = change === 'trip' ? 'tripped' : 'reset'
  const isSo = ((await registry.trippedAt(target)) !== 0n) === (change === 'trip')
  let block: bigint | undefined
  if (!isSo) {
    const admin = administerRegistry(await openSender(options, CHANGES[change]), address)
    block = await admin[change](target, options.reason)
  }
  const when = block === undefined ? 'already, nothing was sent' : `since block ${block}`
  answer(
    options,
    { kind, name: named, state, block: block === undefined ? null : String(block) },
    `the breaker of ${called(kind, named)} is ${state}: ${when}\n`,
  )
}

async function status(
  kind: BreakerKind | undefined,
  named: string | undefined,
  options: ReadOptions,
): Promise<void> {
  const { rpc, ...rights } = await reachRights(options)
  const registry = createRegistry(rpc, rights.registry)
  const since = async (target: BreakerTarget) => showTrip(await registry.trippedAt(target))
  if (kind !== undefined) {
    const tripped = await since(await findTarget(registry, kind, named))
    const state = tripped === null ? 'is not tripped' : `is tripped since ${tripped}`
    return answer(options, { kind, name: named, tripped }, `the breaker of ${called(kind, named)} ${state}\n`)
  }
  const contents = await readRegistry(rpc, rights)
  const rows = []
  for (const target of contents.tripped) {
    rows.push({ kind: target.kind, name: nameOf(target, contents), tripped: await since(target) })
  }
  const text = table(
    ['KIND', 'NAME', 'TRIPPED'],
    rows.map(({ kind, name = '', tripped }) => [kind, name, tripped ?? '']),
  )
  answer(options, rows, rows.length === 0 ? 'no breaker is tripped\n' : text)
}

/** @throws {InputError} `BAD_ARGUMENT`, also when the registry has none of this name: it cannot be stopped */
async function findTarget(
  registry: Registry,
  kind: BreakerKind,
  name: string | undefined,
): Promise<BreakerTarget> {
  if ((kind === 'everything') !== (name === undefined)) {
    throw new InputError('BAD_ARGUMENT', 'name the source or the resource, and nothing for everything')
  }
  if (name === undefined) return EVERYTHING
  const id = nameId(name)
  const isKnown = kind === 'source' ? await registry.isSource(id) : (await registry.resource(id)).version > 0
  if (!isKnown) throw new InputError('BAD_ARGUMENT', `the registry has no ${kind} ${name}`)
  return { kind, id }
}

const nameOf = ({ kind, id }: BreakerTarget, { sources, resources }: RegistryContents): string | undefined =>
  kind === 'source' ? sources.get(id)?.uri : resources.get(id)?.name

const called = (kind: BreakerKind, name: string | undefined) =>
  name === undefined ? kind : `${kind} ${name}`
