/** A made-up service of a made-up department. */
export interface Service {
  department: string
  operation: string
  sharing: 'unconditional' | 'conditional'
  level: string
  legalBasis: string
}

/** The departments of a sample that names none. */
export const DEPARTMENTS = [
  'tax',
  'civil-registry',
  'social-security',
  'health',
  'transport',
  'market-regulation',
  'housing',
  'education',
] as const

export const PURPOSES = [
  'benefit-eligibility',
  'licence-renewal',
  'fee-assessment',
  'address-update',
  'credit-check',
  'case-review',
] as const

/** Operation and sharing; those of other departments are the last two. */
const OPERATIONS: Readonly<Record<string, readonly (readonly [string, Service['sharing']])[]>> = {
  tax: [
    ['income-statement', 'conditional'],
    ['arrears-check', 'conditional'],
    ['invoice-lookup', 'unconditional'],
  ],
  'civil-registry': [
    ['identity-check', 'unconditional'],
    ['marriage-record', 'conditional'],
    ['household-extract', 'conditional'],
  ],
  'social-security': [
    ['contribution-history', 'conditional'],
    ['pension-status', 'conditional'],
  ],
  health: [
    ['insurance-status', 'unconditional'],
    ['vaccination-record', 'conditional'],
  ],
  transport: [
    ['vehicle-record', 'unconditional'],
    ['driving-licence', 'conditional'],
  ],
  'market-regulation': [
    ['company-extract', 'unconditional'],
    ['licence-status', 'unconditional'],
  ],
}

const COMMON = [
  ['register-extract', 'unconditional'],
  ['case-history', 'conditional'],
] as const

export function servicesOf(department: string): Service[] {
  const operations = Object.hasOwn(OPERATIONS, department) ? OPERATIONS[department] : undefined
  return (operations ?? COMMON).map(([operation, sharing]) => ({
    department,
    operation,
    sharing,
    level: sharing === 'conditional' ? 'l3' : 'l1',
    legalBasis: `sample-act-${department}`,
  }))
}
