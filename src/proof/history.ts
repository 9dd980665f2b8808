import { INDEX_NAMES, type IndexName } from '../lookup/index.ts'
import { type Anchor, type JsonAnchor, parseAnchor, toJsonAnchor } from './anchored.ts'
import {
  type HistoryBatch,
  type JsonHistoryBatch,
  packPath,
  parseHistoryBatch,
  toJsonHistoryBatch,
} from './history-batch.ts'
import { expectFormat, list, malformed, members, packedPath, text, uint64 } from './members.ts'

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

/** The records under a key in a range of the ledger, with the proof that there are no others (docs/format.md, "History"). */
export interface History extends HistoryHead {
  /** one a ledger entry of the range */
  batches: HistoryBatch[]
}

export interface JsonHistoryQuestion {
  key: { name: IndexName; value: string }
  period: { from: string; to: string }
}

interface JsonHistoryHead extends JsonHistoryQuestion {
  format: typeof HISTORY_FORMAT
  range: { from: string; to: string; size: string; path: string }
  anchor: JsonAnchor
}

export interface JsonHistory extends JsonHistoryHead {
  batches: JsonHistoryBatch[]
}

export const toJsonQuestion = ({ key, period }: HistoryQuestion): JsonHistoryQuestion => ({
  key: { name: key.name, value: key.value },
  period: { from: String(period.from), to: String(period.to) },
})

export const toJsonHistoryHead = ({ range, anchor, ...question }: HistoryHead): JsonHistoryHead => ({
  format: HISTORY_FORMAT,
  ...toJsonQuestion(question),
  range: {
    from: String(range.from),
    to: String(range.to),
    size: String(range.size),
    path: packPath(range.path),
  },
  anchor: toJsonAnchor(anchor),
})

export const toJsonHistory = ({ batches, ...head }: History): JsonHistory => ({
  ...toJsonHistoryHead(head),
  batches: batches.map(toJsonHistoryBatch),
})

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
  const range = members(parts.range, 'range', ['from', 'to', 'size', 'path'])
  return {
    ...parseQuestion(parts),
    range: {
      from: uint64(range.from, 'range.from'),
      to: uint64(range.to, 'range.to'),
      size: uint64(range.size, 'range.size'),
      path: packedPath(range.path, 'range.path'),
    },
    anchor: parseAnchor(parts.anchor),
    batches: list(parts.batches, 'batches').map((batch, i) => parseHistoryBatch(batch, `batches/${i}`)),
  }
}

export function parseQuestion(parts: { key: unknown; period: unknown }): HistoryQuestion {
  const key = members(parts.key, 'key', ['name', 'value'])
  return {
    key: { name: indexName(key.name), value: text(key.value, 'key.value') },
    period: parsePeriod(parts.period),
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
