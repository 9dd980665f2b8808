import { type Header, type JsonHeader, parseJsonHeader, toJsonHeader } from '../batch/index.ts'
import { fromHex, type Hex, isHex, toHex } from '../bytes/hex.ts'
import { isUint32, readUint64 } from '../bytes/integer.ts'
import { InputError, VerificationError } from '../errors.ts'
import { type FlowRecord, parseSealedRecord } from '../record/index.ts'

export const PROOF_FORMAT = 'tidemark-proof/1'
export const PROOF_MEDIA_TYPE = 'application/vnd.tidemark.proof+json'

/** Where the chain holds the event that anchors a batch. */
export interface Anchor {
  chainId: bigint
  /** 20 bytes */
  ledger: Hex
  blockNumber: bigint
  blockHash: Hex
  transactionHash: Hex
  /** position of the event within the block */
  logIndex: number
}

/** Everything that convinces a stranger that a record is in the ledger (docs/format.md, "Proof"). */
export interface Proof {
  record: FlowRecord
  disclosures: string[]
  inclusion: { index: number; path: Uint8Array[] }
  header: Header
  /** place of the header in the ledger's log of `size` headers: those up to the end of the anchor's transaction */
  log: { index: bigint; size: bigint; path: Uint8Array[] }
  anchor: Anchor
}

interface JsonAnchor {
  chainId: string
  ledger: Hex
  blockNumber: string
  blockHash: Hex
  transactionHash: Hex
  logIndex: number
}

/** A proof as JSON: uint64 as decimal strings, bytes as hex. */
export interface JsonProof {
  format: typeof PROOF_FORMAT
  record: FlowRecord
  disclosures: string[]
  inclusion: { index: number; path: Hex[] }
  batch: JsonHeader
  log: { index: string; size: string; path: Hex[] }
  anchor: JsonAnchor
}

export const toJsonProof = ({ record, disclosures, inclusion, header, log, anchor }: Proof): JsonProof => ({
  format: PROOF_FORMAT,
  record,
  disclosures,
  inclusion: { index: inclusion.index, path: inclusion.path.map(toHex) },
  batch: toJsonHeader(header),
  log: { index: String(log.index), size: String(log.size), path: log.path.map(toHex) },
  anchor: { ...anchor, chainId: String(anchor.chainId), blockNumber: String(anchor.blockNumber) },
})

/**
 * Reads a proof; exactly its members, each value in its one spelling.
 *
 * @param value parsed JSON
 * @throws {InputError} `BAD_BUNDLE` when it is no proof of this format at all
 * @throws {VerificationError} `MALFORMED_BUNDLE`, `MALFORMED_RECORD` or `MALFORMED_HEADER` when a member of it is
 *   missing, unknown or misspelt: such a proof claims something that cannot hold
 */
export function parseProof(value: unknown): Proof {
  if (typeof value !== 'object' || value === null || !('format' in value)) {
    throw new InputError('BAD_BUNDLE', 'not a Tidemark bundle: it has no member "format"')
  }
  if (value.format !== PROOF_FORMAT) {
    throw new InputError('BAD_BUNDLE', `not a ${PROOF_FORMAT}: its format is ${JSON.stringify(value.format)}`)
  }
  const parts = members(value, 'the proof', [
    'format',
    'record',
    'disclosures',
    'inclusion',
    'batch',
    'log',
    'anchor',
  ])
  const inclusion = members(parts.inclusion, 'inclusion', ['index', 'path'])
  const log = members(parts.log, 'log', ['index', 'size', 'path'])
  return {
    record: parseRecordOf(parts.record),
    disclosures: texts(parts.disclosures, 'disclosures'),
    inclusion: {
      index: uint32(inclusion.index, 'inclusion.index'),
      path: path(inclusion.path, 'inclusion.path'),
    },
    header: parseJsonHeader(parts.batch),
    log: {
      index: uint64(log.index, 'log.index'),
      size: uint64(log.size, 'log.size'),
      path: path(log.path, 'log.path'),
    },
    anchor: parseAnchor(parts.anchor),
  }
}

function parseAnchor(value: unknown): Anchor {
  const anchor = members(value, 'anchor', [
    'chainId',
    'ledger',
    'blockNumber',
    'blockHash',
    'transactionHash',
    'logIndex',
  ])
  return {
    chainId: uint64(anchor.chainId, 'anchor.chainId'),
    ledger: hex(anchor.ledger, 20, 'anchor.ledger'),
    blockNumber: uint64(anchor.blockNumber, 'anchor.blockNumber'),
    blockHash: hex(anchor.blockHash, 32, 'anchor.blockHash'),
    transactionHash: hex(anchor.transactionHash, 32, 'anchor.transactionHash'),
    logIndex: uint32(anchor.logIndex, 'anchor.logIndex'),
  }
}

function parseRecordOf(value: unknown): FlowRecord {
  try {
    return parseSealedRecord(value)
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause
    throw new VerificationError('MALFORMED_RECORD', `the record cannot have been sealed: ${cause.message}`, {
      cause,
    })
  }
}

function members<const Name extends string>(value: unknown, place: string, names: readonly Name[]) {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`${place} must be an object`)
  const unknown = Object.keys(value).find((name) => !(names as readonly string[]).includes(name))
  if (unknown !== undefined)
    throw malformed(`${place} has a member that no proof has: ${JSON.stringify(unknown)}`)
  const missing = names.find((name) => !Object.hasOwn(value, name))
  if (missing !== undefined) throw malformed(`${place} lacks ${missing}`)
  return value as Record<Name, unknown>
}

function path(value: unknown, place: string): Uint8Array[] {
  if (!Array.isArray(value)) throw malformed(`${place} must be a list`)
  return value.map((hash, i) => fromHex(hex(hash, 32, `${place}/${i}`)))
}

function hex(value: unknown, sizeBytes: number, place: string): Hex {
  if (!isHex(value, sizeBytes)) throw malformed(`${place} must be 0x and lowercase hex of ${sizeBytes} bytes`)
  return value
}

function uint64(value: unknown, place: string): bigint {
  const number = readUint64(value)
  if (number === undefined) throw malformed(`${place} must be a decimal string of a uint64`)
  return number
}

function uint32(value: unknown, place: string): number {
  if (!isUint32(value)) throw malformed(`${place} must be a uint32`)
  return value
}

function texts(value: unknown, place: string): string[] {
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value
  throw malformed(`${place} must be a list of texts`)
}

const malformed = (message: string) => new VerificationError('MALFORMED_BUNDLE', message)
