import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { type AuditOptions, audit, type GivenReceipt } from '../../src/audit/audit.ts'
import type { AuditReport } from '../../src/audit/report.ts'
import { encodeFrames } from '../../src/batch/frames.ts'
import type { SealedBatch, WaitingSubmission } from '../../src/batch/index.ts'
import { concatBytes, utf8 } from '../../src/bytes/bytes.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { signReceipt, signSubmission } from '../../src/chain/signing.ts'
import { treeRoot } from '../../src/merkle/index.ts'
import { type Receipt, toJsonReceipt } from '../../src/proof/index.ts'
import { leafHash } from '../../src/record/index.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { PUBLISHER, publisherWallet, type TestChain } from '../chain/fixture.ts'
import { temporaryFolder } from '../store/temporary.ts'

const rootOf = ({ items }: WaitingSubmission) =>
  treeRoot(concatBytes(...items.map(({ record }) => leafHash(record))))

/** A submission with the signature of one of the development accounts. */
export async function signedBy(
  account: 'admin' | 'publisher',
  ledger: TestChain['ledger'],
  submission: WaitingSubmission,
): Promise<WaitingSubmission> {
  const signature = await signSubmission(
    devWallet(account, LOCAL_CHAIN_ID),
    { chainId: LOCAL_CHAIN_ID, ledger },
    { ...submission, root: rootOf(submission), size: BigInt(submission.items.length) },
  )
  return { ...submission, signature }
}

/** The publisher's receipt for a submission, as JSON. */
export async function receiptFor(
  ledger: TestChain['ledger'],
  submission: WaitingSubmission,
  change: Partial<Receipt> = {},
): Promise<unknown> {
  const receipt = {
    source: submission.source,
    sequence: submission.sequence,
    root: rootOf(submission),
    size: submission.items.length,
    receivedAt: submission.receivedAt,
    anchorBy: Date.UTC(2100, 0),
    chainId: LOCAL_CHAIN_ID,
    ledger,
    publisher: PUBLISHER,
    ...change,
  }
  const message = {
    ...receipt,
    size: BigInt(receipt.size),
    receivedAt: BigInt(receipt.receivedAt),
    anchorBy: BigInt(receipt.anchorBy),
  }
  return toJsonReceipt({ ...receipt, signature: await signReceipt(publisherWallet, receipt, message) })
}

/** The files of a ledger, and audits of them. */
export async function startAudits(chain: TestChain, batches: readonly SealedBatch[]) {
  const path = await temporaryFolder()
  const folder = new BatchFolder(join(path, 'batches'))
  for (const batch of batches) await folder.save(batch)
  let runs = 0
  return {
    path,
    folder,
    pathOf: (sequence: number, file = '') => join(folder.pathOf(PUBLISHER, BigInt(sequence)), file),
    /** Audits from the beginning, unless a state is named. */
    run: (options: Partial<AuditOptions> & { given?: readonly GivenReceipt[] } = {}): Promise<AuditReport> =>
      audit({
        rpc: chain.rpc,
        finality: { kind: 'depth', confirmations: 1 },
        ledger: chain.ledger,
        batches: { folder: folder.root },
        receipts: receiptsOf(options.given ?? []),
        from: 0n,
        signers: new Map(),
        statePath: join(path, `state-${runs++}`),
        threads: 1,
        now: 1_790_000_000_000 + runs,
        signal: new AbortController().signal,
        onStart: () => undefined,
        ...options,
      }),
  }
}

async function* receiptsOf(given: readonly GivenReceipt[]): AsyncGenerator<GivenReceipt> {
  yield* given
}

/** The findings of a report: which entry, what, and how certain. */
export const told = ({ findings }: AuditReport) =>
  findings.map(({ ledgerIndex, kind, verdict }) => [Number(ledgerIndex ?? -1), kind, verdict])

/** The records file of a batch with its lines changed, compressed as it should be. */
export function rewriteRecords(lines: readonly string[]): Uint8Array {
  const frames: Uint8Array[] = []
  for (let first = 0; first < lines.length; first += 256) {
    frames.push(
      utf8(
        lines
          .slice(first, first + 256)
          .map((line) => `${line}\n`)
          .join(''),
      ),
    )
  }
  return encodeFrames(frames, zstdCompressSync)
}
