import type { Hex } from '../bytes/hex.ts'
import { InputError } from '../errors.ts'
import { nameId } from '../record/index.ts'
import { registryCalls } from './administer-registry.ts'
import type { Registry, ResourceEntry } from './registry.ts'
import { type Sender, transactAll } from './transact.ts'

/** What should stand in a registry, each thing once; sources and resources by their names. */
export interface Registration {
  sources: readonly string[]
  keys: readonly SourceKey[]
  resources: readonly Resource[]
}

interface SourceKey {
  source: string
  key: Hex
  /** seconds since 1970, or `FOREVER` */
  until: bigint
}

interface Resource extends Pick<ResourceEntry, 'sharing' | 'level' | 'digest'> {
  name: string
  /** the owning source's name */
  owner: string
}

/** The end of a key that has none. */
export const FOREVER = 2n ** 64n - 1n

export const sizeOf = ({ sources, keys, resources }: Registration): number =>
  sources.length + keys.length + resources.length

/**
 * What of a registration is not so yet.
 *
 * @throws {InputError} `BAD_ARGUMENT` when it never can be: a source is missing, or a key has another period
 */
export async function findMissing(registry: Registry, wanted: Registration): Promise<Registration> {
  const isKnown = (source: string) => registry.isSource(nameId(source))
  const sources = await filter(wanted.sources, async (source) => !(await isKnown(source)))
  const used = new Set([
    ...wanted.keys.map(({ source }) => source),
    ...wanted.resources.map(({ owner }) => owner),
  ])
  const named = new Set(wanted.sources)
  const [missing] = await filter(
    [...used].filter((source) => !named.has(source)),
    async (source) => !(await isKnown(source)),
  )
  if (missing !== undefined) {
    throw new InputError(
      'BAD_ARGUMENT',
      `the registry has no source ${missing}: "tidemark registry source add ${missing}" adds it`,
    )
  }
  return {
    sources,
    keys: await filter(wanted.keys, (key) => isKeyMissing(registry, key)),
    resources: await filter(
      wanted.resources,
      async (resource) => !isSame(resource, await registry.resource(nameId(resource.name))),
    ),
  }
}

async function isKeyMissing(registry: Registry, { source, key, until }: SourceKey): Promise<boolean> {
  const period = await registry.keyPeriod(nameId(source), key)
  if (period.until === 0n) return true
  if (period.until === until) return false
  throw new InputError(
    'BAD_ARGUMENT',
    `${key} is a key of ${source} ${showEnd(period.until)} and cannot be one ${showEnd(until)}: give the source a new key`,
  )
}

const showEnd = (until: bigint) => {
  const time = showSeconds(until)
  return time === undefined ? 'without end' : `until ${time}`
}

/** The last second that a date can tell. */
const LAST_SECOND = 8_640_000_000_000n

/** A time as a person reads it; undefined when no date comes so late. */
export const showSeconds = (seconds: bigint): string | undefined =>
  seconds > LAST_SECOND ? undefined : new Date(1_000 * Number(seconds)).toISOString()

const isSame = ({ owner, sharing, level, digest }: Resource, entry: ResourceEntry): boolean =>
  entry.owner === nameId(owner) &&
  entry.sharing === sharing &&
  entry.level === level &&
  entry.digest === digest

/**
 * Puts what `findMissing` found into the registry, what others rest on first.
 *
 * @param sender a registrar
 * @param onDone told now and then how much of it is in a block
 * @throws {OperationError} see `transactAll`; what is done by then is found by the next `findMissing`
 */
export async function register(
  sender: Sender,
  registry: Hex,
  { sources, keys, resources }: Registration,
  onDone: (count: number) => void,
): Promise<void> {
  let done = 0
  for (const data of [
    sources.map((source) => registryCalls.addSource(source)),
    keys.map(({ source, key, until }) => registryCalls.addKey(nameId(source), key, until)),
    resources.map(({ name, owner, ...entry }) =>
      registryCalls.setResource(name, { ...entry, owner: nameId(owner) }),
    ),
  ]) {
    const before = done
    const calls = data.map((data) => ({ to: registry, data }))
    await transactAll(sender, calls, (count) => onDone(before + count))
    done += calls.length
  }
}

const ASKED_AT_ONCE = 16

async function filter<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<T[]> {
  const found: T[] = []
  for (let at = 0; at < items.length; at += ASKED_AT_ONCE) {
    const group = items.slice(at, at + ASKED_AT_ONCE)
    const answers = await Promise.all(group.map(holds))
    found.push(...group.filter((_, i) => answers[i]))
  }
  return found
}
