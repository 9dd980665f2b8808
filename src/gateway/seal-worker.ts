import { serialize } from 'node:v8'
import { type Header, sealPrepared } from '../batch/index.ts'
import type { Hex } from '../bytes/hex.ts'
import { answerJobs } from '../store/background-job.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { compress } from '../store/compression.ts'
import { readSegment, type Segment } from '../store/write-ahead-log.ts'
import { decodeBody, decodeLogEntry } from './log-entry.ts'

/** Seals one segment of the log into the batch of the same number. */
export interface SealJob {
  segment: Segment
  publisher: Hex
  batchesPath: string
}

export interface SealResult {
  header: Header
  /** in their order, some at a time, as V8 serialises them: reading them all at once would hold up the receiver */
  submissions: Uint8Array[]
}

const SUBMISSIONS_AT_ONCE = 256

answerJobs<SealJob, SealResult>(async ({ segment, publisher, batchesPath }) => {
  const folder = new BatchFolder(batchesPath)
  const entries = (await readSegment(segment, 'whole')).map(decodeLogEntry)
  const submissions: Uint8Array[] = []
  for (let first = 0; first < entries.length; first += SUBMISSIONS_AT_ONCE) {
    const some = entries.slice(first, first + SUBMISSIONS_AT_ONCE)
    submissions.push(serialize(some.map(({ submission }) => submission)))
  }
  // A crash may have come between the batch and its row in the catalogue: what is sealed stays as it is.
  if (await folder.has(publisher, segment.number)) {
    return { header: await folder.loadHeader(publisher, segment.number), submissions }
  }
  const sealed = sealPrepared(
    publisher,
    segment.number,
    entries.map(({ submission, body }) => ({
      ...submission,
      signature: submission.voucher.by === 'signed' ? submission.voucher.signature : null,
      ...decodeBody(body),
    })),
    compress,
  )
  await folder.save(sealed)
  return { header: sealed.header, submissions }
})
