import { showSeconds } from '../chain/registration.ts'
import { createRegistry } from '../chain/registry.ts'
import { type RegistryContents, readRegistry } from '../chain/registry-contents.ts'
import { InputError } from '../errors.ts'
import { type BreakerKind, nameId } from '../record/index.ts'
import { answer, showMembers } from './answer.ts'
import { table } from './catalogue.ts'
import { type RightsOptions, reachRights } from './rights.ts'

type ReadOptions = RightsOptions & { json?: boolean }
type Source = NonNullable<ReturnType<RegistryContents['sources']['get']>>

export async function listSources(options: ReadOptions): Promise<void> {
  const reached = await reachRights(options)
  const { sources } = await readRegistry(reached.rpc, reached)
  const all = [...sources.values()]
  const rows = all.flatMap(({ uri, keys }) =>
    keys.length === 0
      ? [[uri, '', '', '']]
      : keys.map(({ key, from, until }) => [uri, key, showSeconds(from) ?? '', showSeconds(until) ?? '']),
  )
  answer(options, all.map(sourceToJson), table(['SOURCE', 'KEY', 'FROM', 'UNTIL'], rows))
}

/** A name may be that of a source, of a resource, or of both. */
export async function show(name: string, options: ReadOptions): Promise<void> {
  const reached = await reachRights(options)
  const { sources, resources } = await readRegistry(reached.rpc, reached)
  const id = nameId(name)
  const trippedAt = async (kind: BreakerKind) =>
    showTrip(await createRegistry(reached.rpc, reached.registry).trippedAt({ kind, id }))
  const source = sources.get(id)
  const resource = resources.get(id)
  if (source === undefined && resource === undefined) {
    throw new InputError('BAD_ARGUMENT', `the registry has no source and no resource ${name}`)
  }
  const known: { source?: object; resource?: object } = {}
  let text = ''
  if (source !== undefined) {
    const tripped = await trippedAt('source')
    known.source = { ...sourceToJson(source), tripped }
    text += showMembers({ source: source.uri, key: source.keys.map(showKey), tripped })
  }
  if (resource !== undefined) {
    const { name, entry } = resource
    const owner = sources.get(entry.owner)?.uri ?? entry.owner
    const members = { resource: name, ...entry, owner, tripped: await trippedAt('resource') }
    known.resource = members
    text += showMembers(members)
  }
  answer(options, known, text)
}

export const showTrip = (seconds: bigint): string | null =>
  seconds === 0n ? null : (showSeconds(seconds) ?? String(seconds))

const sourceToJson = ({ uri, keys }: Source) => ({
  source: uri,
  keys: keys.map(({ key, from, until }) => ({
    key,
    from: showSeconds(from),
    until: showSeconds(until) ?? null,
  })),
})

const showKey = ({ key, from, until }: Source['keys'][number]) =>
  `${key} from ${showSeconds(from)}${showSeconds(until) === undefined ? '' : ` until ${showSeconds(until)}`}`
