/** One number or text that a report says and that is not so, by its place in the report. */
export interface Difference {
  /** such as `departments[urn:a].asProvider.calls` */
  place: string
  /** undefined where the one or the other does not have it */
  claimed: unknown
  found: unknown
}

/**
 * Where two JSON values differ, in the order of the members.
 *
 * Objects in a list meet by what names them (a department, a role and a reason, a rule and a severity), anything else
 * by its place.
 */
export function* differencesOf(claimed: unknown, found: unknown, place = ''): Generator<Difference> {
  const [left, right] = [partsOf(claimed), partsOf(found)]
  if (left === undefined || right === undefined || Array.isArray(claimed) !== Array.isArray(found)) {
    if (claimed !== found) yield { place, claimed, found }
    return
  }
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    yield* differencesOf(left.get(name), right.get(name), placeOf(place, name, Array.isArray(found)))
  }
}

const placeOf = (place: string, name: string, isList: boolean) => {
  if (isList) return `${place}[${name}]`
  return place === '' ? name : `${place}.${name}`
}

/** The members of an object or a list under names of their own; undefined for anything else. */
function partsOf(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!Array.isArray(value)) return new Map(Object.entries(value))
  const parts = new Map<string, unknown>()
  for (const [i, one] of value.entries()) {
    const name = nameOf(one) ?? String(i)
    // Whatever stands there twice has nothing to meet.
    parts.set(parts.has(name) ? `${name}, again at ${i}` : name, one)
  }
  return parts
}

const NAMES = [['department'], ['role', 'reason'], ['rule', 'severity']]

function nameOf(value: unknown): string | undefined {
  const members = Object(value) as Record<string, unknown>
  const names = NAMES.find((all) => all.every((name) => typeof members[name] === 'string'))
  return names?.map((name) => members[name]).join(' ')
}
