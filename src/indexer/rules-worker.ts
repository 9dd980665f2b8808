import { DatabaseSync } from 'node:sqlite'
import type { Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { RuleEngine } from '../rules/engine.ts'
import { RULES } from '../rules/index.ts'
import type { Finding, SeenSubmission } from '../rules/rule.ts'
import { seenOf } from '../rules/seen.ts'
import type { Settings } from '../rules/settings.ts'
import { answerJobs } from '../store/background-job.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { RightsIndex } from './rights-index.ts'

/** Keeps the rules at work over verified batches, from one job to the next. */
export type RulesJob =
  /** from nothing; `startsLate`: batches before the first are not read */
  | { kind: 'begin'; settings: Settings; startsLate: boolean; cataloguePath: string }
  | ReadJob
  /** see `RuleEngine` */
  | { kind: 'tick'; nowMs: number; isIdle: boolean }

export interface ReadJob {
  kind: 'read'
  batchesPath: string
  batch: { publisher: Hex; sequence: bigint }
  /** those of one source in the order of their numbers */
  submissions: SubmissionInBatch[]
  /** whether its records are read, or those that the submissions begin with alone */
  records: boolean
  /** milliseconds since 1970: nothing has happened later */
  nowMs: number
  /** see `RuleEngine` */
  isWhole: boolean
}

export interface SubmissionInBatch extends Omit<SeenSubmission, 'first' | 'place'> {
  /** position of its first record */
  position: number
}

let engine: RuleEngine | undefined
let index: RightsIndex | undefined

answerJobs<RulesJob, Finding[]>(async (job) => {
  if (job.kind === 'begin') {
    const { settings, startsLate, cataloguePath } = job
    index ??= new RightsIndex(new DatabaseSync(cataloguePath, { readOnly: true }))
    engine = new RuleEngine(RULES, { settings, startsLate, index })
    return []
  }
  index?.refresh()
  // A thread that died took with it what its engine remembered.
  if (engine === undefined) throw new OperationError('STORE_FAILED', 'the rules have to begin anew')
  return job.kind === 'tick' ? [...engine.tick(job.nowMs, job.isIdle)] : read(engine, job)
})

async function read(
  rules: RuleEngine,
  { batchesPath, batch, submissions, records, nowMs, isWhole }: ReadJob,
): Promise<Finding[]> {
  const found: Finding[] = []
  const folder = await new BatchFolder(batchesPath).open(batch.publisher, batch.sequence)
  try {
    rules.isWhole = isWhole
    let position = 0
    if (records) {
      for await (const { record, disclosures } of folder.items()) {
        const seen = seenOf(record, disclosures)
        // A clock that is ahead must not make time pass for everybody.
        const timeMs = Math.min(seen.timeMs, nowMs)
        found.push(...rules.record({ ...seen, timeMs, place: { batch, position: position++ } }, nowMs))
      }
    }
    for (const { position, ...submission } of submissions) {
      const { record } = await folder.item(position)
      found.push(...rules.submission({ ...submission, first: record.id, place: { batch, position } }))
    }
    return found
  } finally {
    await folder.close()
  }
}
