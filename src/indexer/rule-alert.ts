import { utf8 } from '../bytes/bytes.ts'
import { type Hex, toHex } from '../bytes/hex.ts'
import { sha256 } from '../bytes/sha256.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import type { Finding, RecordRef, Severity } from '../rules/rule.ts'

/** A record, and its place where that is known. */
interface JsonRecordRef {
  source: string
  id: string
  batch?: { publisher: Hex; sequence: string; position: number }
}

/** docs/format.md, "Alert of a rule". */
export interface JsonRuleAlert {
  format: 'tidemark-alert/2'
  kind: 'rule'
  chainId: string
  ledger: Hex
  rule: string
  severity: Severity
  /** records that break the rule */
  affected: number
  /** the first of them */
  records: JsonRecordRef[]
  evidence: JsonRecordRef[]
  values: Readonly<Record<string, string | number>>
}

/** No alert lists more records. */
const MOST_LISTED = 1_000

export const toJsonRuleAlert = (
  { rule, severity, records, evidence, values }: Finding,
  { chainId, ledger }: Pick<LedgerIdentity, 'chainId' | 'ledger'>,
): JsonRuleAlert => ({
  format: 'tidemark-alert/2',
  kind: 'rule',
  chainId: String(chainId),
  ledger,
  rule,
  severity,
  affected: records.length,
  records: records.slice(0, MOST_LISTED).map(toJsonRef),
  evidence: evidence.slice(0, MOST_LISTED).map(toJsonRef),
  values,
})

/** Names what was found: a rule finds it once by its first record (docs/format.md, "Alert of a rule"). */
export function incidentId({ rule, records }: Pick<JsonRuleAlert, 'rule' | 'records'>): string {
  const [first] = records
  const bytes = sha256(utf8([rule, first?.source, first?.id].join('\0')))
  return toHex(bytes.subarray(0, 16)).slice(2)
}

const toJsonRef = ({ source, id, place }: RecordRef): JsonRecordRef => ({
  source,
  id,
  ...(place !== undefined && {
    batch: {
      publisher: place.batch.publisher,
      sequence: String(place.batch.sequence),
      position: place.position,
    },
  }),
})
