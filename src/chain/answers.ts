import { type Hex, isHex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'

/** Members of a JSON object, not yet checked. */
export type Members = Record<string, unknown>

export function malformed(what: string, expected: string): OperationError {
  return new OperationError('RPC_MALFORMED', `the node's ${what} is not ${expected}`)
}

export function parseMembers(value: unknown, what: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(what, 'an object')
  return value as Members // an object's members, each of them unknown
}

export function parseList(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw malformed(what, 'a list')
  return value
}

/** A quantity of the execution API: 0x and up to 64 hexadecimal digits. */
export function parseQuantity(value: unknown, what: string): bigint {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{1,64}$/i.test(value)) throw malformed(what, 'a quantity')
  return BigInt(value)
}

/** A quantity that counts something within a block. */
export function parseIndex(value: unknown, what: string): number {
  const index = parseQuantity(value, what)
  if (index > 0xffff_ffffn) throw malformed(what, 'an index')
  return Number(index)
}

/** Bytes, `sizeBytes` of them when given; the node's uppercase digits become lowercase. */
export function parseBytes(value: unknown, what: string, sizeBytes?: number): Hex {
  const text = typeof value === 'string' ? value.toLowerCase() : value
  if (!isHex(text, sizeBytes)) {
    throw malformed(what, sizeBytes === undefined ? 'hexadecimal bytes' : `${sizeBytes} hexadecimal bytes`)
  }
  return text
}

export const toQuantity = (value: bigint): Hex => `0x${value.toString(16)}`
