import { fromHex, type Hex, isHex, toHex } from '../bytes/hex.ts'
import { isUint32, readUint64 } from '../bytes/integer.ts'
import { VerificationError } from '../errors.ts'
import type { Header } from './header.ts'

/** A header as JSON: uint64 as decimal strings, bytes as hex, uint32 as numbers. */
export interface JsonHeader {
  publisher: Hex
  sequence: string
  recordsRoot: Hex
  recordCount: number
  indexRoot: Hex
  indexSize: number
  firstTime: string
  lastTime: string
}

export const toJsonHeader = (header: Header): JsonHeader => ({
  publisher: header.publisher,
  sequence: String(header.sequence),
  recordsRoot: toHex(header.recordsRoot),
  recordCount: header.recordCount,
  indexRoot: toHex(header.indexRoot),
  indexSize: header.indexSize,
  firstTime: String(header.firstTime),
  lastTime: String(header.lastTime),
})

/**
 * Reads a header; exactly its eight members, each in its one spelling.
 *
 * @throws {VerificationError} `MALFORMED_HEADER`
 */
export function parseJsonHeader(value: unknown): Header {
  const {
    publisher,
    sequence,
    recordsRoot,
    recordCount,
    indexRoot,
    indexSize,
    firstTime,
    lastTime,
    ...rest
  } = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  if (Object.keys(rest).length > 0) throw malformed(`unknown member ${Object.keys(rest).join(', ')}`)
  if (!isHex(publisher, 20)) throw malformed('publisher must be hex of 20 bytes')
  if (!isHex(recordsRoot, 32)) throw malformed('recordsRoot must be hex of 32 bytes')
  if (!isHex(indexRoot, 32)) throw malformed('indexRoot must be hex of 32 bytes')
  return {
    publisher,
    sequence: uint64(sequence, 'sequence'),
    recordsRoot: fromHex(recordsRoot),
    recordCount: uint32(recordCount, 'recordCount'),
    indexRoot: fromHex(indexRoot),
    indexSize: uint32(indexSize, 'indexSize'),
    firstTime: uint64(firstTime, 'firstTime'),
    lastTime: uint64(lastTime, 'lastTime'),
  }
}

function uint64(value: unknown, name: string): bigint {
  const number = readUint64(value)
  if (number === undefined) throw malformed(`${name} must be a decimal string of a uint64`)
  return number
}

function uint32(value: unknown, name: string): number {
  if (!isUint32(value)) throw malformed(`${name} must be a uint32`)
  return value
}

const malformed = (reason: string) => new VerificationError('MALFORMED_HEADER', `the header: ${reason}`)
