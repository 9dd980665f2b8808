import { InputError } from '../errors.ts'
import { openDisclosures } from '../record/index.ts'
import { type JsonProof, parseProof } from './bundle.ts'
import { type JsonOffline, OFFLINE_FORMAT } from './evidence.ts'

/** Which disclosed members a holder withholds, or which alone are still presented. */
export type Withheld = { members: readonly string[] } | { allBut: readonly string[] }

/**
 * The same proof with fewer disclosures, as a holder presents it (RFC 9901, section 7.2); what they opened is closed.
 *
 * Nothing else changes, so what verified before verifies after it. It trusts none of its inputs, and does not verify.
 *
 * @param bundle a proof as parsed JSON, or one with its evidence
 * @throws {InputError} `BAD_BUNDLE` when it is no proof; `NOT_FOUND` for a member that it does not disclose
 * @throws {VerificationError} as `parseProof`; `BAD_DISCLOSURE` for disclosures that are not its record's
 */
export function withholdDisclosures(bundle: unknown, withheld: Withheld): JsonProof | JsonOffline {
  if (isOffline(bundle)) return { ...bundle, bundle: withholdDisclosures(bundle.bundle, withheld) }
  const { record, disclosures } = parseProof(bundle)
  const opened = openDisclosures(record, disclosures)
  const [named, areKept] =
    'members' in withheld ? ([withheld.members, false] as const) : ([withheld.allBut, true] as const)
  const absent = named.find((name) => !opened.some((one) => one.name === name))
  if (absent !== undefined) throw new InputError('NOT_FOUND', `the proof does not disclose ${absent}`)
  return {
    ...(bundle as JsonProof), // as `parseProof` has read
    disclosures: opened
      .filter(({ name }) => named.includes(name) === areKept)
      .map(({ disclosure }) => disclosure),
  }
}

const isOffline = (value: unknown): value is JsonOffline =>
  typeof value === 'object' &&
  value !== null &&
  'format' in value &&
  value.format === OFFLINE_FORMAT &&
  'bundle' in value
