import { utf8 } from '../bytes/bytes.ts'
import { InputError } from '../errors.ts'

const MAX_DEPTH = 64

/** The JCS (RFC 8785) text of a JSON value whose numbers are safe integers. Same errors as `canonicalBytes`. */
export function canonicalText(value: unknown): string {
  return serialize(value, [])
}

/**
 * The JCS (RFC 8785) bytes of a JSON value; records know no floats, so every number must be a safe integer.
 *
 * @throws {InputError} `BAD_RECORD` for a float, an unsafe integer, a lone surrogate, a value that JSON does not
 *   have, or nesting deeper than 64
 */
export function canonicalBytes(value: unknown): Uint8Array {
  return utf8(canonicalText(value))
}

/**
 * Whether a text is the JCS text of the value that it was parsed to; the value has passed its schema.
 *
 * RFC 8785 spells everything as `JSON.stringify` does, but for the order of members.
 */
export const isCanonicalText = (text: string, value: unknown): boolean =>
  JSON.stringify(value) === text && hasSortedMembers(value)

function hasSortedMembers(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(hasSortedMembers)
  let previous = ''
  for (const name in value) {
    if (name < previous || !hasSortedMembers((value as Record<string, unknown>)[name])) return false
    previous = name
  }
  return true
}

/** @param place names and positions that lead here; put together only when something is wrong */
function serialize(value: unknown, place: (string | number)[]): string {
  switch (typeof value) {
    case 'string':
      return quote(value, place)
    case 'number':
      if (!Number.isSafeInteger(value)) throw bad(`${value} is not a safe integer`, place)
      return value === 0 ? '0' : `${value}`
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      break
    default:
      throw bad(`JSON has no ${typeof value}`, place)
  }
  if (value === null) return 'null'
  if (place.length === MAX_DEPTH) throw bad(`nested deeper than ${MAX_DEPTH}`, place)
  let text = ''
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      place.push(i)
      text += `${i === 0 ? '' : ','}${serialize(value[i], place)}`
      place.pop()
    }
    return `[${text}]`
  }
  // RFC 8785, section 3.2.3: names are ordered by UTF-16 code units, which is what sort() does.
  for (const name of Object.keys(value).sort()) {
    place.push(name)
    const member = serialize((value as Record<string, unknown>)[name], place)
    text += `${text === '' ? '' : ','}${quote(name, place)}:${member}`
    place.pop()
  }
  return `{${text}}`
}

/** Printable ASCII without quotes and backslashes stands in JSON as it is. */
const PLAIN = /^[ !#-[\]-~]*$/

function quote(text: string, place: readonly (string | number)[]): string {
  if (PLAIN.test(text)) return `"${text}"`
  if (!text.isWellFormed()) throw bad('the text holds half of a surrogate pair', place)
  return JSON.stringify(text)
}

/** The place as an RFC 6901 pointer. */
function bad(reason: string, place: readonly (string | number)[]): InputError {
  const pointer = place.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  return new InputError('BAD_RECORD', `${pointer === '' ? 'the value' : pointer}: ${reason}`, { pointer })
}
