/** docs/format.md, section 17. */
export interface BatchAlert {
  kind: Kind
  batch: { publisher: string; sequence: string }
  anchor: { ledgerIndex: string; blockNumber: string; transactionHash: string }
  expected: string
  found: string
  files: { name: string; sha256: string }[]
  submission?: { source: string; sequence: string }
  positions?: number[]
}

/** docs/format.md, section 17.1. */
export interface RuleAlert {
  kind: 'rule'
  rule: string
  severity: (typeof SEVERITIES)[number]
  affected: number
  records: { source: string; id: string }[]
  evidence: { source: string; id: string }[]
  values: Record<string, string | number>
}

/** An alert as `/v1/alerts` has it; times are decimal milliseconds since 1970. */
export interface ShownAlert {
  id: string
  raisedAt: string
  closedAt?: string
  /** of what a rule found: by when somebody has to report it */
  deadline?: string
  reportedAt?: string
  state?: 'open' | 'reported' | 'closed'
  alert: BatchAlert | RuleAlert
}

export const SEVERITIES = ['high', 'medium', 'low'] as const

/** What is wrong with a batch, as no rule finds it. */
export type Kind =
  | 'fraud'
  | 'withheld'
  | 'bad-record'
  | 'duplicate-id'
  | 'sequence-gap'
  | 'sequence-repeat'
  | 'foreign-signature'
  | 'false-run'

/** Open, reported or closed; what no rule has found is open until it is no longer so. */
export const stateOf = ({ state, closedAt }: ShownAlert): 'open' | 'reported' | 'closed' =>
  state ?? (closedAt === undefined ? 'open' : 'closed')
