import { equalBytes } from '../../bytes/bytes.ts'
import { createLedger } from '../../chain/ledger.ts'
import { createRpc } from '../../chain/rpc.ts'
import { OperationError } from '../../errors.ts'
import { treeRoot } from '../../merkle/index.ts'
import {
  OFFLINE_FORMAT,
  parseBundle,
  parseSubmissionProof,
  type Receipt,
  SUBMISSION_FORMAT,
} from '../../proof/index.ts'
import { type KeptPromise, verifyReceipt } from '../../verify/index.ts'
import type { CheckOptions } from './checked.ts'
import { meansOf, nobody } from './means.ts'
import { receiptSigner } from './signatures.ts'

/** Checks a receipt; that the submission is on the chain is shown by its proof, a file beside it. */
export function checkReceipt(value: unknown, options: CheckOptions): Promise<KeptPromise> {
  const { rpcUrl, ledger, publisher, beside = [] } = options
  const { chain = nobody().chain } = meansOf(options)
  return verifyReceipt(
    value,
    chain,
    {
      signerOf: receiptSigner,
      isPublisher: async (address, account) => {
        if (rpcUrl === undefined) throw new OperationError('NOT_IN_EVIDENCE', 'no node was named to ask')
        return (await createLedger(createRpc(rpcUrl), address).publisher(account)).status !== 'none'
      },
      fetchSubmission: async (receipt) => {
        const found = beside.flatMap(readBundle).find((bundle) => isOf(bundle, receipt))
        if (found !== undefined) return found
        throw new OperationError('NOT_IN_EVIDENCE', 'the proof of its submission is not among the files', {
          retryable: false,
        })
      },
      now: Date.now,
    },
    { ...(ledger !== undefined && { ledger }), ...(publisher !== undefined && { publisher }) },
  )
}

function readBundle(text: string): unknown[] {
  if (!text.includes(SUBMISSION_FORMAT)) return []
  try {
    const value: unknown = parseBundle(text)
    return [Object(value).format === OFFLINE_FORMAT ? Object(value).bundle : value]
  } catch {
    // Another file that is no bundle is told so by itself.
    return []
  }
}

function isOf(bundle: unknown, { root, size }: Receipt): boolean {
  try {
    const { leaves } = parseSubmissionProof(bundle)
    return leaves.length === 32 * size && equalBytes(treeRoot(leaves), root)
  } catch {
    return false
  }
}
