import { type Header, type Item, packHeader, unpackHeader } from '../batch/index.ts'
import { toBase64url } from '../bytes/base64url.ts'
import { concatBytes } from '../bytes/bytes.ts'
import {
  decodePositions,
  encodePositions,
  INDEX_NAMES,
  type IndexName,
  type LookupProof,
} from '../lookup/index.ts'
import type { FlowRecord } from '../record/index.ts'
import { type Anchor, type JsonAnchor, parseAnchor, toJsonAnchor } from './anchored.ts'
import {
  expectFormat,
  list,
  malformed,
  members,
  packed,
  packedPath,
  sealedRecord,
  text,
  texts,
  uint32,
  uint64,
} from './members.ts'

export const HISTORY_FORMAT = 'tidemark-history/1'
export const HISTORY_MEDIA_TYPE = 'application/vnd.tidemark.history+json'

/** What a history is of, and for when. */
export interface HistoryQuestion {
  key: { name: IndexName; value: string }
  /** of the records' own times, milliseconds since 1970: from `from` on, before `to` */
  period: { from: bigint; to: bigint }
}

/** The period of a question that asks for none. */
export const ALWAYS: HistoryQuestion['period'] = { from: 0n, to: 2n ** 64n - 1n }

/** All but the batches of a history. */
export interface HistoryHead extends HistoryQuestion {
  /** ledger entries `from` up to `to`, and what completes them to the log of `size` headers, which held the last of them first */
  range: { from: bigint; to: bigint; size: bigint; path: Uint8Array[] }
  /** of the last header of the range */
  anchor: Anchor
}

export interface HistoryBatch {
  header: Header
  /** where the batch may hold records of the period */
  lookup?: LookupProof
  /** where the lookup finds any: all records under the key in their order, and their subset path */
  found?: { items: Item[]; path: Uint8Array[] }
}

/** The records under a key in a range of the ledger, with the proof that there are no others (docs/format.md, "History"). */
export interface History extends HistoryHead {
  /** one a ledger entry of the range */
  batches: HistoryBatch[]
}

interface JsonHistoryHead {
  format: typeof HISTORY_FORMAT
  key: { name: IndexName; value: string }
  period: { from: string; to: string }
  range: { from: string; to: string; size: string; path: string }
  anchor: JsonAnchor
}

/** As JSON: bytes in base64url, except in the anchor. */
export interface JsonHistoryBatch {
  header: string
  lookup?: { index: number; bucket: string; path: string; positions?: string }
  found?: { items: { record: FlowRecord; disclosures: string[] }[]; path: string }
}

export interface JsonHistory extends JsonHistoryHead {
  batches: JsonHistoryBatch[]
}

export const toJsonHistoryHead = ({ key, period, range, anchor }: HistoryHead): JsonHistoryHead => ({
  format: HISTORY_FORMAT,
  key: { name: key.name, value: key.value },
  period: { from: String(period.from), to: String(period.to) },
  range: {
    from: String(range.from),
    to: String(range.to),
    size: String(range.size),
    path: packPath(range.path),
  },
  anchor: toJsonAnchor(anchor),
})

export const toJsonHistoryBatch = ({ header, lookup, found }: HistoryBatch): JsonHistoryBatch => ({
  header: toBase64url(packHeader(header)),
  ...(lookup !== undefined && { lookup: toJsonLookup(lookup) }),
  ...(found !== undefined && { found: { items: found.items, path: packPath(found.path) } }),
})

export const toJsonHistory = ({ batches, ...head }: History): JsonHistory => ({
  ...toJsonHistoryHead(head),
  batches: batches.map(toJsonHistoryBatch),
})

const toJsonLookup = ({ index, bucket, path, positions }: LookupProof) => ({
  index,
  bucket: toBase64url(bucket),
  path: packPath(path),
  ...(positions !== undefined && { positions: toBase64url(encodePositions(positions)) }),
})

const packPath = (path: readonly Uint8Array[]) => toBase64url(concatBytes(...path))

/**
 * Reads a history; exactly its members, each value in its one spelling.
 *
 * @param value parsed JSON
 * @throws {InputError} `BAD_BUNDLE` when it is no history at all
 * @throws {VerificationError} `MALFORMED_BUNDLE`, `MALFORMED_HEADER` or `MALFORMED_RECORD`
 */
export function parseHistory(value: unknown): History {
  expectFormat(value, HISTORY_FORMAT)
  const parts = members(value, 'the history', ['format', 'key', 'period', 'range', 'anchor', 'batches'])
  const key = members(parts.key, 'key', ['name', 'value'])
  const range = members(parts.range, 'range', ['from', 'to', 'size', 'path'])
  return {
    key: { name: indexName(key.name), value: text(key.value, 'key.value') },
    period: parsePeriod(parts.period),
    range: {
      from: uint64(range.from, 'range.from'),
      to: uint64(range.to, 'range.to'),
      size: uint64(range.size, 'range.size'),
      path: packedPath(range.path, 'range.path'),
    },
    anchor: parseAnchor(parts.anchor),
    batches: list(parts.batches, 'batches').map((batch, i) => parseBatch(batch, `batches/${i}`)),
  }
}

function indexName(value: unknown): IndexName {
  const name = INDEX_NAMES.find((known) => known === value)
  if (name === undefined) throw malformed(`key.name must be one of ${INDEX_NAMES.join(', ')}`)
  return name
}

function parsePeriod(value: unknown): HistoryQuestion['period'] {
  const period = members(value, 'period', ['from', 'to'])
  const from = uint64(period.from, 'period.from')
  const to = uint64(period.to, 'period.to')
  if (from >= to) throw malformed('period.to must be above period.from')
  return { from, to }
}

function parseBatch(value: unknown, place: string): HistoryBatch {
  const { header, lookup, found } = members(value, place, ['header'], ['lookup', 'found'])
  return {
    header: unpackHeader(packed(header, `${place}/header`)),
    ...(lookup !== undefined && { lookup: parseLookup(lookup, `${place}/lookup`) }),
    ...(found !== undefined && { found: parseFound(found, `${place}/found`) }),
  }
}

function parseLookup(value: unknown, place: string): LookupProof {
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
