import type { TProperties, TSchema } from 'typebox'
import * as Type from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { digest, name, oneOf, optional, sourceName, text, time, traceParent } from './fields.ts'
import { RECORD_TYPES, type RecordType, type RecordTypeName } from './types.ts'

const closed = { additionalProperties: false } as const

const digests = (most: number) => optional(Type.Array(digest, { minItems: 1, maxItems: most }))

/** JSON Schema of a record of one type as a source writes it, nothing sealed yet. */
export const openSchema = (type: RecordTypeName): TSchema => {
  const { open, pseudonyms, privates }: RecordType = RECORD_TYPES[type]
  const sealable: TProperties = {}
  for (const [member, schema] of Object.entries({ ...pseudonyms, ...privates }))
    sealable[member] = optional(schema)
  return envelope(type, Type.Object({ ...open, ...sealable }, closed))
}

/** JSON Schema of a record of one type as the ledger keeps it: sealed members gone, their digests in `_sd`. */
export const sealedSchema = (type: RecordTypeName): TSchema => {
  const { open, pseudonyms }: RecordType = RECORD_TYPES[type]
  const seals = { _sd: digests(64), _sd_alg: optional(oneOf('sha-256')) }
  const count = Object.keys(pseudonyms).length
  const listed: TProperties = count === 0 ? {} : { _sd_pseudonyms: digests(count) }
  return envelope(type, Type.Object({ ...open, ...seals, ...listed }, closed))
}

function envelope(type: RecordTypeName, data: TSchema) {
  const subject = RECORD_TYPES[type].subject === 'required' ? name : optional(name)
  return Type.Object(
    {
      specversion: oneOf('1.0'),
      id: text(128),
      source: sourceName,
      type: oneOf(type),
      time,
      subject,
      datacontenttype: optional(oneOf('application/json')),
      traceparent: optional(traceParent),
      data,
    },
    closed,
  )
}

const compiled = new Map<string, Validator>()

/** The compiled validator of a schema, made once for each key. */
export function validator(key: string, schema: () => TSchema): Validator {
  let found = compiled.get(key)
  if (found === undefined) {
    found = Compile(schema())
    compiled.set(key, found)
  }
  return found
}
