import { fromBase64url } from '../bytes/base64url.ts'
import { fromHex, type Hex, isHex } from '../bytes/hex.ts'
import { isUint32, readUint64 } from '../bytes/integer.ts'
import { InputError, VerificationError } from '../errors.ts'
import { HASH_SIZE } from '../merkle/index.ts'
import { type FlowRecord, parseSealedRecord } from '../record/index.ts'

/**
 * Which of these formats a JSON value has.
 *
 * @throws {InputError} `BAD_BUNDLE` when it is a bundle of none of them
 */
export function expectFormat<const Format extends string>(value: unknown, ...formats: Format[]): Format {
  if (typeof value !== 'object' || value === null || !('format' in value)) {
    throw new InputError('BAD_BUNDLE', 'not a Tidemark bundle: it has no member "format"')
  }
  const format = formats.find((known) => known === value.format)
  if (format !== undefined) return format
  throw new InputError(
    'BAD_BUNDLE',
    `not a ${formats.join(' or ')}: its format is ${typeof value.format === 'string' ? JSON.stringify(value.format) : 'no text'}`,
  )
}

/** The members of an object that has exactly these, and perhaps some of the `optional` ones. */
export function members<const Name extends string, const Optional extends string = never>(
  value: unknown,
  place: string,
  names: readonly Name[],
  optional: readonly Optional[] = [],
) {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`${place} must be an object`)
  const known: readonly string[] = [...names, ...optional]
  const unknown = Object.keys(value).find((name) => !known.includes(name))
  if (unknown !== undefined) throw malformed(`${place} has an unknown member: ${JSON.stringify(unknown)}`)
  const missing = names.find((name) => !Object.hasOwn(value, name))
  if (missing !== undefined) throw malformed(`${place} lacks ${missing}`)
  return value as Record<Name, unknown> & Partial<Record<Optional, unknown>>
}

export function path(value: unknown, place: string): Uint8Array[] {
  return list(value, place).map((hash, i) => fromHex(hex(hash, 32, `${place}/${i}`)))
}

export function hex(value: unknown, sizeBytes: number, place: string): Hex {
  if (!isHex(value, sizeBytes)) throw malformed(`${place} must be 0x and lowercase hex of ${sizeBytes} bytes`)
  return value
}

/** Hex of one byte or more. */
export function hexUpTo(value: unknown, mostBytes: number, place: string): Hex {
  if (!isHex(value) || value === '0x' || value.length > 2 + 2 * mostBytes)
    throw malformed(`${place} must be 0x and lowercase hex of 1 to ${mostBytes} bytes`)
  return value
}

export function uint64(value: unknown, place: string): bigint {
  const number = readUint64(value)
  if (number === undefined) throw malformed(`${place} must be a decimal string of a uint64`)
  return number
}

export function uint256(value: unknown, place: string): bigint {
  if (typeof value === 'string' && /^(?:0|[1-9][0-9]{0,77})$/.test(value)) {
    const number = BigInt(value)
    if (number < 1n << 256n) return number
  }
  throw malformed(`${place} must be a decimal string of a uint256`)
}

export function uint8(value: unknown, place: string): number {
  if (!isUint32(value) || value > 255) throw malformed(`${place} must be a uint8`)
  return value
}

export function uint32(value: unknown, place: string): number {
  if (!isUint32(value)) throw malformed(`${place} must be a uint32`)
  return value
}

export function texts(value: unknown, place: string): string[] {
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value
  throw malformed(`${place} must be a list of texts`)
}

/** @throws {VerificationError} `MALFORMED_RECORD` when no batch can hold it */
export function sealedRecord(value: unknown): FlowRecord {
  try {
    return parseSealedRecord(value)
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause
    throw new VerificationError('MALFORMED_RECORD', `the record cannot have been sealed: ${cause.message}`, {
      cause,
    })
  }
}

/** base64url, which bundles of many hashes are spelt in: it takes two thirds of hex. */
export function packed(value: unknown, place: string): Uint8Array {
  try {
    if (typeof value === 'string') return fromBase64url(value)
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause
  }
  throw malformed(`${place} must be base64url`)
}

/** Hashes one after the other in base64url. */
export function packedPath(value: unknown, place: string): Uint8Array[] {
  const bytes = packed(value, place)
  if (bytes.length % HASH_SIZE !== 0) throw malformed(`${place} must be hashes of ${HASH_SIZE} bytes each`)
  return Array.from({ length: bytes.length / HASH_SIZE }, (_, i) =>
    bytes.subarray(HASH_SIZE * i, HASH_SIZE * (i + 1)),
  )
}

export function text(value: unknown, place: string): string {
  if (typeof value === 'string' && value.isWellFormed()) return value
  throw malformed(`${place} must be a text without half of a surrogate pair`)
}

export function list(value: unknown, place: string): unknown[] {
  if (Array.isArray(value)) return value
  throw malformed(`${place} must be a list`)
}

export const malformed = (message: string) => new VerificationError('MALFORMED_BUNDLE', message)
