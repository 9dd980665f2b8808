import { canonicalText, InputError, OperationError, VerificationError } from '../../src/index.ts'
import type { BundleCase } from '../vectors/bad.ts'
import { verifyText } from '../verify/verdict.ts'

/**
 * What became of a changed bundle.
 *
 * - `refused`: by an error of the three families
 * - `same meaning`: accepted, and the same JSON value
 * - `same shown`: accepted, and what it shows is what the good one shows, to the letter
 * - `less disclosed`: accepted, with some disclosures of the good one left out or in another order
 * - `another period`: accepted, as the answer to another question, with all records of that period and no others
 * - anything else says what is wrong
 */
export type Outcome =
  | 'refused'
  | 'same meaning'
  | 'same shown'
  | 'less disclosed'
  | 'another period'
  | `FALSE: ${string}`

/** Judges changes of one good bundle. */
export async function judgeOf(good: BundleCase): Promise<(text: string) => Promise<Outcome>> {
  const bundle = JSON.parse(good.bundle)
  const shown = show(await verifyText(good))
  return async (text) => {
    let verified: unknown
    try {
      verified = await verifyText({ ...good, bundle: text })
    } catch (error) {
      const known = [InputError, VerificationError, OperationError].some((family) => error instanceof family)
      return known ? 'refused' : `FALSE: ${error instanceof Error ? error.stack : error}`
    }
    const changed = JSON.parse(text)
    if (canonical(changed) === canonical(bundle)) return 'same meaning'
    if (show(verified) === shown) return 'same shown'
    if (disclosesLess(changed, bundle)) return 'less disclosed'
    if (asksOther(changed, bundle)) return answersWhole(verified, changed, bundle)
    return 'FALSE: it is accepted'
  }
}

const show = (verified: unknown) =>
  JSON.stringify(verified, (_, value) =>
    typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? [...value] : value,
  )

const canonical = (bundle: unknown): string => canonicalText(bundle)

type Bundle = Record<string, unknown>

function disclosesLess(changed: Bundle, bundle: Bundle): boolean {
  const [some, all] = [innermost(changed).disclosures, innermost(bundle).disclosures]
  if (!Array.isArray(some) || !Array.isArray(all)) return false
  const known = some.every((one) => all.includes(one)) && new Set(some).size === some.length
  return known && withoutDisclosures(changed) === withoutDisclosures(bundle)
}

/** What evidence is wrapped about, or the bundle itself. */
const innermost = (bundle: Bundle): Bundle => Object(bundle.bundle ?? bundle)

function withoutDisclosures(bundle: Bundle): string {
  const copy = structuredClone(bundle)
  innermost(copy).disclosures = []
  return canonical(copy)
}

const asksOther = ({ period: _, ...rest }: Bundle, { period: __, ...whole }: Bundle): boolean =>
  canonical(rest) === canonical(whole)

/** Every record that the bundle holds and that is of the period it now names is shown, and no other. */
function answersWhole(verified: unknown, changed: Bundle, bundle: Bundle): Outcome {
  const { from, to } = changed.period as Record<'from' | 'to', string>
  const times = JSON.stringify(bundle).matchAll(/"id":"(\d[^"]*)"[^{}]*"time":"([^"]*)"/g)
  const expected = [...times]
    .filter(([, , time = '']) => Date.parse(time) >= Number(from) && Date.parse(time) < Number(to))
    .map(([, id]) => id)
  const { records } = (verified as { verified: { records: { record: { id: string } }[] } }).verified
  const found = records.map(({ record }) => record.id)
  return String(found) === String(expected) ? 'another period' : `FALSE: it shows ${found}, not ${expected}`
}
