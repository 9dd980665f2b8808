import type { Request } from 'express'
import { MOST_OFFSET } from '../audit/monthly-report.ts'
import { readUint64 } from '../bytes/integer.ts'
import { InputError } from '../errors.ts'
import { ALWAYS } from '../indexer/search.ts'
import { PSEUDONYMS } from '../record/index.ts'

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

/** Whether it is asked for; it is not when the parameter is left out. */
export function optionalFlag(request: Request, name: string): boolean {
  const text = optionalText(request, name) ?? 'false'
  if (text !== 'true' && text !== 'false') throw bad(name, 'must be true or false')
  return text === 'true'
}

/** The names with commas between them that are given, each once; none when the parameter is left out. */
export function optionalNames(request: Request, name: string): string[] {
  const names = optionalText(request, name)?.split(',') ?? []
  if (names.includes('')) throw bad(name, 'must be names with commas between them')
  return [...new Set(names)]
}

/**
 * The pseudonyms that are to be opened in a list of records.
 *
 * @throws {InputError} `BAD_ARGUMENT` for other members: what the vault holds is shown of one record at a time
 */
export function optionalPseudonyms(request: Request): string[] {
  const names = optionalNames(request, 'disclose')
  const other = names.find((name) => !PSEUDONYMS.includes(name))
  if (other === undefined) return names
  throw bad(
    'disclose',
    `opens ${PSEUDONYMS.join(', ')} here, and not ${other}: /v1/proofs opens other members`,
  )
}

/** A whole number from 1 to `limit`. */
export function optionalCount(request: Request, name: string, limit: number): number | undefined {
  const value = optionalUint64(request, name)
  if (value === undefined) return undefined
  if (value < 1n || value > BigInt(limit)) throw bad(name, `must be from 1 to ${limit}`)
  return Number(value)
}

/** What `to` is when it is not given. */
export const END_OF_TIME = ALWAYS.toMs

const TIME = /^(\d{4}-\d\d-\d\d)(?:T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d))?$/

/** Milliseconds since 1970 of a date, which begins at midnight UTC, or of a time of RFC 3339. */
function optionalTime(request: Request, name: string): number | undefined {
  const text = optionalText(request, name)
  if (text === undefined) return undefined
  const [, date = ''] = TIME.exec(text) ?? []
  const midnight = new Date(`${date}T00:00:00Z`)
  const time = Date.parse(text)
  // Date rolls 30 February over to March.
  if (
    Number.isNaN(time) ||
    Number.isNaN(midnight.getTime()) ||
    !midnight.toISOString().startsWith(date) ||
    time < 0
  ) {
    throw bad(name, 'must be a date, such as 2026-03-01, or a time of RFC 3339 from 1970 on')
  }
  return time
}

/**
 * The range of time [from, to) that is asked for; everything when neither is given.
 *
 * @throws {InputError} `BAD_ARGUMENT` also when it is empty
 */
export function timeRange(request: Request): { fromMs: number; toMs: number } {
  const fromMs = optionalTime(request, 'from') ?? ALWAYS.fromMs
  const toMs = optionalTime(request, 'to') ?? END_OF_TIME
  if (fromMs >= toMs) throw bad('to', 'must be later than from')
  return { fromMs, toMs }
}

export function parseUint64(text: string, name: string): bigint {
  const value = readUint64(text)
  if (value === undefined) throw bad(name, 'must be a decimal uint64 without leading zeros')
  return value
}

/**
 * Minutes of the local time from UTC.
 *
 * @throws {InputError} `BAD_ARGUMENT` when it is none, or there twice
 */
export function optionalOffset(request: Request): number | undefined {
  const text = optionalText(request, 'utcOffset')
  if (text === undefined) return undefined
  if (!/^-?\d{1,3}$/.test(text) || Math.abs(Number(text)) > MOST_OFFSET) {
    throw bad('utcOffset', `must be whole minutes, at most ${MOST_OFFSET}`)
  }
  return Number(text)
}

/** The bearer token of RFC 6750, section 2.1; another scheme is none of ours. */
export function tokenOf(request: Request): string | undefined {
  const [scheme, token = ''] = (request.get('authorization') ?? '').split(' ')
  return scheme?.toLowerCase() === 'bearer' ? token : undefined
}

const bad = (name: string, reason: string) => new InputError('BAD_ARGUMENT', `${name} ${reason}`)
