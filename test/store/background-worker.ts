import { InputError, OperationError, VerificationError } from '../../src/errors.ts'
import { answerJobs } from '../../src/store/background-job.ts'

/** What the worker of the tests does on demand. */
export type TestJob =
  | { kind: 'echo'; value: unknown }
  | { kind: 'spin'; ms: number }
  | { kind: 'fail'; name: string; code: string }
  | { kind: 'die'; how: 'exit' | 'throw' }

answerJobs<TestJob, unknown>(async (job) => {
  if (job.kind === 'echo') return job.value
  if (job.kind === 'fail') throw failure(job.name)
  if (job.kind === 'spin') {
    for (const end = performance.now() + job.ms; performance.now() < end; );
    return job.ms
  }
  if (job.how === 'exit') process.exit(7)
  setImmediate(() => {
    throw new Error('out of the blue')
  })
  return new Promise(() => undefined)
})

function failure(name: string): Error {
  const message = `as ${name}`
  if (name === 'InputError') return new InputError('BAD_RECORD', message)
  if (name === 'VerificationError') return new VerificationError('BATCH_MISMATCH', message)
  if (name === 'OperationError') return new OperationError('STORE_DAMAGED', message, { retryable: false })
  return new Error(message)
}
