import { patched } from '../../scripts/vectors-altered.ts'
import { at } from '../../scripts/vectors-bad.ts'
import { add, remove, replace } from '../../scripts/vectors-patch.ts'
import type { Chance } from '../../src/client/sample-chance.ts'

/** A change of the text of a bundle, with other bundles at hand; undefined where it finds nothing to change. */
type Mutation = (text: string, others: readonly string[], chance: Chance) => string | undefined

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'bit of a byte': (text, _, chance) => {
    const bytes = new TextEncoder().encode(text)
    const place = chance.below(bytes.length)
    bytes[place] = (bytes[place] ?? 0) ^ (1 << chance.below(8))
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      return undefined // nobody reads on
    }
  },
  'bytes left out': (text, _, chance) => {
    const place = chance.below(text.length)
    return text.slice(0, place) + text.slice(place + chance.between(1, 40))
  },
  'bytes twice': (text, _, chance) => {
    const place = chance.below(text.length)
    return text.slice(0, place + chance.between(1, 40)) + text.slice(place)
  },
  'member gone': onMember((bundle, place) => patched(bundle, [remove(place)])),
  'member of no kind': onMember((bundle, place, chance) =>
    patched(bundle, [replace(place, pick(chance, [null, true, 0, '', [], {}]))]),
  ),
  'member once more': onMember((bundle, place, chance) => {
    const { parent, name } = split(place)
    const where = Array.isArray(at(bundle, parent))
      ? place
      : `${parent}/${pick(chance, ['extra', `${name}2`, 'given', 'next'])}`
    return patched(bundle, [add(where, at(bundle, place))])
  }),
  'members swapped': onMember((bundle, place, chance) => {
    const other = pick(chance, placesOf(bundle))
    if (other.startsWith(place) || place.startsWith(other)) return undefined
    return patched(bundle, [replace(place, at(bundle, other)), replace(other, at(bundle, place))])
  }),
  'list in another order': onMember((bundle, place, chance) => {
    const list = at(bundle, place)
    if (!Array.isArray(list) || list.length < 2) return undefined
    const cut = chance.between(1, list.length - 1)
    return patched(bundle, [replace(place, [...list.slice(cut), ...list.slice(0, cut)])])
  }),
  'member of another bundle': (text, others, chance) => {
    const bundle: unknown = JSON.parse(text)
    const other: unknown = JSON.parse(pick(chance, others))
    const shared = placesOf(bundle).filter((place) => at(other, place) !== undefined)
    const place = pick(chance, shared)
    return JSON.stringify(patched(bundle, [replace(place, at(other, place))]))
  },
  'digit of a value': onText((value, chance) => {
    const place = chance.below(value.length)
    return value.slice(0, place) + pick(chance, [...'0123456789abcdefABX-_=. é']) + value.slice(place + 1)
  }),
  'digit less': onText((value, chance) => {
    const place = chance.below(value.length)
    return value.slice(0, place) + value.slice(place + 1)
  }),
  'digit more': onText((value, chance) => {
    const place = chance.below(value.length + 1)
    return value.slice(0, place) + pick(chance, [...'0123456789abcdefAX-_=. é']) + value.slice(place)
  }),
  number: onMember((bundle, place, chance) => {
    const value = at(bundle, place)
    const change = (number: bigint) =>
      pick(chance, [
        number + 1n,
        number - 1n,
        -number,
        2n * number,
        number + (1n << 32n),
        (1n << 64n) - 1n,
        1n << 64n,
        0n,
      ])
    if (typeof value === 'number') return patched(bundle, [replace(place, Number(change(BigInt(value))))])
    if (typeof value !== 'string' || !/^\d{1,19}$/.test(value)) return undefined
    return patched(bundle, [replace(place, String(change(BigInt(value))))])
  }),
}

function onMember(change: (bundle: unknown, place: string, chance: Chance) => unknown): Mutation {
  return (text, _, chance) => {
    const bundle: unknown = JSON.parse(text)
    const changed = change(bundle, pick(chance, placesOf(bundle)), chance)
    return changed === undefined ? undefined : JSON.stringify(changed)
  }
}

function onText(change: (value: string, chance: Chance) => string): Mutation {
  return onMember((bundle, place, chance) => {
    const value = at(bundle, place)
    if (typeof value !== 'string') return undefined
    return patched(bundle, [replace(place, change(value, chance))])
  })
}

/** RFC 6901 pointers to all members, however deep. */
function placesOf(value: unknown, place = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [
    `${place}/${name}`,
    ...placesOf(inner, `${place}/${name}`),
  ])
}

function split(place: string): { parent: string; name: string } {
  const end = place.lastIndexOf('/')
  return { parent: place.slice(0, end), name: place.slice(end + 1) }
}

/** @throws {Error} when there is none */
export function pick<Item>(chance: Chance, items: readonly Item[]): Item {
  const [first, ...rest] = items
  if (first === undefined) throw new Error('there is nothing to pick from')
  return chance.pick([first, ...rest])
}
