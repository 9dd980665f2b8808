import { InputError } from '../errors.ts'

/**
 * Reads the JSON text of a bundle, which means the same to every reader: no object names a member twice (I-JSON,
 * RFC 7493, section 2.3), for parsers differ in which of the two they take.
 *
 * @param name what a person calls the text, a file for instance
 * @returns what the parsers of the formats read
 * @throws {InputError} `BAD_BUNDLE`
 */
export function parseBundle(text: string, name = 'the bundle'): unknown {
  let bundle: unknown
  try {
    bundle = JSON.parse(text)
  } catch (cause) {
    const message = `${name} is not JSON, perhaps cut off: ${(cause as Error).message}`
    throw new InputError('BAD_BUNDLE', message, {}, { cause })
  }
  // JSON.parse keeps one of the members that share a name, so that fewer are left than were written.
  if (countMembers(bundle) === countWritten(text)) return bundle
  throw new InputError('BAD_BUNDLE', `${name} has an object that names a member twice`)
}

/** Members of all objects in a value; nothing here goes down by recursion, however deep a bundle is. */
function countMembers(bundle: unknown): number {
  let count = 0
  const waiting = [bundle]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value !== 'object' || value === null) continue
    const inner = Object.values(value)
    if (!Array.isArray(value)) count += inner.length
    for (const one of inner) waiting.push(one)
  }
  return count
}

/** Members that a valid JSON text writes out: as many as it has colons outside of strings. */
function countWritten(json: string): number {
  let count = 0
  for (let i = 0; i < json.length; i++) {
    if (json[i] === ':') count++
    else if (json[i] === '"') i = endOfString(json, i)
  }
  return count
}

function endOfString(json: string, start: number): number {
  let end = start + 1
  while (json[end] !== '"') end += json[end] === '\\' ? 2 : 1
  return end
}
