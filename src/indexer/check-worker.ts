import { readFile } from 'node:fs/promises'
import {
  encodeHeader,
  type Header,
  type Item,
  type Submission,
  verifyBatch,
  verifySubmissions,
} from '../batch/index.ts'
import { equalBytes } from '../bytes/bytes.ts'
import { recoverSubmissionSigner, type SigningDomain } from '../chain/signing.ts'
import { InputError, OperationError, VerificationError } from '../errors.ts'
import { encodeTiles, HASH_SIZE, treeRoot } from '../merkle/index.ts'
import { answerJobs } from '../store/background-job.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import type { BatchAggregate } from '../store/stats.ts'
import { aggregate } from './aggregate.ts'

/** Recomputes a batch from its files and holds it against the header that the chain holds. */
export interface CheckJob {
  batchesPath: string
  header: Header
  domain: SigningDomain
}

/** What a whole batch adds to the counts; or why it must not be shown: its files contradict the header, or are not there. */
export type CheckResult =
  | { state: 'verified'; aggregate: BatchAggregate }
  | { state: 'fraud' | 'withheld'; reason: string }

answerJobs<CheckJob, CheckResult>(async ({ batchesPath, header, domain }) => {
  try {
    const items = await checkBatch(new BatchFolder(batchesPath), header, domain)
    return { state: 'verified', aggregate: aggregate(items) }
  } catch (error) {
    if (error instanceof VerificationError || error instanceof InputError) {
      return { state: 'fraud', reason: error.message }
    }
    if (error instanceof OperationError && error.code === 'STORE_DAMAGED') {
      return { state: 'fraud', reason: error.message }
    }
    if (error instanceof OperationError) return { state: 'withheld', reason: error.message }
    throw error
  }
})

async function checkBatch(folder: BatchFolder, header: Header, domain: SigningDomain): Promise<Item[]> {
  const files = await folder.open(header.publisher, header.sequence)
  try {
    const items: Item[] = []
    for await (const item of files.items()) items.push(item)
    const { leafHashes, indexFile } = verifyBatch(header, items)
    // Answers and proofs are read from these two files, so they must be what the records give.
    await expectFile(files.pathOf('index.bin'), indexFile)
    await expectFile(files.pathOf('tree.bin'), encodeTiles(leafHashes))
    const submissions = await folder.loadSubmissions(header)
    verifySubmissions(submissions, items)
    verifySignatures(submissions, leafHashes, domain)
    if (
      !equalBytes(
        encodeHeader(await folder.loadHeader(header.publisher, header.sequence)),
        encodeHeader(header),
      )
    ) {
      throw new VerificationError('BATCH_MISMATCH', 'header.json is not the header that the chain holds')
    }
    return items
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
