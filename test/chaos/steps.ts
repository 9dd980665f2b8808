/**
 * The steps that a crash or a broken disk may come before or after, in the order of a submission's way.
 *
 * `acknowledgement` is the answer to the source, `receipt` the rows about the event that anchors a batch.
 */
export const DURABLE_STEPS = [
  'log create',
  'log directory sync',
  'log write',
  'log sync',
  'acknowledgement',
  'seal write',
  'seal sync',
  'seal rename',
  'seal directory sync',
  'batch row',
  'log delete',
  'intent',
  'broadcast',
  'receipt',
] as const

type DurableStep = (typeof DURABLE_STEPS)[number]

/** What changes nothing and can fail all the same. */
const READS = ['log read', 'batch read'] as const

/** The steps that a disk takes part in. */
export const DISK_STEPS = [
  'log create',
  'log directory sync',
  'log write',
  'log sync',
  'seal write',
  'seal sync',
  'seal rename',
  'seal directory sync',
  'batch row',
  'log delete',
  'intent',
  'receipt',
  ...READS,
] as const

export type StepName = DurableStep | (typeof READS)[number]

/**
 * One fault in one life of a process.
 *
 * - `kill`: SIGKILL before or after the step
 * - `EIO`, `ENOSPC`: the step fails; `before` without having been done, `after` all the same done
 * - `short`: the disk takes half of what is written, and says so by the count alone
 */
export interface Fault {
  step: StepName
  when: 'before' | 'after'
  act: 'kill' | 'EIO' | 'ENOSPC' | 'short'
  /** the first call of the step that it hits, from 1 on, */
  nth: number
  /** and how many it hits in a row */
  times: number
}

/** How faults reach the process, and where it notes those that struck, one JSON line each. */
export const FAULTS_VARIABLE = 'TIDEMARK_CHAOS_FAULTS'
export const STRUCK_VARIABLE = 'TIDEMARK_CHAOS_STRUCK'
