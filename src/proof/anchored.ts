import { type Header, type JsonHeader, parseJsonHeader, toJsonHeader } from '../batch/index.ts'
import { type Hex, toHex } from '../bytes/hex.ts'
import { hex, members, path, uint32, uint64 } from './members.ts'

/** Where the chain holds an event. */
export interface Place {
  blockNumber: bigint
  blockHash: Hex
  transactionHash: Hex
  /** position of the event within the block */
  logIndex: number
}

/** Where the chain holds the event that anchors a batch. */
export interface Anchor extends Place {
  chainId: bigint
  /** 20 bytes */
  ledger: Hex
}

/** A header, its place in the ledger's log, and the event that anchors it: what every bundle about a batch holds. */
export interface Anchored {
  header: Header
  /** place of the header in the ledger's log of `size` headers: those up to the end of the anchor's transaction */
  log: { index: bigint; size: bigint; path: Uint8Array[] }
  anchor: Anchor
}

export interface JsonPlace {
  blockNumber: string
  blockHash: Hex
  transactionHash: Hex
  logIndex: number
}

export interface JsonAnchor extends JsonPlace {
  chainId: string
  ledger: Hex
}

/** As JSON: uint64 as decimal strings, bytes as hex. */
export interface JsonAnchored {
  batch: JsonHeader
  log: { index: string; size: string; path: Hex[] }
  anchor: JsonAnchor
}

export const ANCHORED_MEMBERS = ['batch', 'log', 'anchor'] as const
export const PLACE_MEMBERS = ['blockNumber', 'blockHash', 'transactionHash', 'logIndex'] as const

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

export const toJsonPlace = (place: Place): JsonPlace => ({ ...place, blockNumber: String(place.blockNumber) })

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
  const anchor = members(value, 'anchor', ['chainId', 'ledger', ...PLACE_MEMBERS])
  return {
    chainId: uint64(anchor.chainId, 'anchor.chainId'),
    ledger: hex(anchor.ledger, 20, 'anchor.ledger'),
    ...parsePlace(anchor, 'anchor'),
  }
}

export const parsePlace = (parts: Record<(typeof PLACE_MEMBERS)[number], unknown>, place: string): Place => ({
  blockNumber: uint64(parts.blockNumber, `${place}.blockNumber`),
  blockHash: hex(parts.blockHash, 32, `${place}.blockHash`),
  transactionHash: hex(parts.transactionHash, 32, `${place}.transactionHash`),
  logIndex: uint32(parts.logIndex, `${place}.logIndex`),
})
