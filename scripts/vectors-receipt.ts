import type { Hex } from '../src/bytes/hex.ts'
import { devWallet } from '../src/chain/dev-accounts.ts'
import { signReceipt, signSubmission } from '../src/chain/signing.ts'
import {
  type JsonSubmissionProof,
  type Receipt,
  type ReceiptTrust,
  type Trust,
  toHex,
  toJsonReceipt,
  verifySubmission,
} from '../src/index.ts'
import { CHAIN_ID, type ChainData, factsOf, LEDGER } from '../test/verify/chain.ts'
import { worldOf } from '../test/verify/world.ts'
import { add, type Patch, remove, replace } from './vectors-patch.ts'

const bytes = (size: number) => `0x${'77'.repeat(size)}`

/** The step of the refusal, or the family of the error where there is no step; its code; what was done, and how. */
export type Altered = readonly (readonly [stepOrFamily: string, code: string, name: string, ...Patch[]])[]

export const toJsonAltered = (altered: Altered) =>
  altered.map(([stepOrFamily, code, name, ...patches]) =>
    /^[A-Z]/.test(stepOrFamily)
      ? { name, patches, error: stepOrFamily, code }
      : { name, patches, error: 'VerificationError', step: stepOrFamily, code },
  )

export interface SubmissionSubject {
  submission: JsonSubmissionProof
  chain: ChainData
  trust: Trust
}

export interface ReceiptSubject {
  receipt: ReturnType<typeof toJsonReceipt>
  /** null when who must know says that the ledger does not hold it */
  submission: JsonSubmissionProof | null
  chain: ChainData
  /** whom the ledger knows */
  publishers: Hex[]
  trust: ReceiptTrust
  nowMs: number
}

const ALTERED_SUBMISSIONS: Altered = [
  ['InputError', 'BAD_BUNDLE', 'another format', replace('/submission/format', 'tidemark-proof/1')],
  ['read', 'MALFORMED_BUNDLE', 'a member more', add('/submission/extra', null)],
  ['read', 'MALFORMED_BUNDLE', 'a leaf of 31 bytes', replace('/submission/leaves/0', bytes(31))],
  ['read', 'MALFORMED_BUNDLE', 'a place as a text', replace('/submission/range/first', '2')],
  ['read', 'MALFORMED_HEADER', 'a header with a member more', add('/submission/batch/extra', 1)],
  ['batch', 'BATCH_MISMATCH', 'no leaves', replace('/submission/leaves', [])],
  ['batch', 'ROOT_MISMATCH', 'another leaf', replace('/submission/leaves/1', bytes(32))],
  ['batch', 'MALFORMED_PATH', 'a path that is too short', remove('/submission/range/path/0')],
  ['batch', 'MALFORMED_PATH', 'a path that is too long', add('/submission/range/path/0', bytes(32))],
  ['batch', 'ROOT_MISMATCH', 'another path', replace('/submission/range/path/0', bytes(32))],
  ['batch', 'INDEX_OUT_OF_RANGE', 'a place beyond the batch', replace('/submission/range/first', 5)],
  ['anchor', 'WRONG_LEDGER', 'another ledger', replace('/trust/ledger', bytes(20))],
  ['anchor', 'HEADER_MISMATCH', 'another sequence', replace('/submission/batch/sequence', '9')],
  ['log', 'HEADER_MISMATCH', 'another size of the log', replace('/submission/log/size', '3')],
  ['OperationError', 'NOT_FINAL', 'a block that is not final yet', replace('/chain/finalBlock', '1')],
]

