import { randomBytes } from '@noble/hashes/utils.js'
import { fromBase64url, toBase64url } from '../bytes/base64url.ts'
import { utf8 } from '../bytes/bytes.ts'
import { sha256 } from '../bytes/sha256.ts'
import { InputError, VerificationError } from '../errors.ts'
import { hashLeaf } from '../merkle/index.ts'
import { canonicalBytes } from './canonical.ts'
import type { FlowRecord } from './parse.ts'
import { validator } from './schema.ts'
import { type RecordTypeName, type SealedKind, sealedKind, sealedMemberSchema } from './types.ts'

/** A sealed record with what opens it: `base64url(JSON [salt, name, value])` each (RFC 9901, section 4.2.1). */
export interface Sealed {
  record: FlowRecord
  /** of pseudonyms: they stay beside the record in the batch files */
  disclosures: string[]
  /** of private members: they stay in the vault */
  vault: string[]
}

/** What a disclosure opens. */
export interface Disclosed {
  name: string
  value: unknown
}

const SALT_BYTES = 16
/** Random bytes are drawn for so many salts at once. */
const SALTS_AT_ONCE = 256

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Replaces the sealable members of `data` by salted digests (RFC 9901, section 4.2).
 *
 * @param record open, as `parseRecord` returns it; not changed
 * @param salt gives 16 fresh random bytes a call
 */
export function sealRecord(record: FlowRecord, salt: () => Uint8Array = freshSalt): Sealed {
  const data: FlowRecord['data'] = {}
  const digests: string[] = []
  const pseudonyms: string[] = []
  const sealed: Sealed = { record: { ...record, data }, disclosures: [], vault: [] }
  for (const [name, value] of Object.entries(record.data)) {
    const kind = sealedKind(record.type, name)
    if (kind === undefined) {
      data[name] = value
      continue
    }
    const disclosure = toBase64url(utf8(JSON.stringify([toBase64url(salt()), name, value])))
    const digest = disclosureDigest(disclosure)
    digests.push(digest)
    if (kind === 'pseudonym') {
      pseudonyms.push(digest)
      sealed.disclosures.push(disclosure)
    } else {
      sealed.vault.push(disclosure)
    }
  }
  if (digests.length > 0) {
    data._sd = digests.sort()
    data._sd_alg = 'sha-256'
  }
  if (pseudonyms.length > 0) data._sd_pseudonyms = pseudonyms.sort()
  return sealed
}

let salts = new Uint8Array(0)

function freshSalt(): Uint8Array {
  if (salts.length === 0) salts = randomBytes(SALT_BYTES * SALTS_AT_ONCE)
  const salt = salts.subarray(0, SALT_BYTES)
  salts = salts.subarray(SALT_BYTES)
  return salt
}

/** A disclosure that belongs to a record, with what it opens. */
export interface Opened extends Disclosed {
  disclosure: string
  kind: SealedKind
}

/**
 * Reads disclosures and holds each against the record that it belongs to.
 *
 * @throws {VerificationError} `BAD_DISCLOSURE` for a disclosure that the record does not carry, a repeated one, or
 *   one that opens what its type does not seal, or seals in the other way
 */
export function openDisclosures(record: FlowRecord, disclosures: readonly string[]): Opened[] {
  const { _sd: digests = [], _sd_pseudonyms: pseudonyms = [] } = record.data
  const seen: string[] = []
  const opened: Opened[] = []
  for (const disclosure of disclosures) {
    const digest = disclosureDigest(disclosure)
    if (!digests.includes(digest) || seen.includes(digest)) {
      throw bad('a disclosure does not belong to the record, or stands there twice')
    }
    seen.push(digest)
    const { name, value } = parseDisclosure(disclosure)
    const kind = sealedKind(record.type, name)
    if (kind === undefined || Object.hasOwn(record.data, name) || opened.some((one) => one.name === name)) {
      throw bad(`${record.type} does not seal a member ${JSON.stringify(name)}, or has it twice`)
    }
    if (!isSealedValue(record.type, name, value)) {
      throw bad(`the disclosed ${name} is not a value of ${record.type}`)
    }
    // Otherwise a person could be kept out of the index and shown all the same.
    if (pseudonyms.includes(digest) !== (kind === 'pseudonym')) {
      throw bad(`the record seals ${name} as what it is not: see _sd_pseudonyms`)
    }
    opened.push({ disclosure, name, value, kind })
  }
  return opened
}

