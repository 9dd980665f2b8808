import { type Header, sealBatch } from '../batch/index.ts'
import type { Hex } from '../bytes/hex.ts'
import { answerJobs } from '../store/background-job.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { compress } from '../store/compression.ts'
import type { AcceptedSubmission } from '../store/sealed-batches.ts'
import { readSegment, type Segment } from '../store/write-ahead-log.ts'
import { decodeLogEntry } from './log-entry.ts'

/** Seals one segment of the log into the batch of the same number. */
export interface SealJob {
  segment: Segment
  publisher: Hex
  batchesPath: string
}

export interface SealResult {
  header: Header
  submissions: AcceptedSubmission[]
}

answerJobs<SealJob, SealResult>(async ({ segment, publisher, batchesPath }) => {
  const folder = new BatchFolder(batchesPath)
  const entries = (await readSegment(segment, 'whole')).map(decodeLogEntry)
  const submissions = entries.map((entry) => entry.submission)
  // A crash may have come between the batch and its row in the catalogue: what is sealed stays as it is.
  if (await folder.has(publisher, segment.number)) {
    return { header: await folder.loadHeader(publisher, segment.number), submissions }
  }
  const sealed = sealBatch(
    publisher,
    segment.number,
    entries.map(({ submission, draft }) => ({
      ...submission,
      signature: submission.voucher.by === 'signed' ? submission.voucher.signature : null,
      items: draft.items,
      vault: draft.vault,
    })),
    compress,
  )
  await folder.save(sealed)
  return { header: sealed.header, submissions }
})
