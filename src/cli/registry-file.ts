import type { Readable } from 'node:stream'
import { isHex } from '../bytes/hex.ts'
import { FOREVER, type Registration } from '../chain/registration.ts'
import { InputError } from '../errors.ts'
import { SHARINGS } from '../record/index.ts'
import { isName, isSource } from './options.ts'
import { readJsonLines } from './read-lines.ts'

/**
 * The sources and resources of a file, in any order, one JSON object a line (docs/operations.md, "Registry, breaker and
 * grants").
 *
 * @throws {InputError} `BAD_JSON` or `BAD_ARGUMENT` with the line, also where two lines contradict each other
 */
export async function readRegistration(path: string, input: Readable): Promise<Registration> {
  const found = new Map<string, Found>()
  for await (const { line, value } of readJsonLines(path, input)) {
    for (const one of readLine(value, line)) {
      const id = `${one.kind} ${one.id}`
      const before = found.get(id)
      if (before !== undefined && spell(before) !== spell(one)) {
        throw bad(line, `says something else of ${id} than a line before`)
      }
      found.set(id, one)
    }
  }
  const all = [...found.values()]
  return {
    sources: all.flatMap((one) => (one.kind === 'source' ? [one.id] : [])),
    keys: all.flatMap((one) => (one.kind === 'key' ? [one.value] : [])),
    resources: all.flatMap((one) => (one.kind === 'resource' ? [one.value] : [])),
  }
}

type Found =
  | { kind: 'source'; id: string }
  | { kind: 'key'; id: string; value: Registration['keys'][number] }
  | { kind: 'resource'; id: string; value: Registration['resources'][number] }

const spell = (found: Found) =>
  JSON.stringify(found, (_, value) => (typeof value === 'bigint' ? String(value) : value))

function readLine(value: unknown, line: number): Found[] {
  const members = Object(value) as Record<string, unknown>
  if ('source' in members) return readSource(members, line)
  if ('resource' in members) return [readResource(members, line)]
  throw bad(line, 'is neither a source nor a resource')
}

function readSource({ source, keys = [], ...rest }: Record<string, unknown>, line: number): Found[] {
  expectNone(rest, line)
  if (!isSource(source)) throw bad(line, 'has a source that is no name of one')
  if (!Array.isArray(keys)) throw bad(line, 'has keys that are no list')
  const read = keys.map((entry: unknown): Found => {
    const { key, until, ...others } = Object(entry) as Record<string, unknown>
    expectNone(others, line)
    const address = lowercase(key)
    if (!isHex(address, 20)) throw bad(line, 'has a key that is no address')
    return {
      kind: 'key',
      id: `${address} of ${source}`,
      value: { source, key: address, until: readEnd(until, line) },
    }
  })
  return [{ kind: 'source', id: source }, ...read]
}

function readEnd(until: unknown, line: number): bigint {
  if (until === undefined) return FOREVER
  const seconds = typeof until === 'string' ? Math.floor(Date.parse(until) / 1_000) : Number.NaN
  if (!(seconds > 0)) throw bad(line, 'has a key whose until is no time such as 2027-01-01T00:00:00Z')
  return BigInt(seconds)
}

function readResource(members: Record<string, unknown>, line: number): Found {
  const { resource: name, owner, sharing: word, level = 0, digest, ...rest } = members
  expectNone(rest, line)
  if (!isName(name)) throw bad(line, 'has a resource that is no name of one')
  if (!isSource(owner)) throw bad(line, 'needs the owner, a source')
  const sharing = SHARINGS.find((one) => one === word && one !== 'none')
  if (sharing === undefined) throw bad(line, 'needs sharing: unconditional, conditional or prohibited')
  if (typeof level !== 'number' || !Number.isInteger(level) || level < 0 || level > 255) {
    throw bad(line, 'has a level that is no whole number from 0 to 255')
  }
  const hash = lowercase(digest)
  if (!isHex(hash, 32)) throw bad(line, 'needs the digest, 0x and 64 hex digits')
  return { kind: 'resource', id: name, value: { name, owner, sharing, level, digest: hash } }
}

function expectNone(rest: Record<string, unknown>, line: number): void {
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw bad(line, `has a member ${unknown} that nobody reads`)
}

const lowercase = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value)

const bad = (line: number, what: string) => new InputError('BAD_ARGUMENT', `line ${line} ${what}`, { line })