/**
 * Puts the disclosed members back; members without a disclosure stay closed, their digests left out.
 *
 * @throws {VerificationError} `BAD_DISCLOSURE` as `openDisclosures`
 */
export function openRecord(record: FlowRecord, disclosures: readonly string[]): FlowRecord {
  const { _sd: _, _sd_alg: __, _sd_pseudonyms: ___, ...data } = record.data
  for (const { name, value } of openDisclosures(record, disclosures)) data[name] = value
  return { ...record, data }
}

/**
 * Opens the pseudonyms of a record as it stands in a batch: every one, and nothing else.
 *
 * @throws {VerificationError} `BAD_DISCLOSURE` also when one is missing or a private member is opened: an index made
 *   of them would be incomplete, or would give away what belongs in the vault
 */
export function openPseudonyms(record: FlowRecord, disclosures: readonly string[]): Opened[] {
  const opened = openDisclosures(record, disclosures)
  expectAllPseudonyms(record, opened)
  return opened
}

/** @throws {VerificationError} `BAD_DISCLOSURE` unless they are the pseudonyms of the record, all of them and no more */
export function expectAllPseudonyms({ data }: FlowRecord, opened: readonly Opened[]): void {
  // Repeated ones have been refused, so as many, all of them pseudonyms, are all of them.
  if (
    opened.length !== (data._sd_pseudonyms?.length ?? 0) ||
    opened.some(({ kind }) => kind !== 'pseudonym')
  ) {
    throw bad('the disclosures beside a record are those of its _sd_pseudonyms, all and no others')
  }
}

function isSealedValue(type: RecordTypeName, name: string, value: unknown): boolean {
  const schema = sealedMemberSchema(type, name)
  if (schema === undefined) return false
  const fits = validator(`${type} ${name}`, () => schema).Check(value)
  return fits && (typeof value !== 'string' || value.isWellFormed())
}

/**
 * Reads `[salt, name, value]` out of a disclosure.
 *
 * @throws {VerificationError} `BAD_DISCLOSURE`
 */
export function parseDisclosure(disclosure: string): Disclosed {
  try {
    const parts: unknown = JSON.parse(decoder.decode(fromBase64url(disclosure)))
    if (Array.isArray(parts) && parts.length === 3) {
      const [salt, name, value]: unknown[] = parts
      if (typeof salt === 'string' && fromBase64url(salt).length >= SALT_BYTES && typeof name === 'string') {
        return { name, value }
      }
    }
  } catch (cause) {
    if (!(cause instanceof InputError || cause instanceof SyntaxError || cause instanceof TypeError))
      throw cause
    throw new VerificationError('BAD_DISCLOSURE', 'a disclosure is not base64url of JSON', { cause })
  }
  throw bad('a disclosure is not [salt of 16 bytes or more, name, value]')
}

/** `base64url(SHA-256(ASCII(disclosure)))`, RFC 9901, section 4.2.3. */
export const disclosureDigest = (disclosure: string): string => toBase64url(sha256(utf8(disclosure)))

/** Leaf hash of a sealed record in its batch: `SHA-256(0x00 || JCS(record))`. */
export const leafHash = (record: FlowRecord): Uint8Array => hashLeaf(canonicalBytes(record))

const bad = (message: string) => new VerificationError('BAD_DISCLOSURE', message)
