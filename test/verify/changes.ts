import fc from 'fast-check'
import { expect } from 'vitest'
import { runs } from '../bytes/runs.ts'

type Path = (string | number)[]

/** Every text and number of a JSON value, with its place. */
function leavesOf(value: unknown, path: Path = []): { path: Path; value: unknown }[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }]
  return Object.entries(value).flatMap(([name, member]) => leavesOf(member, [...path, name]))
}

/** The place of every member of a JSON value, however deep. */
function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([name, member]) => placesOf(member, [...path, name]))]
}

/** Sets the member of a JSON value that a path names, or removes it. */
function put(target: unknown, path: Path, value: unknown): void {
  const parent = path.slice(0, -1).reduce((at, name) => (at as Record<string, unknown>)[name], target)
  const name = path.at(-1) ?? ''
  if (value !== undefined) (parent as Record<string, unknown>)[name] = value
  else if (Array.isArray(parent)) parent.splice(Number(name), 1)
  else delete (parent as Record<string, unknown>)[name]
}

const anyRefusal = expect.objectContaining({ name: 'VerificationError', step: expect.any(String) })
type Verify = (changed: unknown) => Promise<unknown>

/** A history is refused with any character of any of its values changed, one more or one less. */
export function expectCharactersToMatter(good: unknown, verify: Verify): Promise<void> {
  // What was asked for is the asker's, and nobody vouches for it.
  const leaves = leavesOf(good).filter(({ path }) => path[0] !== 'period' && path[0] !== 'format')
  return fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...leaves),
      fc.nat(),
      fc.constantFrom(...'0123456789abcXYZ-_. é'),
      fc.constantFrom('change', 'insert', 'delete'),
      async ({ path, value }, where, by, how) => {
        const text = String(value)
        const at = where % (text.length + (how === 'insert' ? 1 : 0))
        fc.pre(how !== 'change' || text[at] !== by)
        const rest = text.slice(at + (how === 'insert' ? 0 : 1))
        const other = `${text.slice(0, at)}${how === 'delete' ? '' : by}${rest}`
        const changed = structuredClone(good)
        put(changed, path, typeof value === 'number' ? Number(other) : other)
        fc.pre(typeof value === 'number' ? Number(other) !== value : other !== value)
        await expect(verify(changed)).rejects.toThrow(anyRefusal)
      },
    ),
    runs(300),
  )
}

/** A history is refused with any of its members gone, or of another kind. */
export function expectMembersToMatter(good: unknown, verify: Verify): Promise<void> {
  const places = placesOf(good).filter((path) => path.length > 0 && path[0] !== 'format')
  return fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...places),
      fc.constantFrom(undefined, null, true, 7, '', [], {}),
      async (path, value) => {
        const changed = structuredClone(good)
        put(changed, path, value)
        fc.pre(JSON.stringify(changed) !== JSON.stringify(good))
        await expect(verify(changed)).rejects.toThrow(anyRefusal)
      },
    ),
    runs(200),
  )
}
