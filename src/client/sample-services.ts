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

/** The departments of a sample month. */
export const MONTH_DEPARTMENTS = [
  ...DEPARTMENTS,
  'emergency-services',
  'public-security',
  'land-registry',
  'water',
  'statistics',
  'environment',
  'culture',
  'labour',
  'justice',
  'customs',
  'energy',
  'agriculture',
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
  'emergency-services': [
    ['dispatch-record', 'unconditional'],
    ['ambulance-record', 'conditional'],
    ['hydrant-map', 'unconditional'],
  ],
  'public-security': [
    ['residence-permit', 'conditional'],
    ['stolen-vehicle', 'unconditional'],
    ['identity-status', 'conditional'],
  ],
  'land-registry': [
    ['title-extract', 'conditional'],
    ['parcel-map', 'unconditional'],
    ['mortgage-entry', 'conditional'],
  ],
  water: [
    ['meter-reading', 'conditional'],
    ['supply-status', 'unconditional'],
  ],
  statistics: [
    ['census-table', 'unconditional'],
    ['price-index', 'unconditional'],
  ],
  environment: [
    ['emission-report', 'unconditional'],
    ['permit-status', 'unconditional'],
    ['site-history', 'conditional'],
  ],
  culture: [
    ['library-account', 'conditional'],
    ['monument-list', 'unconditional'],
  ],
  labour: [
    ['employment-history', 'conditional'],
    ['vacancy-list', 'unconditional'],
    ['benefit-status', 'conditional'],
  ],
  justice: [
    ['case-status', 'conditional'],
    ['notary-deed', 'conditional'],
    ['bailiff-register', 'unconditional'],
  ],
  customs: [
    ['import-declaration', 'conditional'],
    ['tariff-lookup', 'unconditional'],
    ['trader-status', 'unconditional'],
  ],
  energy: [
    ['consumption-history', 'conditional'],
    ['connection-status', 'unconditional'],
    ['subsidy-status', 'conditional'],
  ],
  agriculture: [
    ['field-register', 'unconditional'],
    ['herd-register', 'conditional'],
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

export const partyOf = (department: string) => `urn:tidemark:sample:${department}`
export const resourceOf = ({ department, operation }: Service) => `${partyOf(department)}:${operation}`