const ALTERED_RECEIPTS: Altered = [
  ['InputError', 'BAD_BUNDLE', 'another format', replace('/receipt/format', 'tidemark-receipt/2')],
  ['read', 'MALFORMED_BUNDLE', 'a member more', add('/receipt/extra', null)],
  ['read', 'MALFORMED_BUNDLE', 'a member less', remove('/receipt/anchorBy')],
  ['read', 'MALFORMED_BUNDLE', 'a number where a decimal string stands', replace('/receipt/size', 3)],
  ['read', 'MALFORMED_BUNDLE', 'a time beyond 2^53 - 1', replace('/receipt/anchorBy', '9007199254740992')],
  ['publisher', 'BAD_SIGNATURE', 'another source', replace('/receipt/source', 'urn:other')],
  ['publisher', 'BAD_SIGNATURE', 'a later promise', replace('/receipt/anchorBy', '1790000600001')],
  ['publisher', 'BAD_SIGNATURE', 'another publisher', replace('/receipt/publisher', bytes(20))],
  [
    'publisher',
    'BAD_SIGNATURE',
    'a signature of nobody',
    replace('/receipt/signature', `0x${'ff'.repeat(64)}1b`),
  ],
  ['publisher', 'WRONG_LEDGER', 'an unexpected ledger', replace('/trust/ledger', bytes(20))],
  ['publisher', 'WRONG_PUBLISHER', 'an unexpected publisher', replace('/trust/publisher', bytes(20))],
  ['publisher', 'WRONG_CHAIN', 'another chain', replace('/chain/chainId', '1')],
  ['publisher', 'WRONG_PUBLISHER', 'a publisher whom the ledger does not know', replace('/publishers', [])],
  ['submission', 'ROOT_MISMATCH', 'a false proof', replace('/submission/leaves/1', bytes(32))],
  [
    'promise',
    'PROMISE_BROKEN',
    'a block of after the time',
    replace('/chain/blocks/2/timestamp', '1790000601'),
  ],
  [
    'promise',
    'PROMISE_BROKEN',
    'nothing on the chain after the time',
    replace('/submission', null),
    replace('/nowMs', 1_790_000_600_001),
  ],
  ['OperationError', 'NOT_YET', 'nothing on the chain while there is time', replace('/submission', null)],
  ['OperationError', 'NOT_FINAL', 'a block that is not final yet', replace('/chain/finalBlock', '1')],
]

const world = () => worldOf([[[2]], [[3, 7, 1], [1]]])

export async function submissionVectors() {
  const { data, proveSubmission } = world()
  const subject: SubmissionSubject = {
    submission: proveSubmission(2, 2, 3),
    chain: data,
    trust: { ledger: LEDGER },
  }
  const { root, size, logIndex, blockTime } = await verifySubmission(subject.submission, factsOf(data))
  return {
    about:
      'Sections 12.1 and 13.1: the proof of a submission, read like proof.json. The patches apply to { submission, chain, trust }.',
    ...subject,
    verified: { root: toHex(root), size, logIndex: String(logIndex), blockTime: String(blockTime) },
    altered: toJsonAltered(ALTERED_SUBMISSIONS),
  }
}

export async function receiptVectors() {
  const { data, proveSubmission } = world()
  const submission = proveSubmission(2, 2, 3)
  const { root, size } = await verifySubmission(submission, factsOf(data))
  const wallet = devWallet('publisher', CHAIN_ID)
  const publisher = wallet.address.toLowerCase() as Hex // an ethers address in lowercase
  const domain = { chainId: CHAIN_ID, ledger: LEDGER }
  const submitted = { source: 'urn:tidemark:service:civil-registry', sequence: 7n, root }
  const times = { receivedAt: 1_790_000_000_000, anchorBy: 1_790_000_600_000 }
  const signed = { ...submitted, size: BigInt(size) }
  const signature = await signReceipt(wallet, domain, {
    ...signed,
    receivedAt: BigInt(times.receivedAt),
    anchorBy: BigInt(times.anchorBy),
  })
  const receipt: Receipt = { ...submitted, size, ...times, ...domain, publisher, signature }
  const source = devWallet('admin', CHAIN_ID)
  const subject: ReceiptSubject = {
    receipt: toJsonReceipt(receipt),
    submission,
    chain: data,
    publishers: [publisher],
    trust: { ledger: LEDGER, publisher },
    nowMs: times.anchorBy,
  }
  return {
    about:
      "Sections 11.1, 11.2 and 13.2: the signature of a submission by its source; a receipt, the proof that its promise was kept (null: who must know says that the ledger does not hold it), whom the ledger knows as publishers, and the verifier's clock. The patches apply to { receipt, submission, chain, publishers, trust, nowMs }.",
    signedSubmission: {
      chainId: String(CHAIN_ID),
      ledger: LEDGER,
      source: signed.source,
      sequence: String(signed.sequence),
      root: toHex(root),
      size: String(signed.size),
      signer: source.address.toLowerCase(),
      signature: await signSubmission(source, domain, signed),
    },
    ...subject,
    altered: toJsonAltered(ALTERED_RECEIPTS),
  }
}
