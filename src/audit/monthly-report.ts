import type { Header } from '../batch/index.ts'
import { hashHeader } from '../batch/index.ts'
import { fromHex, type Hex, isHex, toHex } from '../bytes/hex.ts'
import { isUint32, readUint64 } from '../bytes/integer.ts'
import { InputError } from '../errors.ts'
import { EMPTY_ROOT, treeRoot } from '../merkle/index.ts'
import type { Figures, Period, SharedResource } from '../rules/departments.ts'

/** Consecutive batches of one publisher. */
export interface BatchRun {
  publisher: Hex
  /** sequence of the first of them */
  first: string
  count: number
}

/** What the figures of a report are about (docs/format.md, section 19.1). */
export interface ReportScope {
  /** YYYY-MM */
  month: string
  /** minutes of the local time from UTC */
  utcOffset: number
  /** the ledger as its log was; null where only files are known */
  ledger: { chainId: string; ledger: Hex; size: string; root: Hex } | null
  /** in the ledger's order, or without a ledger in that of publishers and sequences */
  batches: BatchRun[]
  /** entries of the log whose batches were not verified, and their leaf hashes */
  leftOut: { entry: string; leaf: Hex }[]
  /** what the departments share; null where that is taken from the records */
  shared: SharedResource[] | null
}

/** The figures of departments of one month, so exactly that others can compute them again. */
export interface MonthlyReport extends ReportScope, Figures {
  format: 'tidemark-report/1'
}

/** The order of members is for people. */
export const reportOf = (scope: ReportScope, figures: Figures): MonthlyReport => ({
  format: 'tidemark-report/1',
  ...scope,
  ...figures,
})

/**
 * A month of local time.
 *
 * @throws {InputError} `BAD_ARGUMENT`
 */
export function periodOf({ month, utcOffset }: Pick<ReportScope, 'month' | 'utcOffset'>): Period {
  const [, year, number] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(month) ?? []
  if (year === undefined || Number(year) < 1970) {
    throw new InputError('BAD_ARGUMENT', 'a month is written as 2026-05, from 1970 on')
  }
  if (!Number.isInteger(utcOffset) || Math.abs(utcOffset) > MOST_OFFSET) {
    throw new InputError('BAD_ARGUMENT', `an offset from UTC is at most ${MOST_OFFSET} minutes`)
  }
  const startOf = (index: number) => Date.UTC(Number(year), index, 1) - 60_000 * utcOffset
  return { fromMs: startOf(Number(number) - 1), toMs: startOf(Number(number)) }
}

/** No local time is further from UTC. */
export const MOST_OFFSET = 14 * 60

/** Neighbours of one publisher with consecutive sequences become one run. */
export function runsOf(batches: Iterable<Pick<Header, 'publisher' | 'sequence'>>): BatchRun[] {
  const runs: BatchRun[] = []
  let next = 0n
  for (const { publisher, sequence } of batches) {
    const last = runs.at(-1)
    if (last?.publisher === publisher && sequence === next) last.count++
    else runs.push({ publisher, first: String(sequence), count: 1 })
    next = sequence + 1n
  }
  return runs
}

/** The batches of runs, each with its place among them. */
export function* batchesOf(runs: readonly BatchRun[]) {
  let place = 0
  for (const { publisher, first, count } of runs) {
    for (let i = 0n; i < count; i++) yield { place: place++, publisher, sequence: BigInt(first) + i }
  }
}

/**
 * The root of a log from its headers.
 *
 * @param headers by place; those of entries that were left out are not asked for
 */
export function logRoot(headers: ReadonlyMap<number, Header>, { leftOut }: ReportScope): Hex {
  const leaves: Uint8Array[] = []
  for (const [place, header] of headers) leaves[place] = hashHeader(header)
  for (const { entry, leaf } of leftOut) leaves[Number(entry)] = fromHex(leaf)
  return toHex(leaves.length === 0 ? EMPTY_ROOT : treeRoot(leaves))
}

/**
 * Reads what a report is about; its figures are not looked at.
 *
 * @throws {InputError} `BAD_BUNDLE`, or `BAD_ARGUMENT` for what is no month
 */
export function parseReportScope(value: unknown): ReportScope {
  const { format, month, utcOffset, ledger, batches, leftOut, shared } = membersOf(value)
  if (format !== 'tidemark-report/1') throw bad('its format is not tidemark-report/1')
  if (typeof month !== 'string' || typeof utcOffset !== 'number') throw bad('it names no month')
  periodOf({ month, utcOffset })
  const scope: ReportScope = {
    month,
    utcOffset,
    ledger: ledger === null ? null : parseLedger(ledger),
    batches: listOf(batches, 'batches').map(parseRun),
    leftOut: listOf(leftOut, 'leftOut').map(parseLeftOut),
    shared: shared === null ? null : listOf(shared, 'shared').map(parseShared),
  }
  const size = scope.batches.reduce((sum, { count }) => sum + count, 0)
  if (scope.ledger !== null && scope.ledger.size !== String(size)) {
    throw bad(`its batches are ${size}, and its ledger has ${scope.ledger.size}`)
  }
  if (scope.leftOut.some(({ entry }) => BigInt(entry) >= BigInt(size))) {
    throw bad('leftOut names an entry that it does not have')
  }
  return scope
}

function parseLedger(value: unknown): NonNullable<ReportScope['ledger']> {
  const { chainId, ledger, size, root } = membersOf(value)
  if (typeof chainId !== 'string' || !isHex(ledger, 20) || readUint64(size) === undefined || !isHex(root, 32))
    throw bad('ledger must have chainId, ledger, size and root')
  return { chainId, ledger, size: String(size), root }
}

function parseRun(value: unknown): BatchRun {
  const { publisher, first, count } = membersOf(value)
  if (!isHex(publisher, 20) || readUint64(first) === undefined || !isUint32(count) || count === 0)
    throw bad('batches must have publisher, first and count')
  return { publisher, first: String(first), count }
}

function parseLeftOut(value: unknown): ReportScope['leftOut'][number] {
  const { entry, leaf } = membersOf(value)
  if (readUint64(entry) === undefined || !isHex(leaf, 32)) throw bad('leftOut must have entry and leaf')
  return { entry: String(entry), leaf }
}

/** @throws {InputError} `BAD_BUNDLE` */
export function parseShared(value: unknown): SharedResource {
  const { resource, owner } = membersOf(value)
  if (typeof resource !== 'string' || typeof owner !== 'string')
    throw bad('shared must have resource and owner')
  return { resource, owner }
}

function listOf(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value
  throw bad(`${name} must be a list`)
}

function membersOf(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw bad('it is not an object where one should be')
}

const bad = (reason: string) => new InputError('BAD_BUNDLE', `the report cannot be read: ${reason}`)
