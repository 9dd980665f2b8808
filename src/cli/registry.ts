import { readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { type Hex, toHex } from '../bytes/hex.ts'
import { sha256 } from '../bytes/sha256.ts'
import { administerRegistry } from '../chain/administer-registry.ts'
import { FOREVER, findMissing, type Registration, register, sizeOf } from '../chain/registration.ts'
import { createRegistry } from '../chain/registry.ts'
import { InputError } from '../errors.ts'
import { nameId, type Sharing } from '../record/index.ts'
import { answer } from './answer.ts'
import {
  jsonOption,
  parseAddress,
  parseHash,
  parseName,
  parseSeconds,
  parseSource,
  parseWhole,
} from './options.ts'
import { createProgress } from './progress.ts'
import { readRegistration } from './registry-file.ts'
import { listSources, show } from './registry-show.ts'
import { type RightsOptions, reachRights, withRights } from './rights.ts'
import { openSender, type SenderOptions, withSender } from './sender.ts'

type ChangeOptions = RightsOptions & SenderOptions & { json?: boolean }

interface ResourceOptions extends ChangeOptions {
  owner: string
  sharing: Exclude<Sharing, 'none'>
  level: number
  entry?: string
  digest?: Hex
}

/** `tidemark registry`: sources, their keys and resources, as a registrar enters them on the chain. */
export const registryCommand = () => {
  const change = (name: string) => withSender(withRights(new Command(name))).addOption(jsonOption())
  const read = (name: string) => withRights(new Command(name)).addOption(jsonOption())
  const source = ['<uri>', 'the source, as records name it', parseSource] as const
  const key = ['<address>', "the key's", parseAddress] as const
  return new Command('registry')
    .description('sources, keys and resources on the chain; changed by a registrar')
    .addCommand(
      new Command('source')
        .description('sources')
        .addCommand(
          change('add')
            .description('add a source, for ever')
            .argument(...source)
            .action(addSource),
        )
        .addCommand(read('list').description('list all sources and their keys').action(listSources)),
    )
    .addCommand(
      new Command('key')
        .description('keys of sources')
        .addCommand(
          change('add')
            .description('give a source a key from now on')
            .argument(...source)
            .argument(...key)
            .addOption(
              new Option('--until <time>', 'when it ends; otherwise when it is ended').argParser(
                parseSeconds,
              ),
            )
            .action(addKey),
        )
        .addCommand(
          change('end')
            .description('end a key from now on; what it signed stays good, and it cannot come back')
            .argument(...source)
            .argument(...key)
            .action(endKey),
        ),
    )
    .addCommand(
      new Command('resource').description('data resources').addCommand(
        change('set')
          .description('add a resource, or change it')
          .argument('<name>', 'its catalogue id', parseName)
          .addOption(
            new Option('--owner <uri>', 'the source that answers for it')
              .argParser(parseSource)
              .makeOptionMandatory(),
          )
          .addOption(
            new Option('--sharing <how>', 'with every source, with a grant, or not at all')
              .choices(['unconditional', 'conditional', 'prohibited'])
              .makeOptionMandatory(),
          )
          .addOption(
            new Option('--level <number>', "on the catalogue's own scale")
              .argParser(parseWhole(0, 255))
              .default(0, '0, none'),
          )
          .addOption(new Option('--entry <file>', 'its entry in the catalogue, whose SHA-256 is registered'))
          .addOption(
            new Option('--digest <hex>', "the entry's SHA-256").argParser(parseHash).conflicts('entry'),
          )
          .action(setResource),
      ),
    )
    .addCommand(
      read('show')
        .description('what the registry says of a source or a resource')
        .argument('<name>', 'of either')
        .action(show),
    )
    .addCommand(
      change('import')
        .description('enter the sources and resources of a file; what is so already is left alone')
        .argument('<file>', 'one JSON object a line; - for standard input')
        .action(importFile),
    )
}

const NOTHING: Registration = { sources: [], keys: [], resources: [] }

const addSource = (uri: string, options: ChangeOptions) =>
  enter(`source ${uri}`, { ...NOTHING, sources: [uri] }, options)

const addKey = (
  source: string,
  key: Hex,
  { until = FOREVER, ...options }: ChangeOptions & { until?: bigint },
) => enter(`key ${key} of ${source}`, { ...NOTHING, keys: [{ source, key, until }] }, options)

async function setResource(
  name: string,
  { owner, sharing, level, entry, digest, ...options }: ResourceOptions,
): Promise<void> {
  const known = entry === undefined ? digest : await hashFile(entry)
  if (known === undefined) {
    throw new InputError('BAD_ARGUMENT', 'give the entry in the catalogue with --entry, or its --digest')
  }
  const resource = { name, owner, sharing, level, digest: known }
  await enter(`resource ${name}`, { ...NOTHING, resources: [resource] }, options)
}

/** Enters one thing. */
async function enter(what: string, wanted: Registration, options: ChangeOptions): Promise<void> {
  const changed = await bringAbout(wanted, options)
  const state = changed === 0 ? 'is registered so already, nothing was sent' : 'is registered'
  answer(options, { changed: changed > 0 }, `${what} ${state}\n`)
}

async function importFile(file: string, options: ChangeOptions): Promise<void> {
  const wanted = await readRegistration(file, process.stdin)
  const entered = await bringAbout(wanted, options)
  const skipped = sizeOf(wanted) - entered
  answer(options, { entered, skipped }, `${entered} entered, ${skipped} were so already\n`)
}

/** @returns how much was not so already */
async function bringAbout(wanted: Registration, options: ChangeOptions): Promise<number> {
  const { rpc, registry } = await reachRights(options)
  const sender = await openSender(options, 'admin')
  const missing = await findMissing(createRegistry(rpc, registry), wanted)
  const progress = createProgress(process.stderr, 'entering', 'entries')
  try {
    await register(sender, registry, missing, (done) => progress.update(done, sizeOf(missing)))
  } finally {
    progress.end()
  }
  return sizeOf(missing)
}

async function endKey(source: string, key: Hex, options: ChangeOptions): Promise<void> {
  const { registry } = await reachRights(options)
  const admin = administerRegistry(await openSender(options, 'admin'), registry)
  const block = await admin.endKey(nameId(source), key)
  answer(options, { block: String(block) }, `key ${key} of ${source} has ended: since block ${block}\n`)
}

async function hashFile(path: string): Promise<Hex> {
  try {
    return toHex(sha256(await readFile(path)))
  } catch (cause) {
    throw new InputError('BAD_ARGUMENT', `cannot read ${path}: ${(cause as Error).message}`, {}, { cause })
  }
}
