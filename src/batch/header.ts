import { concatBytes } from '../bytes/bytes.ts'
import { type Hex, toHex } from '../bytes/hex.ts'
import { VerificationError } from '../errors.ts'
import { hashLeaf } from '../merkle/index.ts'

/** The fixed-size summary of a batch that goes on chain (docs/format.md, "Header"). */
export interface Header {
  /** 20 bytes, lowercase */
  publisher: Hex
  /** per publisher, from 0, without gaps */
  sequence: bigint
  /** RFC 9162 root over the canonical bytes of the batch's records, 32 bytes */
  recordsRoot: Uint8Array
  recordCount: number
  /** RFC 9162 root over the buckets of the batch's index, 32 bytes */
  indexRoot: Uint8Array
  /** number of buckets */
  indexSize: number
  /** earliest and latest `time` of the batch's records, milliseconds since 1970 */
  firstTime: bigint
  lastTime: bigint
}

export const HEADER_BYTES = 256

/** `abi.encode(header)`: eight 32-byte big-endian words in the order of the Solidity struct. */
export function encodeHeader(header: Header): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < 20; i++)
    bytes[12 + i] = Number.parseInt(header.publisher.slice(2 + 2 * i, 4 + 2 * i), 16)
  view.setBigUint64(56, header.sequence)
  bytes.set(header.recordsRoot, 64)
  view.setUint32(124, header.recordCount)
  bytes.set(header.indexRoot, 128)
  view.setUint32(188, header.indexSize)
  view.setBigUint64(216, header.firstTime)
  view.setBigUint64(248, header.lastTime)
  return bytes
}

/**
 * Reads a header back; every padding byte must be zero, so that one header has one encoding.
 *
 * @param bytes 256 bytes
 * @throws {VerificationError} `MALFORMED_HEADER`
 */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length !== HEADER_BYTES) {
    throw new VerificationError('MALFORMED_HEADER', `a header has ${HEADER_BYTES} bytes, not ${bytes.length}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (const offset of PADDING) {
    if (view.getUint32(offset) !== 0) {
      throw new VerificationError(
        'MALFORMED_HEADER',
        `bytes ${offset} to ${offset + 3} of the header are not zero`,
      )
    }
  }
  return {
    publisher: toHex(bytes.subarray(12, 32)),
    sequence: view.getBigUint64(56),
    recordsRoot: bytes.slice(64, 96),
    recordCount: view.getUint32(124),
    indexRoot: bytes.slice(128, 160),
    indexSize: view.getUint32(188),
    firstTime: view.getBigUint64(216),
    lastTime: view.getBigUint64(248),
  }
}

const PACKED_HEADER_BYTES = 116

/** A header without its padding: what a bundle of many headers spells. */
export function packHeader(header: Header): Uint8Array {
  const bytes = encodeHeader(header)
  return concatBytes(...GAPS.map(([, end], i) => bytes.subarray(end, GAPS[i + 1]?.[0] ?? HEADER_BYTES)))
}

/**
 * Reads a packed header back.
 *
 * @throws {VerificationError} `MALFORMED_HEADER` unless there are 116 bytes
 */
export function unpackHeader(packed: Uint8Array): Header {
  if (packed.length !== PACKED_HEADER_BYTES) {
    throw new VerificationError(
      'MALFORMED_HEADER',
      `a packed header has ${PACKED_HEADER_BYTES} bytes, not ${packed.length}`,
    )
  }
  const bytes = new Uint8Array(HEADER_BYTES)
  let offset = 0
  for (const [i, [, start]] of GAPS.entries()) {
    const end = GAPS[i + 1]?.[0] ?? HEADER_BYTES
    bytes.set(packed.subarray(offset, offset + end - start), start)
    offset += end - start
  }
  return decodeHeader(bytes)
}

/** Leaf hash of a header in the ledger's log: `SHA-256(0x00 || abi.encode(header))`. */
export const hashHeader = (header: Header): Uint8Array => hashLeaf(encodeHeader(header))

/** Where a header holds zeros: a gap before each member. */
const GAPS = [
  [0, 12],
  [32, 56],
  [96, 124],
  [160, 188],
  [192, 216],
  [224, 248],
] as const

/** Offsets of the words of four bytes that are zero, of which each gap consists. */
const PADDING = GAPS.flatMap(([start, end]) =>
  Array.from({ length: (end - start) / 4 }, (_, i) => start + 4 * i),
)
