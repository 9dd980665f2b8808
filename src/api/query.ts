import type { Request } from 'express'
import { readUint64 } from '../bytes/integer.ts'
import { InputError } from '../errors.ts'

/** @throws {InputError} `BAD_ARGUMENT` when the parameter is missing or there twice */
export function requiredText(request: Request, name: string): string {
  const value = optionalText(request, name)
  if (value === undefined) throw bad(name, 'is missing')
  return value
}

export function optionalText(request: Request, name: string): string | undefined {
  const value = request.query[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') throw bad(name, 'must be given once, and not empty')
  return value
}

export function optionalUint64(request: Request, name: string): bigint | undefined {
  const text = optionalText(request, name)
  return text === undefined ? undefined : parseUint64(text, name)
}

/** A whole number from 1 to `limit`. */
export function optionalCount(request: Request, name: string, limit: number): number | undefined {
  const value = optionalUint64(request, name)
  if (value === undefined) return undefined
  if (value < 1n || value > BigInt(limit)) throw bad(name, `must be from 1 to ${limit}`)
  return Number(value)
}

export function parseUint64(text: string, name: string): bigint {
  const value = readUint64(text)
  if (value === undefined) throw bad(name, 'must be a decimal uint64 without leading zeros')
  return value
}

/** The bearer token of RFC 6750, section 2.1; another scheme is none of ours. */
export function tokenOf(request: Request): string | undefined {
  const [scheme, token = ''] = (request.get('authorization') ?? '').split(' ')
  return scheme?.toLowerCase() === 'bearer' ? token : undefined
}

const bad = (name: string, reason: string) => new InputError('BAD_ARGUMENT', `${name} ${reason}`)
