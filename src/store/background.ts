import { type ResourceLimits, Worker } from 'node:worker_threads'
import type { OperationCode } from '../errors.ts'
import {
  type InputCode,
  InputError,
  OperationError,
  type VerificationCode,
  VerificationError,
} from '../errors.ts'

/** Work done in a thread of its own, so that the event loop stays free; jobs run one after the other. */
export interface Background<Job, Result> {
  /** @param transfer memory of the job that changes hands instead of being copied */
  run(job: Job, transfer?: ArrayBuffer[]): Promise<Result>
  stop(): Promise<void>
}

/** What crosses the thread boundary: errors lose their class on the way, so their parts travel. */
export type Answer<Result> = { result: Result } | { error: LostError }

export type Place = InputError['place']

interface LostError {
  name: string
  code: string
  message: string
  place: Place | undefined
}

/**
 * Starts a worker module that answers each message by `answerJobs`.
 *
 * A worker that dies fails its job and is replaced at the next one.
 */
export function startBackground<Job, Result>(
  module: URL,
  resourceLimits: ResourceLimits = {},
): Background<Job, Result> {
  let worker: Worker | undefined
  let last: Promise<unknown> = Promise.resolve()

  async function runNow(job: Job, transfer: ArrayBuffer[]): Promise<Result> {
    worker ??= new Worker(module, { resourceLimits })
    const thread = worker
    const answer = await new Promise<Answer<Result>>((resolve, reject) => {
      const settle = () => {
        thread.off('message', onAnswer).off('error', onDeath).off('exit', onDeath)
      }
      const onAnswer = (message: Answer<Result>) => {
        settle()
        resolve(message)
      }
      const onDeath = (cause: unknown) => {
        settle()
        worker = undefined
        reject(new OperationError('STORE_FAILED', 'a worker thread died', { cause }))
      }
      thread.on('message', onAnswer).on('error', onDeath).on('exit', onDeath)
      thread.postMessage(job, transfer)
    })
    if ('error' in answer) throw revive(answer.error)
    return answer.result
  }

  return {
    run(job, transfer = []) {
      const result = last.then(() => runNow(job, transfer))
      last = result.catch(() => undefined)
      return result
    },
    async stop() {
      await last
      await worker?.terminate()
      worker = undefined
    },
  }
}

function revive({ name, code, message, place }: LostError): Error {
  if (name === 'InputError') return new InputError(code as InputCode, message, place)
  if (name === 'VerificationError') return new VerificationError(code as VerificationCode, message)
  if (name === 'OperationError') return new OperationError(code as OperationCode, message)
  return new Error(message)
}
