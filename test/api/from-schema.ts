import fc, { type Arbitrary } from 'fast-check'
import { time } from '../../src/record/fields.ts'
import type { Schema } from './contract.ts'

const { pattern: TIME_PATTERN } = time as { pattern?: unknown } // TypeBox' type leaves it out
/** Digits alone make few days of the calendar. */
const TIMES = { min: new Date('2000-01-01'), max: new Date('2100-01-01') }

/**
 * Values of a JSON Schema: the keywords that our documents use, references resolved.
 *
 * @throws when it meets a keyword that it does not know, so that none is left out in silence
 */
export function fromSchema(schema: Schema): Arbitrary<unknown> {
  const { description: _, ...rest } = schema
  const { type, enum: words, anyOf, ...limits } = rest
  if (Array.isArray(words)) return fc.constantFrom(...words)
  if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map((one) => fromSchema(one as Schema)))
  switch (type) {
    case undefined:
      return fc.jsonValue()
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fromInteger(limits)
    case 'string':
      return fromString(limits)
    case 'array':
      return fromArray(limits)
    case 'object':
      return fromObject(limits)
    default:
      throw new Error(`no values of type ${JSON.stringify(type)}`)
  }
}

function fromInteger({ minimum, maximum, default: _, ...rest }: Schema) {
  expectNothing(rest)
  return fc.integer({ min: Number(minimum ?? -1_000), max: Number(maximum ?? 1_000) })
}

function fromString({ pattern, minLength = 0, maxLength = 40, ...rest }: Schema) {
  expectNothing(rest)
  if (typeof pattern !== 'string')
    return fc.string({ minLength: Number(minLength), maxLength: Math.min(Number(maxLength), 40) })
  if (pattern === TIME_PATTERN)
    return fc.date({ noInvalidDate: true, ...TIMES }).map((date) => date.toISOString())
  return fc
    .stringMatching(new RegExp(pattern), { size: 'small' })
    .filter((text) => text.length >= Number(minLength))
}

function fromArray({ items, minItems = 0, maxItems = 5, ...rest }: Schema) {
  expectNothing(rest)
  return fc.array(fromSchema(items as Schema), {
    minLength: Number(minItems),
    maxLength: Math.min(Number(maxItems), 5),
  })
}

function fromObject({ properties = {}, required = [], additionalProperties: _, ...rest }: Schema) {
  expectNothing(rest)
  const members = Object.entries(properties as Record<string, Schema>)
  return fc.record(Object.fromEntries(members.map(([name, member]) => [name, fromSchema(member)])), {
    requiredKeys: required as string[],
    noNullPrototype: true,
  })
}

function expectNothing(rest: Schema): void {
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw new Error(`no values for keyword ${unknown}`)
}

/** The value with one of its parts replaced, taken out, or joined by another. */
export const mutated = (value: unknown): Arbitrary<unknown> =>
  fc
    .tuple(fc.nat(), fc.constantFrom('replace', 'remove', 'add'), fc.jsonValue({ maxDepth: 1 }), fc.string())
    .map(([at, how, other, name]) => {
      const places: [holder: Record<string, unknown>, key: string][] = []
      const root: Record<string, unknown> = { value: structuredClone(value) }
      const visit = (holder: Record<string, unknown>) => {
        for (const [key, part] of Object.entries(holder)) {
          places.push([holder, key])
          if (typeof part === 'object' && part !== null) visit(part as Record<string, unknown>)
        }
      }
      visit(root)
      const [holder, key] = places[at % places.length] ?? [root, 'value']
      if (how === 'replace') holder[key] = other
      else if (how === 'remove') delete holder[key]
      else holder[name] = other
      return root.value
    })
