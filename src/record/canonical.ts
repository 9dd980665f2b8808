import { utf8 } from '../bytes/bytes.ts'
import { InputError } from '../errors.ts'

const MAX_DEPTH = 64

/** The JCS (RFC 8785) text of a JSON value whose numbers are safe integers. Same errors as `canonicalBytes`. */
export function canonicalText(value: unknown): string {
  return serialize(value, '', 0)
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

function serialize(value: unknown, pointer: string, depth: number): string {
  switch (typeof value) {
    case 'string':
      return quote(value, pointer)
    case 'number':
      if (!Number.isSafeInteger(value)) throw bad(`${value} is not a safe integer`, pointer)
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      break
    default:
      throw bad(`JSON has no ${typeof value}`, pointer)
  }
  if (value === null) return 'null'
  if (depth === MAX_DEPTH) throw bad(`nested deeper than ${MAX_DEPTH}`, pointer)
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item, i) => serialize(item, `${pointer}/${i}`, depth + 1)).join(',')}]`
  }
  const members: string[] = []
  // RFC 8785, section 3.2.3: names are ordered by UTF-16 code units, which is what sort() does.
  for (const name of Object.keys(value).sort()) {
    const place = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    members.push(
      `${quote(name, place)}:${serialize((value as Record<string, unknown>)[name], place, depth + 1)}`,
    )
  }
  return `{${members.join(',')}}`
}

function quote(text: string, pointer: string): string {
  if (!text.isWellFormed()) throw bad('the text holds half of a surrogate pair', pointer)
  return JSON.stringify(text)
}

const bad = (reason: string, pointer: string) =>
  new InputError('BAD_RECORD', `${pointer === '' ? 'the value' : pointer}: ${reason}`, { pointer })
