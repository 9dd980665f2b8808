import { InputError, VerificationError } from '../../errors.ts'
import {
  AUTHORIZED_PROOF_FORMAT,
  HISTORY_FORMAT,
  type HistoryQuestion,
  OFFLINE_FORMAT,
  PROOF_FORMAT,
  parseHistory,
  parseProof,
  parseReceipt,
  parseRunHistory,
  RECEIPT_FORMAT,
  type Receipt,
  RUN_HISTORY_FORMAT,
} from '../../proof/index.ts'
import { type FlowRecord, openRecord } from '../../record/index.ts'

/** What a file says, whether it is true or not. */
export type Claims =
  | { kind: 'proof'; record: FlowRecord }
  | ({ kind: 'history' } & HistoryQuestion)
  | { kind: 'receipt'; receipt: Receipt }

/** What a file says of itself; undefined where it cannot be read. */
export function claimsOf(value: unknown): Claims | undefined {
  const bundle: unknown = Object(value).format === OFFLINE_FORMAT ? Object(value).bundle : value
  try {
    return readClaims(bundle)
  } catch (error) {
    if (error instanceof VerificationError || error instanceof InputError) return undefined
    throw error
  }
}

function readClaims(bundle: unknown): Claims | undefined {
  switch (Object(bundle).format) {
    case PROOF_FORMAT:
    case AUTHORIZED_PROOF_FORMAT: {
      const { record, disclosures } = parseProof(bundle)
      return { kind: 'proof', record: openRecord(record, disclosures) }
    }
    case HISTORY_FORMAT: {
      const { key, period } = parseHistory(bundle)
      return { kind: 'history', key, period }
    }
    case RUN_HISTORY_FORMAT: {
      const { key, period } = parseRunHistory(bundle)
      return { kind: 'history', key, period }
    }
    case RECEIPT_FORMAT:
      return { kind: 'receipt', receipt: parseReceipt(bundle) }
    default:
      return undefined
  }
}
