import { decodeHeader } from '../batch/index.ts'
import { OperationError } from '../errors.ts'
import type { Figures, Period, SharedResource } from '../rules/departments.ts'
import { answerJobs } from '../store/background-job.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { MonthCounts } from './month-counts.ts'

/** Counts are kept in the thread from job to job, under a number. */
export type FiguresJob =
  | { kind: 'begin'; counts: number; period: Period; batchesPath: string; workPath: string }
  /** a batch by its header, as the chain spells it */
  | { kind: 'add'; counts: number; header: Uint8Array }
  | { kind: 'figures'; counts: number; shared: SharedResource[] | null }
  | { kind: 'forget'; counts: number }

const known = new Map<number, { counts: MonthCounts; folder: BatchFolder }>()

answerJobs<FiguresJob, Figures | undefined>(async (job) => {
  if (job.kind === 'begin') {
    const { period, workPath, batchesPath } = job
    known.set(job.counts, {
      counts: new MonthCounts(period, { folder: workPath }),
      folder: new BatchFolder(batchesPath),
    })
    return undefined
  }
  const month = known.get(job.counts)
  if (job.kind === 'forget') {
    known.delete(job.counts)
    await month?.counts.close()
    return undefined
  }
  // The thread that had it died.
  if (month === undefined) throw new OperationError('STORE_FAILED', 'the counts of a month were lost')
  if (job.kind === 'figures') return month.counts.figures(job.shared ?? undefined)
  await month.counts.add(month.folder, decodeHeader(job.header))
  return undefined
})
