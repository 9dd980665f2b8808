import type { TProperties, TSchema } from 'typebox'
import * as Type from 'typebox'
import { bytes, count, decimal, digest, hex, name, oneOf, optional, text, time, word } from './fields.ts'

/**
 * What a record of one type holds in `data`, by who may see it (docs/format.md, "Sealed fields").
 *
 * `pseudonyms` and `privates` are always optional and always sealed; they differ in where their disclosures stay.
 */
export interface RecordType {
  subject: 'required' | 'optional'
  open: TProperties
  pseudonyms: TProperties
  privates: TProperties
}

const note = { note: text(4096) }
const person = { person: digest }
const agent = { agent: name }

const uint32 = Type.Integer({ minimum: 0, maximum: 0xffff_ffff })

/** DESIGN of a grant: the members of the EIP-712 struct `Grant` (docs/format.md, "Grant"). */
const grant = Type.Object(
  {
    subject: hex(20),
    consumer: hex(32),
    resource: hex(32),
    purpose: hex(32),
    notBefore: count,
    notAfter: count,
    maxCalls: uint32,
    nonce: decimal,
  },
  { additionalProperties: false },
)

const parties = { consumer: name, provider: name, operation: name, requestId: text(128) }
const side = oneOf('consumer', 'provider')

export const RECORD_TYPES = {
  'tidemark.call.v1': {
    subject: 'required',
    open: {
      side,
      ...parties,
      purpose: optional(name),
      legalBasis: optional(name),
      sharing: optional(oneOf('unconditional', 'conditional', 'prohibited')),
      level: optional(word),
      authorization: optional(hex(32)),
      outcome: oneOf('success', 'refused', 'failed'),
      status: optional(text(64)),
      rows: optional(count),
      requestBytes: optional(count),
      responseBytes: optional(count),
      durationMs: optional(count),
      requestDigest: optional(hex(32)),
      responseDigest: optional(hex(32)),
    },
    pseudonyms: person,
    privates: { ...agent, ...note },
  },
  'tidemark.authorization.v1': {
    subject: 'optional',
    open: { authorization: hex(32), grant, signature: bytes(4096) },
    pseudonyms: person,
    privates: note,
  },
  'tidemark.revocation.v1': {
    subject: 'optional',
    open: { authorization: hex(32), effectiveAt: time, reason: optional(word) },
    pseudonyms: person,
    privates: note,
  },
  'tidemark.refusal.v1': {
    subject: 'required',
    open: {
      side,
      ...parties,
      reason: word,
      legalBasis: optional(name),
      authorization: optional(hex(32)),
    },
    pseudonyms: person,
    privates: { ...agent, ...note },
  },
  'tidemark.transfer.v1': {
    subject: 'required',
    open: {
      inputs: Type.Array(name, { minItems: 1, maxItems: 256 }),
      outputs: Type.Array(name, { minItems: 1, maxItems: 256 }),
      mode: oneOf('raw', 'view', 'compute-only'),
      rows: optional(count),
      consumer: optional(name),
      provider: optional(name),
      requestId: optional(text(128)),
    },
    pseudonyms: {},
    privates: { ...agent, ...note },
  },
  'tidemark.destruction.v1': {
    subject: 'required',
    open: { copy: name, method: word, trigger: word, rows: optional(count) },
    pseudonyms: {},
    privates: { executor: name, witness: name, approver: name, ...note },
  },
  'tidemark.incident.v1': {
    subject: 'optional',
    open: {
      severity: oneOf('high', 'medium', 'low'),
      detectedAt: time,
      reportedAt: optional(time),
      deadline: time,
      rule: optional(word),
      affected: optional(count),
      state: oneOf('open', 'reported', 'closed'),
    },
    pseudonyms: {},
    privates: { ...agent, ...note },
  },
  'tidemark.breaker.v1': {
    subject: 'optional',
    open: { target: name, action: oneOf('trip', 'reset'), reason: word },
    pseudonyms: {},
    privates: { ...agent, ...note },
  },
  'tidemark.index-run.v1': {
    subject: 'optional',
    open: {
      chainId: decimal,
      ledger: hex(20),
      firstIndex: decimal,
      count: uint32,
      indexRoot: hex(32),
      indexSize: uint32,
      entries: uint32,
    },
    pseudonyms: {},
    privates: {},
  },
  'tidemark.checkpoint.v1': {
    subject: 'optional',
    open: { chainId: decimal, ledger: hex(20), size: decimal, root: hex(32) },
    pseudonyms: {},
    privates: {},
  },
  'tidemark.heartbeat.v1': {
    subject: 'optional',
    open: { from: time, to: time },
    pseudonyms: {},
    privates: {},
  },
} as const satisfies Record<string, RecordType>

export type RecordTypeName = keyof typeof RECORD_TYPES

export const isRecordType = (type: unknown): type is RecordTypeName =>
  typeof type === 'string' && Object.hasOwn(RECORD_TYPES, type)

/** Where the disclosure of a sealed member stays: beside the record, or in the vault. */
export type SealedKind = 'pseudonym' | 'private'

/** Members that some type seals as a pseudonym. */
export const PSEUDONYMS: readonly string[] = [
  ...new Set(Object.values(RECORD_TYPES).flatMap(({ pseudonyms }) => Object.keys(pseudonyms))),
]

/** Whether the type seals a member of this name, and as which kind. */
export function sealedKind(type: RecordTypeName, member: string): SealedKind | undefined {
  const { pseudonyms, privates } = RECORD_TYPES[type]
  if (Object.hasOwn(pseudonyms, member)) return 'pseudonym'
  if (Object.hasOwn(privates, member)) return 'private'
  return undefined
}

/** The schema of a sealable member, to check what a disclosure opens. */
export function sealedMemberSchema(type: RecordTypeName, member: string): TSchema | undefined {
  const { pseudonyms, privates }: RecordType = RECORD_TYPES[type]
  return Object.hasOwn(pseudonyms, member)
    ? pseudonyms[member]
    : Object.hasOwn(privates, member)
      ? privates[member]
      : undefined
}
