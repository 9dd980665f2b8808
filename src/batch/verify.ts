import { equalBytes } from '../bytes/bytes.ts'
import { VerificationError } from '../errors.ts'
import type { Header } from './header.ts'
import type { Item } from './item.ts'
import { type BatchSummary, summarizeBatch } from './seal.ts'
import type { Submission } from './submission.ts'

/**
 * Recomputes a batch from its records and holds it against its header; believes neither.
 *
 * @throws {VerificationError} `BATCH_MISMATCH` naming the member of the header that is false; `BAD_DISCLOSURE`
 */
export function verifyBatch(header: Header, items: readonly Item[]): BatchSummary {
  if (items.length !== header.recordCount) {
    throw mismatch('recordCount', String(header.recordCount), String(items.length))
  }
  const summary = summarizeBatch(items)
  for (const name of ['recordsRoot', 'indexRoot'] as const) {
    if (!equalBytes(summary[name], header[name])) {
      throw new VerificationError('BATCH_MISMATCH', `the records do not give the ${name} of the header`)
    }
  }
  for (const name of ['indexSize', 'firstTime', 'lastTime'] as const) {
    if (summary[name] !== header[name]) throw mismatch(name, String(header[name]), String(summary[name]))
  }
  return summary
}

/** @throws {VerificationError} `BATCH_MISMATCH` when a record stands in another source's submission */
export function verifySubmissions(submissions: readonly Submission[], items: readonly Item[]): void {
  for (const { source, sequence, first, count } of submissions) {
    for (const { record } of items.slice(first, first + count)) {
      if (record.source !== source) {
        throw new VerificationError(
          'BATCH_MISMATCH',
          `submission ${sequence} of ${source} holds a record of ${record.source}`,
        )
      }
    }
  }
}

const mismatch = (name: string, claimed: string, found: string) =>
  new VerificationError('BATCH_MISMATCH', `the header says ${name} ${claimed}, the records say ${found}`)
