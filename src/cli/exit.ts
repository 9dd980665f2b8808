import { InputError, OperationError, VerificationError } from '../errors.ts'

/** The exit codes of every command. "Refuted" and "could not check" are never confused. */
export const EXIT = { ok: 0, refuted: 1, malformed: 2, couldNotCheck: 3, fault: 70 } as const

export function exitCodeOf(error: unknown): number {
  if (error instanceof VerificationError) return EXIT.refuted
  if (error instanceof InputError) return EXIT.malformed
  if (error instanceof OperationError) return EXIT.couldNotCheck
  return EXIT.fault
}

/** What a person sees of an error, and what `--json` prints. */
export function describeError(error: unknown): { code: string; message: string; [place: string]: unknown } {
  if (error instanceof InputError) return { code: error.code, message: error.message, ...error.place }
  if (error instanceof VerificationError) {
    return { code: error.code, message: error.message, ...(error.step !== undefined && { step: error.step }) }
  }
  if (error instanceof OperationError)
    return { code: error.code, message: error.message, retryable: error.retryable }
  return { code: 'FAULT', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}
