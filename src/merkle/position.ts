import { InputError } from '../errors.ts'

/** A size of a tree or a place in it: `bigint` at the edges, `number` where it is safe. */
export type Position = bigint | number

/**
 * Reads a position that a proof names; its range is the verifier's to judge.
 *
 * @throws {InputError} `BAD_ARGUMENT` if a number is not a safe integer
 */
export function toBigInt(value: Position, name: string): bigint {
  if (typeof value === 'bigint') return value
  if (!Number.isSafeInteger(value))
    throw new InputError('BAD_ARGUMENT', `${name} must be an integer, not ${value}`)
  return BigInt(value)
}

/**
 * Reads a position within something held in memory.
 *
 * @throws {InputError} `BAD_ARGUMENT` unless it is an integer of at least 0 and at most `limit`
 */
export function toIndex(value: Position, limit: number, name: string): number {
  const index = Number(value)
  if (!Number.isSafeInteger(index) || index < 0 || index > limit) {
    throw new InputError('BAD_ARGUMENT', `${name} must be an integer from 0 to ${limit}, not ${value}`)
  }
  return index
}
