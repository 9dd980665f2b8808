import { equalBytes } from '../bytes/bytes.ts'
import { VerificationError } from '../errors.ts'
import type { Header } from './header.ts'
import type { Item } from './item.ts'
import { prepareRecords, type RecordHashes } from './prepared.ts'
import { type BatchSummary, summarizeRecords } from './seal.ts'
import type { Submission } from './submission.ts'

/**
 * Recomputes a batch from its records and holds it against its header; believes neither.
 *
 * @throws {VerificationError} `BATCH_MISMATCH` naming the member of the header that is false; `BAD_DISCLOSURE`
 */
export function verifyBatch(header: Header, items: readonly Item[]): BatchSummary {
  // A count that lies is told before anything is computed.
  expectCount(header, items.length)
  return verifyRecords(header, prepareRecords(items))
}

/** The same of records that have been read. */
export function verifyRecords(header: Header, records: RecordHashes): BatchSummary {
  expectCount(header, records.count)
  const summary = summarizeRecords(records)
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
  verifySources(
    submissions,
    items.map(({ record }) => record.source),
  )
}

/** @param sources of the records, in their order */
export function verifySources(submissions: readonly Submission[], sources: readonly string[]): void {
  for (const { source, sequence, first, count } of submissions) {
    const other = sources.slice(first, first + count).find((one) => one !== source)
    if (other !== undefined) {
      throw new VerificationError(
        'BATCH_MISMATCH',
        `submission ${sequence} of ${source} holds a record of ${other}`,
      )
    }
  }
}

function expectCount({ recordCount }: Header, found: number): void {
  if (found !== recordCount) throw mismatch('recordCount', String(recordCount), String(found))
}

const mismatch = (name: string, claimed: string, found: string) =>
  new VerificationError('BATCH_MISMATCH', `the header says ${name} ${claimed}, the records say ${found}`)
