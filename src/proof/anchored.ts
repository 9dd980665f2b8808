import { type Header, type JsonHeader, parseJsonHeader, toJsonHeader } from '../batch/index.ts'
import { type Hex, toHex } from '../bytes/hex.ts'
import { hex, members, path, uint32, uint64 } from './members.ts'

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

/** A header, its place in the ledger's log, and the event that anchors it: what every bundle about a batch holds. */
export interface Anchored {
  header: Header
  /** place of the header in the ledger's log of `size` headers: those up to the end of the anchor's transaction */
  log: { index: bigint; size: bigint; path: Uint8Array[] }
  anchor: Anchor
}

export interface JsonAnchor {
  chainId: string
  ledger: Hex
  blockNumber: string
  blockHash: Hex
  transactionHash: Hex
  logIndex: number
}

/** As JSON: uint64 as decimal strings, bytes as hex. */
export interface JsonAnchored {
  batch: JsonHeader
  log: { index: string; size: string; path: Hex[] }
  anchor: JsonAnchor
}

export const ANCHORED_MEMBERS = ['batch', 'log', 'anchor'] as const

export const toJsonAnchored = ({ header, log, anchor }: Anchored): JsonAnchored => ({
  batch: toJsonHeader(header),
  log: { index: String(log.index), size: String(log.size), path: log.path.map(toHex) },
  anchor: toJsonAnchor(anchor),
})

export const toJsonAnchor = (anchor: Anchor): JsonAnchor => ({
  ...anchor,
  chainId: String(anchor.chainId),
  blockNumber: String(anchor.blockNumber),
})

/** @throws {VerificationError} `MALFORMED_BUNDLE` or `MALFORMED_HEADER` */
export function parseAnchored(parts: Record<(typeof ANCHORED_MEMBERS)[number], unknown>): Anchored {
  const log = members(parts.log, 'log', ['index', 'size', 'path'])
  return {
    header: parseJsonHeader(parts.batch),
    log: {
      index: uint64(log.index, 'log.index'),
      size: uint64(log.size, 'log.size'),
      path: path(log.path, 'log.path'),
    },
    anchor: parseAnchor(parts.anchor),
  }
}

export function parseAnchor(value: unknown): Anchor {
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
