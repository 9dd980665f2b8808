import { type Header, type Item, packHeader, unpackHeader } from '../batch/index.ts'
import { toBase64url } from '../bytes/base64url.ts'
import { concatBytes } from '../bytes/bytes.ts'
import { decodePositions, encodePositions, type LookupProof } from '../lookup/index.ts'
import type { FlowRecord } from '../record/index.ts'
import { list, malformed, members, packed, packedPath, sealedRecord, texts, uint32 } from './members.ts'

/** What a history shows of one batch. */
export interface HistoryBatch {
  header: Header
  /** where the batch may hold records of the period */
  lookup?: LookupProof
  /** where the lookup finds any: all records under the key in their order, and their subset path */
  found?: { items: Item[]; path: Uint8Array[] }
}

export interface JsonLookup {
  index: number
  bucket: string
  path: string
  positions?: string
}

/** As JSON: bytes in base64url, except in the anchor. */
export interface JsonHistoryBatch {
  header: string
  lookup?: JsonLookup
  found?: { items: { record: FlowRecord; disclosures: string[] }[]; path: string }
}

export const toJsonHistoryBatch = ({ header, lookup, found }: HistoryBatch): JsonHistoryBatch => ({
  header: toBase64url(packHeader(header)),
  ...(lookup !== undefined && { lookup: toJsonLookup(lookup) }),
  ...(found !== undefined && { found: { items: found.items, path: packPath(found.path) } }),
})

export const toJsonLookup = ({ index, bucket, path, positions }: LookupProof) => ({
  index,
  bucket: toBase64url(bucket),
  path: packPath(path),
  ...(positions !== undefined && { positions: toBase64url(encodePositions(positions)) }),
})

export const packPath = (path: readonly Uint8Array[]) => toBase64url(concatBytes(...path))

export function parseHistoryBatch(value: unknown, place: string): HistoryBatch {
  const { header, lookup, found } = members(value, place, ['header'], ['lookup', 'found'])
  return {
    header: unpackHeader(packed(header, `${place}/header`)),
    ...(lookup !== undefined && { lookup: parseLookup(lookup, `${place}/lookup`) }),
    ...(found !== undefined && { found: parseFound(found, `${place}/found`) }),
  }
}

export function parseLookup(value: unknown, place: string): LookupProof {
  const lookup = members(value, place, ['index', 'bucket', 'path'], ['positions'])
  return {
    index: uint32(lookup.index, `${place}/index`),
    bucket: packed(lookup.bucket, `${place}/bucket`),
    path: packedPath(lookup.path, `${place}/path`),
    ...(lookup.positions !== undefined && { positions: parsePositions(lookup.positions, place) }),
  }
}

function parsePositions(value: unknown, place: string): Uint32Array {
  const bytes = packed(value, `${place}/positions`)
  if (bytes.length % 4 !== 0) throw malformed(`${place}/positions must be uint32 each`)
  return decodePositions(bytes)
}

function parseFound(value: unknown, place: string): { items: Item[]; path: Uint8Array[] } {
  const found = members(value, place, ['items', 'path'])
  const items = list(found.items, `${place}/items`).map((item, i) => {
    const at = `${place}/items/${i}`
    const { record, disclosures } = members(item, at, ['record', 'disclosures'])
    return { record: sealedRecord(record), disclosures: texts(disclosures, `${at}/disclosures`) }
  })
  return { items, path: packedPath(found.path, `${place}/path`) }
}
