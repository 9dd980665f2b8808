import type { Hex } from '../../bytes/hex.ts'
import type { FlowRecord } from '../../record/index.ts'

/** What the views read of the API's answers; docs at /docs. */

export interface LedgerNames {
  chainId: string
  ledger: Hex
  authorizations?: Hex
  finalBlock: string
}

export interface FoundRecord {
  record: FlowRecord
  disclosures?: string[]
  batch: { publisher: Hex; sequence: string; position: number }
  anchor: { ledgerIndex: string; blockNumber: string; blockHash: Hex; transactionHash: Hex }
  final: boolean
  submission?: { sequence: string; receivedAt: string; signed: boolean }
}

export interface RecordsPage {
  records: FoundRecord[]
  ledger: { size: string; notVerified: number }
  searched: number
  cursor?: string
}

export interface GrantStanding {
  authorization: Hex
  given: boolean
  /** seconds since 1970 */
  revokedAt: string | null
  paused: boolean
  calls: string
  block: { number: string; time: string }
}

interface RecordRef {
  source: string
  id: string
}

export interface Responsibility {
  kept: { by: string[]; disagreements: { member: string }[] }
  accounts: {
    side: string
    record: RecordRef
    submission: { by: 'signed' | 'token' | 'open' | 'unsigned'; signer?: Hex | null } | null
    brokenRules: { rule: string; alertId: string }[]
  }[]
  grant: {
    authorization: Hex
    given: { givenAt: string } | null
    revocation: { effectiveAt: string; isBeforeCall: boolean } | null
  } | null
}
