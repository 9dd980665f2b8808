import { readFile } from 'node:fs/promises'
import {
  type BatchFileName,
  encodeHeader,
  FrameReader,
  type Header,
  verifyRecords,
  verifySources,
} from '../batch/index.ts'
import { equalBytes } from '../bytes/bytes.ts'
import type { Hex } from '../bytes/hex.ts'
import type { SigningDomain } from '../chain/signing.ts'
import { InputError, OperationError, VerificationError } from '../errors.ts'
import { encodeTiles } from '../merkle/index.ts'
import type { FlowRecord } from '../record/index.ts'
import { answerJobs } from '../store/background-job.ts'
import { BatchFolder, type OpenBatch } from '../store/batch-folder.ts'
import { isMissing } from '../store/durable.ts'
import { partsOf } from '../store/stats.ts'
import { Aggregate } from './aggregate.ts'
import {
  type Findings,
  findBadRecords,
  findRepeated,
  grantHere,
  recoverSigners,
  runHere,
} from './findings.ts'
import { saveRecordKeys } from './record-keys.ts'

/** Recomputes a batch from its files and holds it against the header that the chain holds. */
export interface CheckJob {
  batchesPath: string
  header: Header
  domain: SigningDomain
  /** which contract decides on grants, if any does */
  authorizations?: Hex
  /** where the keys of its records are kept, if they are (see `saveRecordKeys`) */
  keysPath?: string
}

/** What a batch holds and adds to the counts (see `partsOf`), or why it must not be shown: its files contradict the header, are not there, or cannot be read now. */
export type CheckResult =
  | { state: 'verified'; findings: Findings; counts: string[] }
  | { state: 'withheld' | 'unread'; reason: string }
  | { state: 'fraud'; kind: FraudKind; reason: string; positions: number[] }

/** `bad-record`: the header commits to a record that is none; `foreign-signature`: one is nobody's. */
export type FraudKind = 'fraud' | 'bad-record' | 'foreign-signature'

answerJobs<CheckJob, CheckResult>(async (job) => {
  try {
    return { state: 'verified', ...(await checkBatch(job)) }
  } catch (error) {
    if (error instanceof VerificationError || error instanceof InputError) {
      return { state: 'fraud', reason: error.message, ...(await explain(job, error.code)) }
    }
    if (error instanceof OperationError && error.code === 'STORE_DAMAGED') {
      return { state: 'fraud', kind: 'fraud', reason: error.message, positions: [] }
    }
    const { message, cause, syscall } = error as Error & { syscall?: unknown }
    if (isMissing(error) || isMissing(cause)) return { state: 'withheld', reason: message }
    if (syscall === undefined && !(error instanceof OperationError)) throw error
    return { state: 'unread', reason: `could not read batch ${job.header.sequence}: ${message}` }
  }
})

async function checkBatch({ batchesPath, header, domain, authorizations, keysPath }: CheckJob) {
  const folder = new BatchFolder(batchesPath)
  const files = await folder.open(header.publisher, header.sequence)
  try {
    const aggregate = new Aggregate()
    const sources: string[] = []
    const runs: Findings['runs'] = []
    const grantOf = (record: FlowRecord, position: number) =>
      authorizations === undefined
        ? undefined
        : grantHere(record, position, { chainId: domain.chainId, contract: authorizations })
    const grants: Findings['grants'] = []
    const reader = new FrameReader((facts, record) => {
      const run = record && runHere(record, sources.length, domain)
      if (run !== undefined) runs.push(run)
      const grant = record && grantOf(record, sources.length)
      if (grant !== undefined) grants.push(grant)
      aggregate.add(facts)
      sources.push(facts.source)
    })
    for await (const { text, isLast } of files.frames()) {
      reader.read(text, isLast)
      // Of a file that holds more than the header says, nothing more needs to be read.
      if (reader.count > header.recordCount) break
    }
    const records = reader.finish()
    const { leafHashes, indexFile } = verifyRecords(header, records)
    // Answers and proofs are read from these two files, so they must be what the records give.
    await expectFile(files, 'index.bin', indexFile)
    await expectFile(files, 'tree.bin', encodeTiles(leafHashes))
    const submissions = await folder.loadSubmissions(header)
    verifySources(submissions, sources)
    const signed = recoverSigners(submissions, leafHashes, domain)
    if (
      !equalBytes(
        encodeHeader(await folder.loadHeader(header.publisher, header.sequence)),
        encodeHeader(header),
      )
    ) {
      throw new VerificationError('BATCH_MISMATCH', 'header.json is not the header that the chain holds')
    }
    if (keysPath !== undefined) await saveRecordKeys(keysPath, header, records)
    const findings: Findings = {
      submissions: signed,
      repeated: findRepeated(records, indexFile),
      runs,
      grants,
    }
    return { findings, counts: partsOf(aggregate.finish()) }
  } finally {
    await files.close()
  }
}

/** Tells a header that commits to what is no record from files that somebody has changed. */
async function explain(
  { batchesPath, header }: CheckJob,
  code: string,
): Promise<{ kind: FraudKind; positions: number[] }> {
  if (code === 'BAD_SIGNATURE') return { kind: 'foreign-signature', positions: [] }
  if (code !== 'MALFORMED_RECORD' && code !== 'BAD_DISCLOSURE') return { kind: 'fraud', positions: [] }
  const files = await new BatchFolder(batchesPath).open(header.publisher, header.sequence)
  try {
    const positions = await findBadRecords(files.lines(), header)
    return positions === undefined ? { kind: 'fraud', positions: [] } : { kind: 'bad-record', positions }
  } catch (error) {
    if (error instanceof OperationError || error instanceof VerificationError) {
      return { kind: 'fraud', positions: [] }
    }
    throw error
  } finally {
    await files.close()
  }
}

async function expectFile(files: OpenBatch, name: BatchFileName, expected: Uint8Array): Promise<void> {
  if (!equalBytes(await readFile(files.pathOf(name)), expected)) {
    throw new VerificationError('BATCH_MISMATCH', `${name} is not what the records give`)
  }
}
