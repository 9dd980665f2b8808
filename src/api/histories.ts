import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Request, RequestHandler } from 'express'
import { InputError } from '../errors.ts'
import type { EvidenceMaker } from '../indexer/evidence-maker.ts'
import type { Histories, OpenHistory, OpenRunHistory } from '../indexer/history.ts'
import { INDEX_NAMES, recordValue } from '../lookup/index.ts'
import {
  ALWAYS,
  HISTORY_MEDIA_TYPE,
  type HistoryQuestion,
  OFFLINE_MEDIA_TYPE,
  packPath,
  toJsonHistoryBatch,
  toJsonHistoryHead,
  toJsonHistoryPart,
  toJsonRunHistoryHead,
} from '../proof/index.ts'
import type { Access } from './access.ts'
import { withEvidence } from './offline.ts'
import {
  END_OF_TIME,
  optionalFlag,
  optionalPseudonyms,
  optionalUint64,
  requiredText,
  timeRange,
} from './query.ts'

/**
 * GET /v1/histories?person=[&from=&to=&runs=true&evidence=true]: all records under a key, and the proof that there are
 * no others.
 */
export const getHistory =
  (histories: Histories, evidence: EvidenceMaker, access: Access): RequestHandler =>
  async (request, response) => {
    const viewer = access.viewerOf(request)
    const wanted = {
      key: readKey(request),
      period: readPeriod(request),
      first: optionalUint64(request, 'first'),
      end: optionalUint64(request, 'end'),
      disclose: optionalPseudonyms(request),
    }
    const person = wanted.key.name === 'person' ? wanted.key.value : undefined
    if (person !== undefined || wanted.disclose.length > 0) access.expectPerson(viewer, person)
    const isOffline = optionalFlag(request, 'evidence')
    const { head, chunks } = optionalFlag(request, 'runs')
      ? spellRuns(histories.openRuns(wanted))
      : spell(histories.open(wanted))
    const text = isOffline
      ? withEvidence(chunks, await evidence.ofAnchor({ anchor: head.anchor, size: head.range.size }))
      : chunks
    response.type(isOffline ? OFFLINE_MEDIA_TYPE : HISTORY_MEDIA_TYPE)
    try {
      await pipeline(Readable.from(text), response)
    } catch (error) {
      // The client left; whoever reads what came so far finds no JSON.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
    }
  }

const spell = (opened: OpenHistory) => ({ head: opened.head, chunks: chunksOf(opened) })

const spellRuns = (opened: OpenRunHistory) => ({ head: opened.head, chunks: runChunksOf(opened) })

/** The text of a history, a batch at a time. */
async function* chunksOf({ head, batches }: OpenHistory): AsyncGenerator<string> {
  yield `${JSON.stringify(toJsonHistoryHead(head)).slice(0, -1)},"batches":[`
  let separator = ''
  for await (const batch of batches) {
    yield `${separator}${JSON.stringify(toJsonHistoryBatch(batch))}`
    separator = ','
  }
  yield ']}'
}

/** The same of a history over runs; its path is known when all parts are. */
async function* runChunksOf({ head, parts, path }: OpenRunHistory): AsyncGenerator<string> {
  yield `${JSON.stringify(toJsonRunHistoryHead(head)).slice(0, -1)},"parts":[`
  let separator = ''
  for await (const part of parts) {
    yield `${separator}${JSON.stringify(toJsonHistoryPart(part))}`
    separator = ','
  }
  yield `],"path":${JSON.stringify(packPath(path()))}}`
}

function readKey(request: Request): HistoryQuestion['key'] {
  const given = INDEX_NAMES.filter((name) => request.query[name] !== undefined)
  const [name] = given
  if (name === undefined || given.length > 1) {
    throw new InputError('BAD_ARGUMENT', `give exactly one of ${INDEX_NAMES.join(', ')}`)
  }
  const value = requiredText(request, name)
  if (!value.isWellFormed()) throw new InputError('BAD_ARGUMENT', `${name} holds half of a surrogate pair`)
  return name === 'record'
    ? { name, value: recordValue(requiredText(request, 'source'), value) }
    : { name, value }
}

function readPeriod(request: Request): HistoryQuestion['period'] {
  const { fromMs, toMs } = timeRange(request)
  return { from: BigInt(fromMs), to: toMs === END_OF_TIME ? ALWAYS.to : BigInt(toMs) }
}
