import type { Hex } from '../bytes/hex.ts'
import { type Grant, SHARINGS, type Sharing } from '../record/index.ts'
import { type JsonPlace, PLACE_MEMBERS, type Place, parsePlace, toJsonPlace } from './anchored.ts'
import { hex, hexUpTo, malformed, members, uint8, uint32, uint64, uint256 } from './members.ts'

/** What a proof of an authorised call shows besides the call (docs/format.md, "Proof of an authorised call"). */
export interface Authorization {
  /** that decides on the grant, 20 bytes */
  contract: Hex
  grant: Grant
  /** the subject's signature, or where the contract says that it was given the grant */
  consent: { signature: Hex } | { given: Place }
  resource: ResourceVersion
  revocation: RevocationClaim
}

/** The entry of the registry that was in force at the time of the call. */
export interface ResourceVersion {
  /** 20 bytes */
  registry: Hex
  version: number
  /** the owning source's id */
  owner: Hex
  sharing: Sharing
  level: number
  /** SHA-256 of its entry in the catalogue, 32 bytes */
  digest: Hex
  /** of its `ResourceSet` event */
  set: Place
  /** of the next version's, where there was one when the proof was made */
  next?: Place
}

/** Whether the grant was withdrawn, as whoever made the proof saw it. */
interface RevocationClaim {
  /** seconds since 1970; 0 when it was not */
  revokedAt: bigint
  /** of which it says so */
  blockNumber: bigint
  blockHash: Hex
}

/** As JSON: uint64 and uint256 as decimal strings, bytes as hex. */
export interface JsonAuthorization {
  contract: Hex
  grant: Omit<Grant, 'notBefore' | 'notAfter' | 'nonce'> & {
    notBefore: string
    notAfter: string
    nonce: string
  }
  signature?: Hex
  given?: JsonPlace
  resource: Omit<ResourceVersion, 'set' | 'next'> & { set: JsonPlace; next?: JsonPlace }
  revocation: { revokedAt: string; blockNumber: string; blockHash: Hex }
}

/** As in a record of type `tidemark.authorization.v1`. */
const MAX_SIGNATURE_BYTES = 4_096

export const toJsonAuthorization = ({
  contract,
  grant,
  consent,
  resource,
  revocation,
}: Authorization): JsonAuthorization => ({
  contract,
  grant: toJsonGrant(grant),
  ...('given' in consent ? { given: toJsonPlace(consent.given) } : consent),
  resource: toJsonResource(resource),
  revocation: {
    revokedAt: String(revocation.revokedAt),
    blockNumber: String(revocation.blockNumber),
    blockHash: revocation.blockHash,
  },
})

export const toJsonGrant = (grant: Grant): JsonAuthorization['grant'] => ({
  ...grant,
  notBefore: String(grant.notBefore),
  notAfter: String(grant.notAfter),
  nonce: String(grant.nonce),
})

const toJsonResource = ({ set, next, ...entry }: ResourceVersion): JsonAuthorization['resource'] => ({
  ...entry,
  set: toJsonPlace(set),
  ...(next !== undefined && { next: toJsonPlace(next) }),
})

/** @throws {VerificationError} `MALFORMED_BUNDLE` */
export function parseAuthorization(value: unknown): Authorization {
  const parts = members(
    value,
    'authorization',
    ['contract', 'grant', 'resource', 'revocation'],
    ['signature', 'given'],
  )
  const revocation = members(parts.revocation, 'authorization.revocation', [
    'revokedAt',
    'blockNumber',
    'blockHash',
  ])
  return {
    contract: hex(parts.contract, 20, 'authorization.contract'),
    grant: parseGrant(parts.grant),
    consent: parseConsent(parts),
    resource: parseResource(parts.resource),
    revocation: {
      revokedAt: uint64(revocation.revokedAt, 'authorization.revocation.revokedAt'),
      blockNumber: uint64(revocation.blockNumber, 'authorization.revocation.blockNumber'),
      blockHash: hex(revocation.blockHash, 32, 'authorization.revocation.blockHash'),
    },
  }
}

function parseConsent({
  signature,
  given,
}: {
  signature?: unknown
  given?: unknown
}): Authorization['consent'] {
  if ((signature === undefined) === (given === undefined))
    throw malformed('authorization has either signature or given')
  return given === undefined
    ? { signature: hexUpTo(signature, MAX_SIGNATURE_BYTES, 'authorization.signature') }
    : { given: placeAt(given, 'authorization.given') }
}

function parseGrant(value: unknown): Grant {
  const place = 'authorization.grant'
  const grant = members(value, place, [
    'subject',
    'consumer',
    'resource',
    'purpose',
    'notBefore',
    'notAfter',
    'maxCalls',
    'nonce',
  ])
  return {
    subject: hex(grant.subject, 20, `${place}.subject`),
    consumer: hex(grant.consumer, 32, `${place}.consumer`),
    resource: hex(grant.resource, 32, `${place}.resource`),
    purpose: hex(grant.purpose, 32, `${place}.purpose`),
    notBefore: uint64(grant.notBefore, `${place}.notBefore`),
    notAfter: uint64(grant.notAfter, `${place}.notAfter`),
    maxCalls: uint32(grant.maxCalls, `${place}.maxCalls`),
    nonce: uint256(grant.nonce, `${place}.nonce`),
  }
}

function parseResource(value: unknown): ResourceVersion {
  const place = 'authorization.resource'
  const names = ['registry', 'version', 'owner', 'sharing', 'level', 'digest', 'set'] as const
  const entry = members(value, place, names, ['next'])
  const sharing = SHARINGS.find((word) => word === entry.sharing && word !== 'none')
  if (sharing === undefined) throw malformed(`${place}.sharing must be a way of sharing`)
  return {
    registry: hex(entry.registry, 20, `${place}.registry`),
    version: uint32(entry.version, `${place}.version`),
    owner: hex(entry.owner, 32, `${place}.owner`),
    sharing,
    level: uint8(entry.level, `${place}.level`),
    digest: hex(entry.digest, 32, `${place}.digest`),
    set: placeAt(entry.set, `${place}.set`),
    ...(entry.next !== undefined && { next: placeAt(entry.next, `${place}.next`) }),
  }
}

const placeAt = (value: unknown, at: string): Place => parsePlace(members(value, at, PLACE_MEMBERS), at)
