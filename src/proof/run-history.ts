import { type Header, packHeader, unpackHeader } from '../batch/index.ts'
import { toBase64url } from '../bytes/base64url.ts'
import type { LookupProof } from '../lookup/index.ts'
import type { FlowRecord } from '../record/index.ts'
import { type Anchor, type JsonAnchor, parseAnchor, toJsonAnchor } from './anchored.ts'
import { type HistoryQuestion, type JsonHistoryQuestion, parseQuestion, toJsonQuestion } from './history.ts'
import {
  type HistoryBatch,
  type JsonHistoryBatch,
  type JsonLookup,
  packPath,
  parseHistoryBatch,
  parseLookup,
  toJsonHistoryBatch,
  toJsonLookup,
} from './history-batch.ts'
import { expectFormat, list, members, packed, packedPath, sealedRecord, uint32, uint64 } from './members.ts'

export const RUN_HISTORY_FORMAT = 'tidemark-history/2'

/** The record that says what a run's index is, and where the ledger holds it. */
export interface ShownRun {
  record: FlowRecord
  /** in its batch */
  inclusion: { index: number; path: Uint8Array[] }
  /** of its batch, and the place of that in the ledger's log */
  header: Header
  entry: bigint
}

/** A stretch of the ledger for which the index of a run speaks: only the batches that it names are shown. */
export interface HistoryRun {
  run: ShownRun
  /** in the run's index */
  lookup: LookupProof
  /** one for each of its positions */
  batches: HistoryBatch[]
}

export type HistoryPart = HistoryBatch | HistoryRun

/** All but the parts of a history over runs, and what completes their headers. */
export interface RunHistoryHead extends HistoryQuestion {
  /** ledger entries `from` up to `to`, and the headers of the log after the anchor's transaction */
  range: { from: bigint; to: bigint; size: bigint }
  /** of the last header that is shown */
  anchor: Anchor
}

/** A history whose range is in part looked up in runs (docs/format.md, "History over runs"). */
export interface RunHistory extends RunHistoryHead {
  /** they follow each other in the range without a gap */
  parts: HistoryPart[]
  /** the subset path of all headers shown in the log of `range.size` */
  path: Uint8Array[]
}

interface JsonRunHistoryHead extends JsonHistoryQuestion {
  format: typeof RUN_HISTORY_FORMAT
  range: { from: string; to: string; size: string }
  anchor: JsonAnchor
}

/** As JSON: bytes in base64url, except in the anchor and the records. */
export interface JsonHistoryRun {
  run: { record: FlowRecord; index: number; path: string; header: string; entry: string }
  lookup: JsonLookup
  batches: JsonHistoryBatch[]
}

export interface JsonRunHistory extends JsonRunHistoryHead {
  parts: (JsonHistoryBatch | JsonHistoryRun)[]
  path: string
}

export const toJsonRunHistoryHead = ({ range, anchor, ...question }: RunHistoryHead): JsonRunHistoryHead => ({
  format: RUN_HISTORY_FORMAT,
  ...toJsonQuestion(question),
  range: { from: String(range.from), to: String(range.to), size: String(range.size) },
  anchor: toJsonAnchor(anchor),
})

export const toJsonHistoryPart = (part: HistoryPart): JsonHistoryBatch | JsonHistoryRun => {
  if (!('run' in part)) return toJsonHistoryBatch(part)
  const { run, lookup, batches } = part
  return {
    run: {
      record: run.record,
      index: run.inclusion.index,
      path: packPath(run.inclusion.path),
      header: toBase64url(packHeader(run.header)),
      entry: String(run.entry),
    },
    lookup: toJsonLookup(lookup),
    batches: batches.map(toJsonHistoryBatch),
  }
}

export const toJsonRunHistory = ({ parts, path, ...head }: RunHistory): JsonRunHistory => ({
  ...toJsonRunHistoryHead(head),
  parts: parts.map(toJsonHistoryPart),
  path: packPath(path),
})

/**
 * Reads a history over runs; exactly its members, each value in its one spelling.
 *
 * @param value parsed JSON
 * @throws {InputError} `BAD_BUNDLE` when it is none at all
 * @throws {VerificationError} `MALFORMED_BUNDLE`, `MALFORMED_HEADER` or `MALFORMED_RECORD`
 */
export function parseRunHistory(value: unknown): RunHistory {
  expectFormat(value, RUN_HISTORY_FORMAT)
  const whole = members(value, 'the history', ['format', 'key', 'period', 'range', 'anchor', 'parts', 'path'])
  const range = members(whole.range, 'range', ['from', 'to', 'size'])
  return {
    ...parseQuestion(whole),
    range: {
      from: uint64(range.from, 'range.from'),
      to: uint64(range.to, 'range.to'),
      size: uint64(range.size, 'range.size'),
    },
    anchor: parseAnchor(whole.anchor),
    parts: list(whole.parts, 'parts').map((part, i) => parsePart(part, `parts/${i}`)),
    path: packedPath(whole.path, 'path'),
  }
}

function parsePart(value: unknown, place: string): HistoryPart {
  if (typeof value !== 'object' || value === null || !('run' in value)) return parseHistoryBatch(value, place)
  const part = members(value, place, ['run', 'lookup', 'batches'])
  const run = members(part.run, `${place}/run`, ['record', 'index', 'path', 'header', 'entry'])
  return {
    run: {
      record: sealedRecord(run.record),
      inclusion: {
        index: uint32(run.index, `${place}/run/index`),
        path: packedPath(run.path, `${place}/run/path`),
      },
      header: unpackHeader(packed(run.header, `${place}/run/header`)),
      entry: uint64(run.entry, `${place}/run/entry`),
    },
    lookup: parseLookup(part.lookup, `${place}/lookup`),
    batches: list(part.batches, `${place}/batches`).map((batch, i) =>
      parseHistoryBatch(batch, `${place}/batches/${i}`),
    ),
  }
}
