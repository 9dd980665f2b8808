import type { Hex } from '../../bytes/hex.ts'
import type {
  HISTORY_STEPS,
  KeptPromise,
  PROOF_STEPS,
  RECEIPT_STEPS,
  Said,
  TrustedBlock,
  VerifiedHistory,
  VerifiedProof,
  VerifiedSubmission,
} from '../../verify/index.ts'
import type { Claims } from './claims.ts'

/** What a reader gives along with a file. */
export interface CheckOptions {
  /** hashes of blocks that the reader knows to be final blocks of the chain */
  trustedBlocks: readonly Hex[]
  /** a node to ask; without one, nobody is asked */
  rpcUrl?: string
  /** what must be the ledger; otherwise the one that the file names is believed */
  ledger?: Hex
  /** as `ledger`, the contract that decides on grants */
  authorizations?: Hex
  /** as `ledger`, the registry that those rest on */
  registry?: Hex
  /** as `ledger`, whoever must have signed a receipt */
  publisher?: Hex
  /** texts of other files, among which a receipt finds the proof of its submission */
  beside?: readonly string[]
}

export type Kind = 'proof' | 'history' | 'submission' | 'receipt'

/** As `verifySubmission` names them. */
export const SUBMISSION_STEPS = ['read', 'batch', 'anchor', 'log'] as const

/** The step of every verification, and `evidence`, which is one where the file brings evidence. */
export type StepName =
  | (typeof PROOF_STEPS)[number]
  | (typeof HISTORY_STEPS)[number]
  | (typeof SUBMISSION_STEPS)[number]
  | (typeof RECEIPT_STEPS)[number]
  | 'evidence'

export interface CheckedStep {
  name: StepName
  state: 'passed' | 'failed' | 'not reached'
}

/** What is proven. */
export type Facts =
  | { kind: 'proof'; verified: VerifiedProof }
  | { kind: 'history'; verified: VerifiedHistory }
  | { kind: 'submission'; verified: VerifiedSubmission }
  | { kind: 'receipt'; verified: KeptPromise }

/** What came of checking a file. Only `verified` says that anything is proven. */
export interface Checked {
  verdict: 'verified' | 'refuted' | 'unreadable' | 'unchecked'
  kind?: Kind
  /** in their order; none for what is unreadable */
  steps: CheckedStep[]
  /** why it is not verified */
  reason?: { code: string; words?: Said; detail: string }
  /** of what is verified */
  facts?: Facts
  /** what the file says of itself where it is not verified, as far as that could be read: nothing of it is proven */
  claims?: Claims
  trusted: Trusted
  /** blocks that must be trusted for what the file says to be proven: everything else holds */
  needed?: TrustedBlock[]
}

/** Whose word was taken. */
export interface Trusted {
  /** the address of the node that was asked */
  node?: string
  /** blocks by whose hashes evidence was checked */
  blocks: TrustedBlock[]
  /** addresses that are taken from the file, because the reader named none */
  believed: { what: 'ledger' | 'authorizations' | 'registry' | 'publisher'; address: Hex }[]
}
