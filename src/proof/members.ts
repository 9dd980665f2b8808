import { fromHex, type Hex, isHex } from '../bytes/hex.ts'
import { isUint32, readUint64 } from '../bytes/integer.ts'
import { InputError, VerificationError } from '../errors.ts'

/**
 * Whether a JSON value is a bundle of this format at all.
 *
 * @throws {InputError} `BAD_BUNDLE`
 */
export function expectFormat(value: unknown, format: string): void {
  if (typeof value !== 'object' || value === null || !('format' in value)) {
    throw new InputError('BAD_BUNDLE', 'not a Tidemark bundle: it has no member "format"')
  }
  if (value.format !== format) {
    throw new InputError('BAD_BUNDLE', `not a ${format}: its format is ${JSON.stringify(value.format)}`)
  }
}

/** The members of an object that has exactly these. */
export function members<const Name extends string>(value: unknown, place: string, names: readonly Name[]) {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`${place} must be an object`)
  const unknown = Object.keys(value).find((name) => !(names as readonly string[]).includes(name))
  if (unknown !== undefined) throw malformed(`${place} has an unknown member: ${JSON.stringify(unknown)}`)
  const missing = names.find((name) => !Object.hasOwn(value, name))
  if (missing !== undefined) throw malformed(`${place} lacks ${missing}`)
  return value as Record<Name, unknown>
}

export function path(value: unknown, place: string): Uint8Array[] {
  if (!Array.isArray(value)) throw malformed(`${place} must be a list`)
  return value.map((hash, i) => fromHex(hex(hash, 32, `${place}/${i}`)))
}

export function hex(value: unknown, sizeBytes: number, place: string): Hex {
  if (!isHex(value, sizeBytes)) throw malformed(`${place} must be 0x and lowercase hex of ${sizeBytes} bytes`)
  return value
}

export function uint64(value: unknown, place: string): bigint {
  const number = readUint64(value)
  if (number === undefined) throw malformed(`${place} must be a decimal string of a uint64`)
  return number
}

export function uint32(value: unknown, place: string): number {
  if (!isUint32(value)) throw malformed(`${place} must be a uint32`)
  return value
}

export function texts(value: unknown, place: string): string[] {
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value
  throw malformed(`${place} must be a list of texts`)
}

export const malformed = (message: string) => new VerificationError('MALFORMED_BUNDLE', message)
