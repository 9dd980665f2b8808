import { readFile } from 'node:fs/promises'
import {
  decodeLine,
  encodeHeader,
  type Header,
  RecordPreparer,
  type Submission,
  verifyRecords,
  verifySources,
} from '../batch/index.ts'
import { equalBytes } from '../bytes/bytes.ts'
import { recoverSubmissionSigner, type SigningDomain } from '../chain/signing.ts'
import { InputError, OperationError, VerificationError } from '../errors.ts'
import { encodeTiles, HASH_SIZE, treeRoot } from '../merkle/index.ts'
import { openPseudonyms } from '../record/index.ts'
import { answerJobs } from '../store/background-job.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { isMissing } from '../store/durable.ts'

/** Recomputes a batch from its files and holds it against the header that the chain holds. */
export interface CheckJob {
  batchesPath: string
  header: Header
  domain: SigningDomain
}

/** Why a batch must not be shown: its files contradict the header, or they are not there. */
export type CheckResult = { state: 'verified' } | { state: 'fraud' | 'withheld'; reason: string }

answerJobs<CheckJob, CheckResult>(async ({ batchesPath, header, domain }) => {
  try {
    await checkBatch(new BatchFolder(batchesPath), header, domain)
    return { state: 'verified' }
  } catch (error) {
    if (error instanceof VerificationError || error instanceof InputError) {
      return { state: 'fraud', reason: error.message }
    }
    if (error instanceof OperationError && error.code === 'STORE_DAMAGED') {
      return { state: 'fraud', reason: error.message }
    }
    const { message, cause, syscall } = error as Error & { syscall?: unknown }
    if (isMissing(error) || isMissing(cause)) return { state: 'withheld', reason: message }
    // What cannot be read now may be readable later: that is nobody's fault.
    if (syscall === undefined) throw error
    throw new OperationError('STORE_FAILED', `could not read batch ${header.sequence}: ${message}`)
  }
})

async function checkBatch(folder: BatchFolder, header: Header, domain: SigningDomain): Promise<void> {
  const files = await folder.open(header.publisher, header.sequence)
  try {
    const preparer = new RecordPreparer()
    const sources: string[] = []
    for await (const lines of files.lines()) {
      for (const line of lines) {
        const { item, text } = decodeLine(line)
        preparer.add(item, openPseudonyms(item.record, item.disclosures), text)
        sources.push(item.record.source)
      }
    }
    const { leafHashes, indexFile } = verifyRecords(header, preparer.finish())
    // Answers and proofs are read from these two files, so they must be what the records give.
    await expectFile(files.pathOf('index.bin'), indexFile)
    await expectFile(files.pathOf('tree.bin'), encodeTiles(leafHashes))
    const submissions = await folder.loadSubmissions(header)
    verifySources(submissions, sources)
    verifySignatures(submissions, leafHashes, domain)
    if (
      !equalBytes(
        encodeHeader(await folder.loadHeader(header.publisher, header.sequence)),
        encodeHeader(header),
      )
    ) {
      throw new VerificationError('BATCH_MISMATCH', 'header.json is not the header that the chain holds')
    }
  } finally {
    await files.close()
  }
}

/**
 * Every signature is one of somebody over the root of its submission. Whether that key is the source's, no batch says.
 *
 * @throws {VerificationError} `BAD_SIGNATURE`
 */
function verifySignatures(
  submissions: readonly Submission[],
  leafHashes: Uint8Array,
  domain: SigningDomain,
): void {
  for (const { source, sequence, first, count, signature } of submissions) {
    if (signature === null) continue
    const root = treeRoot(leafHashes.subarray(HASH_SIZE * first, HASH_SIZE * (first + count)))
    recoverSubmissionSigner(domain, { source, sequence, root, size: BigInt(count) }, signature)
  }
}

async function expectFile(path: string, expected: Uint8Array): Promise<void> {
  if (!equalBytes(await readFile(path), expected)) {
    throw new VerificationError('BATCH_MISMATCH', `${path} is not what the records give`)
  }
}
